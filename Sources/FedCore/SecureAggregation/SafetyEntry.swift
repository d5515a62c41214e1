/// What a bank must remember on disk to stay safe, without any secret.
///
/// Written before each send that ``SafetyKernel`` allows.
public enum SafetyEntry: Hashable, Sendable {
    /// The bank takes part in an attempt.
    case admitted(AttemptID, roster: [Int])
    /// A masked vector goes out.
    case uploaded(AttemptID, slot: UInt32, context: [UInt8], digest: [UInt8])
    /// The bank's gate is opened; the group is bound to the roster for ever.
    case released(AttemptID, charter: [UInt8], roster: [Int])
    /// A static query is answered; it is bound to the roster for ever.
    case answered([UInt8], charter: [UInt8], roster: [Int])
    /// An epoch is over.
    case closed(epoch: [UInt8])

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .admitted(let attempt, let roster):
            writer.write(UInt8(1))
            Self.write(attempt, to: &writer)
            Self.write(roster, to: &writer)
        case .uploaded(let attempt, let slot, let context, let digest):
            writer.write(UInt8(2))
            Self.write(attempt, to: &writer)
            writer.write(slot)
            writer.write(context)
            writer.write(digest)
        case .released(let attempt, let charter, let roster):
            writer.write(UInt8(3))
            Self.write(attempt, to: &writer)
            writer.write(charter)
            Self.write(roster, to: &writer)
        case .answered(let query, let charter, let roster):
            writer.write(UInt8(4))
            writer.write(query)
            writer.write(charter)
            Self.write(roster, to: &writer)
        case .closed(let epoch):
            writer.write(UInt8(5))
            writer.write(epoch)
        }
        return writer.bytes
    }

    /// Reads what ``bytes`` wrote.
    ///
    /// - Throws: ``DecodingFailure`` for anything else.
    public init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1:
            self = .admitted(
                try Self.readAttempt(&reader), roster: try Self.readRoster(&reader))
        case 2:
            self = .uploaded(
                try Self.readAttempt(&reader), slot: try reader.read(),
                context: try reader.readBytes(limit: 64), digest: try reader.readBytes(limit: 64))
        case 3:
            self = .released(
                try Self.readAttempt(&reader), charter: try reader.readBytes(limit: 64),
                roster: try Self.readRoster(&reader))
        case 4:
            self = .answered(
                try reader.readBytes(limit: 64), charter: try reader.readBytes(limit: 64),
                roster: try Self.readRoster(&reader))
        case 5: self = .closed(epoch: try reader.readBytes(limit: 64))
        default: throw .invalidValue(field: "safety entry", at: 0)
        }
        try reader.finish()
    }

    private static func write(_ attempt: AttemptID, to writer: inout ByteWriter) {
        writer.write(attempt.epoch)
        writer.write(attempt.group)
        writer.write(attempt.gate)
    }

    private static func readAttempt(
        _ reader: inout ByteReader
    ) throws(DecodingFailure) -> AttemptID {
        AttemptID(
            epoch: try reader.readBytes(limit: 64), group: try reader.readBytes(limit: 64),
            gate: try reader.read())
    }

    private static func write(_ roster: [Int], to writer: inout ByteWriter) {
        writer.writeEach(roster) { $0.write(UInt8($1)) }
    }

    private static func readRoster(_ reader: inout ByteReader) throws(DecodingFailure) -> [Int] {
        let start = reader.position
        let roster = try reader.readEach(limit: Roster.banksMax) {
            (reader: inout ByteReader) throws(DecodingFailure) in
            Int(try reader.read(UInt8.self))
        }
        guard zip(roster, roster.dropFirst()).allSatisfy(<) else {
            throw .invalidValue(field: "roster", at: start)
        }
        return roster
    }
}
