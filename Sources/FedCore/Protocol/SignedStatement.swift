public import FedCrypto

/// Who says something in a run.
public enum Author: Hashable, Sendable, CustomStringConvertible {
    case coordinator
    case bank(NodeID)

    /// The words for a person.
    public var description: String {
        switch self {
        case .coordinator: "coordinator"
        case .bank(let bank): "bank \(bank)"
        }
    }

    var wireName: String {
        switch self {
        case .coordinator: ""
        case .bank(let bank): bank.name
        }
    }

    init?(wireName: String) {
        if wireName.isEmpty {
            self = .coordinator
        } else if let bank = NodeID(wireName) {
            self = .bank(bank)
        } else {
            return nil
        }
    }
}

/// What travels: a message with its run, its author, its place in the author's order and the hash
/// chain over all that the author said before.
///
/// What binds somebody is sealed: signed by the author's Ed25519 identity key over the very bytes
/// that travel, so nothing is ever encoded again to be verified. The many queries and updates between
/// are not, for the cost of it; the chain puts them under the author's next signature, and until then
/// they rest on the mutually authenticated connection. So a bank has the coordinator's signature over
/// the query of a gated sum, in that of the commit, before it releases the gate. A coordinator's
/// statement is the same bytes for every bank, but for the parcels of key shares.
public struct SignedStatement: Equatable, Sendable {
    /// The run it belongs to.
    public let run: RunID
    /// Who said it.
    public let author: Author
    /// Place in the author's statements of this run, from 0 without gaps.
    public let sequence: UInt64
    /// Head of the chain over the author's statements before this one.
    public let chainHead: [UInt8]
    /// Whether it carries a signature.
    public let isSealed: Bool
    /// The encoded ``RunMessage``.
    public let body: [UInt8]
    /// The bytes as they travel, the signature included.
    public let bytes: [UInt8]
    /// SHA-256 of the bytes.
    public let digest: [UInt8]

    private static let magic = "fed/v1/statement"
    private static let signatureSize = 64

    /// Puts a message into an author's order.
    ///
    /// - Parameter key: the author's identity key, or `nil` for a statement without a signature.
    public init(
        run: RunID, author: Author, sequence: UInt64, chainHead: [UInt8], message: RunMessage,
        key: SigningKey?
    ) {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.writeFixed(run.bytes)
        writer.write(author.wireName)
        writer.write(sequence)
        writer.write(chainHead)
        writer.write(UInt8(key == nil ? 0 : 1))
        let body = message.bytes
        writer.reserve(body.count + 256)
        writer.write(body)
        if let key { writer.writeFixed(key.sign(writer.bytes)) }
        self.run = run
        self.author = author
        self.sequence = sequence
        self.chainHead = chainHead
        isSealed = key != nil
        self.body = body
        bytes = writer.bytes
        digest = SHA256.hash(bytes)
    }

    /// Parses a statement; the signature is **not** checked yet, see ``isSigned(by:)``.
    public init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        guard try reader.readString(limit: 64) == Self.magic else {
            throw .invalidValue(field: "magic", at: 0)
        }
        guard let run = RunID(bytes: try reader.readFixed(16)) else {
            throw .invalidValue(field: "run", at: reader.position)
        }
        guard let author = Author(wireName: try reader.readString(limit: 64)) else {
            throw .invalidValue(field: "author", at: reader.position)
        }
        self.run = run
        self.author = author
        sequence = try reader.read(UInt64.self)
        chainHead = try reader.readBytes(limit: 32)
        let seal = try reader.read(UInt8.self)
        guard seal <= 1 else { throw .invalidValue(field: "seal", at: reader.position) }
        isSealed = seal == 1
        body = try reader.readBytes(limit: 1 << 30)
        if isSealed { _ = try reader.readFixed(Self.signatureSize) }
        try reader.finish()
        self.bytes = bytes
        digest = SHA256.hash(bytes)
    }

    /// Whether the owner of the identity key signed exactly these bytes.
    public func isSigned(by publicKey: [UInt8]) -> Bool {
        guard isSealed else { return false }
        let split = bytes.count - Self.signatureSize
        return VerifyingKey.isValid(
            signature: Array(bytes[split...]), message: Array(bytes[..<split]),
            publicKey: publicKey)
    }

    /// The run that bytes claim to belong to, for routing; `nil` when they are no statement.
    public static func claimedRun(of bytes: [UInt8]) -> RunID? {
        var reader = ByteReader(bytes)
        guard (try? reader.readString(limit: 64)) == magic, let raw = try? reader.readFixed(16)
        else { return nil }
        return RunID(bytes: raw)
    }
}
