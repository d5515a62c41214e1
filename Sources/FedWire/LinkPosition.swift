public import FedCore

/// What each side says first on a new connection: how many of the other's statements of a run it
/// has.
///
/// The other side sends what is missing. It is outside of the protocol's statements: unsigned, and
/// good for nothing but to know from where to send again.
public struct LinkPosition: Equatable, Sendable {
    /// The run; `nil` from a bank that is in none.
    public let run: RunID?
    /// Statements of the other side that are here already.
    public let count: UInt64

    private static let magic = "fed/v1/position"

    /// Wraps the parts.
    public init(run: RunID?, count: UInt64) {
        self.run = run
        self.count = count
    }

    /// The message.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(run.map(\.bytes) ?? [])
        writer.write(count)
        return writer.bytes
    }

    /// Reads a message; `nil` for one of another kind.
    public init?(bytes: [UInt8]) {
        guard bytes.count <= 64 else { return nil }
        var reader = ByteReader(bytes)
        do {
            guard try reader.readString(limit: 32) == Self.magic else { return nil }
            let run = try reader.readBytes(limit: 16)
            guard run.isEmpty || run.count == 16 else { return nil }
            self.run = RunID(bytes: run)
            count = try reader.read(UInt64.self)
            try reader.finish()
        } catch {
            return nil
        }
    }
}
