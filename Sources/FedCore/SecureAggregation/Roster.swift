/// One member of a roster: a bank and the key by which it signs.
public struct Member: Equatable, Sendable {
    /// The bank.
    public let bank: NodeID
    /// Its Ed25519 identity key, 32 bytes.
    public let identityKey: [UInt8]

    /// Wraps a member; keys of another size are refused.
    public init?(bank: NodeID, identityKey: [UInt8]) {
        guard identityKey.count == 32 else { return nil }
        self.bank = bank
        self.identityKey = identityKey
    }
}

/// The banks of a group, frozen: at least three, each once, in the order of their names.
///
/// With two banks, each learns the other's vector by subtracting its own from the sum; so there is
/// no roster of two, and no way to make one.
public struct Roster: Equatable, Sendable {
    /// The fewest banks that a sum may have.
    public static let banksMin = 3
    /// The most banks that a roster may have.
    public static let banksMax = 200

    /// The members, sorted by name.
    public let members: [Member]

    /// Sorts and checks the members.
    ///
    /// - Throws: ``RosterFailure`` for too few or too many banks, a bank or a key named twice.
    public init(_ members: [Member]) throws(RosterFailure) {
        guard members.count >= Self.banksMin else { throw .tooFewBanks(got: members.count) }
        guard members.count <= Self.banksMax else { throw .tooManyBanks(got: members.count) }
        let sorted = members.sorted { $0.bank < $1.bank }
        for (left, right) in zip(sorted, sorted.dropFirst()) where left.bank == right.bank {
            throw .duplicateBank(left.bank)
        }
        guard Set(members.map(\.identityKey)).count == members.count else {
            throw .duplicateIdentityKey
        }
        self.members = sorted
    }

    /// The banks, sorted.
    public var banks: [NodeID] { members.map(\.bank) }

    /// Position of a bank, or `nil`.
    public func index(of bank: NodeID) -> Int? { members.firstIndex { $0.bank == bank } }

    /// The key by which a bank signs, or `nil` for a stranger.
    public func identityKey(of bank: NodeID) -> [UInt8]? {
        members.first { $0.bank == bank }?.identityKey
    }

    /// Writes every member; part of every mask's context.
    func write(to writer: inout ByteWriter) {
        writer.writeEach(members) { writer, member in
            writer.write(member.bank.name)
            writer.writeFixed(member.identityKey)
        }
    }
}

/// Why banks do not make a roster.
public enum RosterFailure: Error, Equatable, Sendable, CustomStringConvertible {
    case tooFewBanks(got: Int)
    case tooManyBanks(got: Int)
    case duplicateBank(NodeID)
    case duplicateIdentityKey

    /// The words for a person.
    public var description: String {
        switch self {
        case .tooFewBanks(let got):
            "a masked sum needs at least \(Roster.banksMin) banks, got \(got): "
                + "with fewer, the sum shows one bank's figures to another"
        case .tooManyBanks(let got): "at most \(Roster.banksMax) banks, got \(got)"
        case .duplicateBank(let bank): "bank \(bank) is named twice"
        case .duplicateIdentityKey: "two banks have the same identity key"
        }
    }
}
