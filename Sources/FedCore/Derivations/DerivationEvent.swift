/// What a derivation's state was given, one after the other, as bytes for a log.
///
/// A state that takes the same events in the same order is the same state, so a snapshot and the
/// events after it bring a process back to where it was.
public enum DerivationEvent: Equatable, Sendable {
    /// A row.
    case row(RawRow)
    /// The label of an earlier row.
    case label(row: Int64, isFraud: Bool, time: Int64)
    /// A published table of an indicator, its canonical file.
    case table([UInt8])

    /// The canonical bytes.
    ///
    /// They hold amounts and keys, and must not leave the bank.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .row(let row):
            writer.write(UInt8(1))
            writer.write(row.time)
            writer.write(row.number)
            writer.write(row.isFraud.map { $0 ? 1 : 0 } ?? UInt8(2))
            writer.writeEach(row.numbers) { $0.write($1) }
            writer.writeEach(row.entities) { $0.write($1.bits) }
        case .label(let row, let isFraud, let time):
            writer.write(UInt8(2))
            writer.write(row)
            writer.write(UInt8(isFraud ? 1 : 0))
            writer.write(time)
        case .table(let bytes):
            writer.write(UInt8(3))
            writer.write(bytes)
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
            let (time, number) = (try reader.readInt64(), try reader.readInt64())
            let at = reader.position
            let label = try reader.read(UInt8.self)
            guard label <= 2 else { throw .invalidValue(field: "label", at: at) }
            self = .row(
                RawRow(
                    time: time, number: number, isFraud: label == 2 ? nil : label == 1,
                    numbers: try reader.readEach(limit: Derivation.columnCountMax) {
                        (reader: inout ByteReader) throws(DecodingFailure) in
                        try reader.readDouble()
                    },
                    entities: try reader.readEach(limit: Derivation.columnCountMax) {
                        (reader: inout ByteReader) throws(DecodingFailure) in
                        EntityKey(bits: try reader.read())
                    }))
        case 2:
            let row = try reader.readInt64()
            let isFraud = try reader.read(UInt8.self) == 1
            self = .label(row: row, isFraud: isFraud, time: try reader.readInt64())
        case 3: self = .table(try reader.readBytes(limit: 1 << 28))
        default: throw .invalidValue(field: "event", at: 0)
        }
        try reader.finish()
    }
}

extension DerivationState {
    /// Takes an event of a log in again; features of rows are computed and passed over.
    ///
    /// - Throws: ``DerivationError``, as when it was given first.
    public mutating func replay(_ event: DerivationEvent) throws(DerivationError) {
        switch event {
        case .row(let row): _ = try apply(row)
        case .label(let row, let isFraud, let time):
            try learn(row: row, isFraud: isFraud, at: time)
        case .table(let bytes):
            let table: IndicatorTable
            do {
                table = try IndicatorTable(bytes: bytes, derivation: derivation)
            } catch {
                throw .indicator(error)
            }
            try publish(table)
        }
    }
}
