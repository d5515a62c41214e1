public import FedCore

/// Makes rows of single transactions, such as those that a payment system sends, by the rules that
/// hold for files.
public struct RawRecordReader: Sendable {
    private let names: [String]
    private let reader: RawRowReader
    private let emptyRow: RawRow

    /// Prepares for transactions of a derivation.
    ///
    /// - Parameters:
    ///   - mapping: the bank's own column names, by the derivation's.
    /// - Throws: ``FeatureBuilderError/unknownRawColumn(_:)``.
    public init(
        _ derivation: Derivation, mapping: [String: String] = [:]
    ) throws(FeatureBuilderError) {
        try RawTransactions.check(mapping, derivation)
        names = derivation.columns.filter { $0.role != .part }.map { mapping[$0.name] ?? $0.name }
        var reader = RawRowReader(
            file: "transaction", derivation: derivation, mapping: mapping, partColumn: nil,
            needsPart: false)
        emptyRow = reader.emptyRow
        var line = RawValueLine()
        _ = try line.give(names.map { .text($0) }, number: 1) {
            line, number throws(FeatureBuilderError) in
            try reader.readHeader(line, number: number)
            return true
        }
        self.reader = reader
    }

    /// The names of members that are read; others are passed over.
    public var columnNames: [String] { names }

    /// A row of the values of a transaction; what is not there is missing.
    ///
    /// - Throws: ``FeatureBuilderError/violation(_:)`` naming the column, what was got and what was
    ///   expected.
    public func row(_ values: [String: RawValue]) throws(FeatureBuilderError) -> RawRow {
        var row = emptyRow
        var reader = reader
        var line = RawValueLine()
        _ = try line.give(names.map { values[$0] ?? .null }, number: 1) {
            line, number throws(FeatureBuilderError) in
            _ = try reader.next(line, number: number, into: &row)
            return true
        }
        return row
    }
}
