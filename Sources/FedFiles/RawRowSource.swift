internal import FedCore

/// A value of a raw column as a database gives it.
public enum RawValue: Equatable, Sendable {
    /// Nothing: a missing value.
    case null
    /// A whole number.
    case integer(Int64)
    /// Another number.
    case real(Double)
    /// A text.
    case text(String)

    /// The value as a field of a file.
    var field: [UInt8] {
        switch self {
        case .null: []
        case .integer(let value): Array(String(value).utf8)
        case .real(let value): Array("\(value)".utf8)
        case .text(let value): Array(value.utf8)
        }
    }
}

/// Where raw transactions come from beside a file: a database's table, a queue.
public protocol RawRowSource {
    /// What messages call it.
    var name: String { get }
    /// The names of its columns, in the order of values.
    var columns: [String] { get }
    /// Gives the values of every row to `body`, in the order of time.
    ///
    /// - Throws: what `body` throws, and ``FeatureBuilderError/sourceFailed(name:reason:)``.
    func forEachRow(
        _ body: ([RawValue]) throws(FeatureBuilderError) -> Void
    ) throws(FeatureBuilderError)
}

/// Makes rows of a source's values, by the rules that hold for files.
struct RawValueReader {
    private let source: String
    private var reader: RawRowReader
    private var row: RawRow
    private var count = 0

    init(
        _ source: any RawRowSource, mapping: [String: String], derivation: Derivation,
        partColumn: String?, needsPart: Bool
    ) throws(FeatureBuilderError) {
        self.source = source.name
        reader = RawRowReader(
            file: source.name, derivation: derivation, mapping: mapping, partColumn: partColumn,
            needsPart: needsPart)
        row = reader.emptyRow
        var header = reader
        try Self.withLine(source.columns.map { .text($0) }) { line throws(FeatureBuilderError) in
            try header.readHeader(line, number: 1)
        }
        reader = header
    }

    /// The next row, its part, and its number from 2, as if the columns' names were line 1.
    mutating func next(
        _ values: [RawValue]
    ) throws(FeatureBuilderError) -> (row: RawRow, part: RawTransactions.Part, line: Int) {
        let (line, latest, index) = (count + 2, count > 0 ? row.time : Int64.min, count)
        var (next, part) = (row, RawTransactions.Part.history)
        try Self.withLine(values) { fields throws(FeatureBuilderError) in
            let time = try reader.time(fields, number: line)
            guard time >= latest else {
                throw .notInTimeOrder(
                    file: source, line: line, column: reader.headerName(.time))
            }
            part = try reader.read(fields, number: line, index: index, into: &next)
            next.time = time
        }
        row = next
        count += 1
        return (row, part, line)
    }

    private static func withLine(
        _ values: [RawValue], _ body: (RawLine) throws(FeatureBuilderError) -> Void
    ) throws(FeatureBuilderError) {
        var bytes: [UInt8] = []
        var bounds: [(start: Int, end: Int)] = []
        for value in values {
            let start = bytes.count
            bytes += value.field
            bounds.append((start, bytes.count))
        }
        var failure: FeatureBuilderError?
        bytes.withUnsafeBytes { bytes in
            do throws(FeatureBuilderError) {
                try body(RawLine(bytes: bytes, bounds: bounds))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
