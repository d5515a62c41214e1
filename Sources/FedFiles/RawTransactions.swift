public import FedCore

/// Reads a bank's file of raw transactions row by row.
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

    /// Gives every row of a CSV file to `body`, in the order of the file, which must be that of time.
    ///
    /// - Parameters:
    ///   - path: the file; columns that the derivation does not know are passed over.
    ///   - mapping: the bank's own column names, by the derivation's.
    ///   - needsPart: whether the file says what each row is for; else all are history.
    ///   - partColumn: the bank's column that says so.
    /// - Throws: ``FeatureBuilderError`` with file, line and column.
    public static func forEach(
        in path: String, mapping: [String: String] = [:], derivation: Derivation,
        needsPart: Bool = false, partColumn: String? = nil, _ body: (RawRow, Part) -> Void
    ) throws(FeatureBuilderError) {
        try check(mapping, derivation)
        let file = BlockReader.fileName(path)
        var reader = RawRowReader(
            file: file, derivation: derivation, mapping: mapping, partColumn: partColumn,
            needsPart: needsPart)
        var lines = RawLines(file: file)
        var row = reader.emptyRow
        var count = 0
        func take(_ line: RawLine, _ number: Int) throws(FeatureBuilderError) {
            guard reader.hasHeader else {
                try reader.readHeader(line, number: number)
                return
            }
            let time = try reader.time(line, number: number)
            guard count == 0 || time >= row.time else {
                throw .notInTimeOrder(
                    file: file, line: number, column: reader.headerName(.time))
            }
            row.time = time
            let part = try reader.read(line, number: number, index: count, into: &row)
            count += 1
            body(row, part)
        }
        var failure: FeatureBuilderError?
        do {
            try BlockReader.read(path) { block, _ in
                do throws(FeatureBuilderError) {
                    try lines.feed(block) { (line, number) throws(FeatureBuilderError) in
                        try take(line, number)
                    }
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        } catch {
            throw .violation(error.violation(file: file))
        }
        if let failure { throw failure }
        try lines.finish { (line, number) throws(FeatureBuilderError) in
            try take(line, number)
        }
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
