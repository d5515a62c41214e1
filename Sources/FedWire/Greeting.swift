internal import FedCore

/// What the coordinator says first on a new connection, outside of any run: enough for a bank to
/// see before a run whether it would consent to one.
///
/// Unsigned, and good for nothing but warnings and `fed-node doctor`.
public struct Greeting: Equatable, Sendable {
    /// The coordinator's clock, milliseconds since 1970.
    public let unixMilliseconds: Int64
    /// The charter that a run of all members would have now; empty while they are too few.
    public let charter: [UInt8]
    /// SHA-256 of the newest run's feature standard; empty before the first.
    public let standardDigest: [UInt8]

    private static let magic = "fed/v1/greeting"

    /// Wraps the parts.
    public init(unixMilliseconds: Int64, charter: [UInt8], standardDigest: [UInt8]) {
        self.unixMilliseconds = unixMilliseconds
        self.charter = charter
        self.standardDigest = standardDigest
    }

    /// The message.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(UInt64(bitPattern: unixMilliseconds))
        writer.write(charter)
        writer.write(standardDigest)
        return writer.bytes
    }

    /// Reads a message; `nil` for one of another kind.
    public init?(bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        do {
            guard try reader.readString(limit: 32) == Self.magic else { return nil }
            unixMilliseconds = Int64(bitPattern: try reader.read(UInt64.self))
            charter = try reader.readBytes(limit: 1 << 20)
            standardDigest = try reader.readBytes(limit: 32)
            try reader.finish()
        } catch {
            return nil
        }
    }
}
