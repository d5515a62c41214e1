public import FedCore

/// Reads a bank's raw transactions row by row.
public enum RawTransactions {
    /// What a row is for.
    public enum Part: Int, CaseIterable, Sendable {
        /// To train on.
        case fit
        /// To choose by.
        case valid
        /// To measure on.
        case test
        /// Feeds windows and indicators only.
        case history
    }

    /// Gives every row of a CSV file or a table to `body`, in the order of time, until it says
    /// `false`.
    ///
    /// - Parameters:
    ///   - raw: ``RawInput``; columns that the derivation does not know are passed over.
    ///   - mapping: the bank's own column names, by the derivation's.
    ///   - needsPart: whether the file says what each row is for; else all are history.
    ///   - partColumn: the bank's column that says so.
    ///   - body: takes a row, its part and its line; rows of a table have numbers from 2.
    /// - Throws: ``FeatureBuilderError`` with file, line and column; what `body` throws.
    public static func forEach(
        in raw: String, mapping: [String: String] = [:], derivation: Derivation,
        needsPart: Bool = false, partColumn: String? = nil,
        _ body: (RawRow, Part, Int) throws(FeatureBuilderError) -> Bool
    ) throws(FeatureBuilderError) {
        try check(mapping, derivation)
        let source = RawLineSource(raw, orderedBy: derivation.order(mapping))
        var reader = RawRowReader(
            file: source.name, derivation: derivation, mapping: mapping, partColumn: partColumn,
            needsPart: needsPart)
        var row = reader.emptyRow
        try source.forEachLine { line, number throws(FeatureBuilderError) in
            guard reader.hasHeader else {
                try reader.readHeader(line, number: number)
                return true
            }
            let part = try reader.next(line, number: number, into: &row)
            return try body(row, part, number)
        }
    }

    /// Counts a bank's transactions for all indicators of a derivation.
    ///
    /// - Parameter findings: what reviewers found, by the rows' numbers.
    /// - Throws: ``FeatureBuilderError`` with file, line and column; with
    ///   ``FeatureBuilderError/derivation(_:)`` where a key or list is missing, with
    ///   ``FeatureBuilderError/row(_:file:line:)`` where a filter cannot take a row in.
    public static func counts(
        of raw: String, mapping: [String: String] = [:], derivation: Derivation,
        secrets: IndicatorSecrets = .none, findings: [Int64: RowFinding] = [:]
    ) throws(FeatureBuilderError) -> IndicatorCounts {
        var counts: IndicatorCounts
        do {
            counts = try IndicatorCounts(derivation, secrets: secrets)
        } catch {
            throw .derivation(.indicator(error))
        }
        var rows: [RawRow] = []
        var firstLine = 0
        func count() throws(FeatureBuilderError) {
            do {
                try counts.add(together: rows, findings: findings)
            } catch {
                throw .row(error, file: RawInput(raw).name, line: firstLine)
            }
            rows.removeAll(keepingCapacity: true)
        }
        try forEach(
            in: raw, mapping: mapping, derivation: derivation
        ) { (row, _, line) throws(FeatureBuilderError) in
            if let first = rows.first, first.time != row.time { try count() }
            if rows.isEmpty { firstLine = line }
            rows.append(row)
            return true
        }
        try count()
        return counts
    }

    /// Refuses a mapping of columns that the derivation does not have.
    static func check(
        _ mapping: [String: String], _ derivation: Derivation
    ) throws(FeatureBuilderError) {
        for name in mapping.keys.sorted()
        where !derivation.columns.contains(where: { $0.name == name }) {
            throw .unknownRawColumn(name)
        }
    }
}

extension Derivation {
    /// The bank's names of the columns that order rows: time, then the row's own number.
    func order(_ mapping: [String: String]) -> [String] {
        [RawColumn.Role.time, .row].compactMap { column($0) }.map { mapping[$0.name] ?? $0.name }
    }
}
