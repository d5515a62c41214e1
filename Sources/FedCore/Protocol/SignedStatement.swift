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

/// What travels: a message with its run, author and place in the author's order, signed by the
/// author's Ed25519 identity key.
///
/// The signature is over the very bytes that travel, so nothing is ever encoded again to be
/// verified. A coordinator's statement is the same bytes for every bank.
public struct SignedStatement: Equatable, Sendable {
    /// The run it belongs to.
    public let run: RunID
    /// Who signed it.
    public let author: Author
    /// Place in the author's statements of this run, from 0 without gaps.
    public let sequence: UInt64
    /// The encoded ``RunMessage``.
    public let body: [UInt8]
    /// The bytes as they travel, the signature included.
    public let bytes: [UInt8]

    private static let magic = "fed/v1/statement"
    private static let signatureSize = 64

    /// Signs a message.
    public init(
        run: RunID, author: Author, sequence: UInt64, message: RunMessage, key: SigningKey
    ) {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.writeFixed(run.bytes)
        writer.write(author.wireName)
        writer.write(sequence)
        let body = message.bytes
        writer.write(body)
        self.run = run
        self.author = author
        self.sequence = sequence
        self.body = body
        self.bytes = writer.bytes + key.sign(writer.bytes)
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
        self.sequence = try reader.read(UInt64.self)
        self.body = try reader.readBytes()
        _ = try reader.readFixed(Self.signatureSize)
        try reader.finish()
        self.bytes = bytes
    }

    /// Whether the owner of the identity key signed exactly these bytes.
    public func isSigned(by publicKey: [UInt8]) -> Bool {
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
