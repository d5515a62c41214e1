public import FedCore

/// Computes the features of a standard from a bank's file of raw transactions.
public enum FeatureBuilder {
    /// Where features go.
    public enum Output: Equatable, Sendable {
        /// `bank_<bank>_<part>.csv` in this folder, one file for each part that has rows.
        case folder(String, bank: String)
        /// All rows in one file, whatever their part.
        case file(String)
    }

    /// What was done.
    public struct Summary: Equatable, Sendable {
        /// Rows of the raw file.
        public var rowsRead = 0
        /// Rows a written file, by the file's path.
        public var rowsWritten: [String: Int] = [:]
        /// Frauds a written file, by the file's path.
        public var fraudsWritten: [String: Int] = [:]
    }

    /// Reads the raw rows once, in blocks, and writes their features.
    ///
    /// A CSV file has a header line and its rows in the order of time; a table of a database is
    /// sorted on the way. Columns that the derivation does not know are passed over. Files appear whole or not at all, under their
    /// names only after the last row was right. Numbers have seven significant digits, whole
    /// numbers all of theirs.
    ///
    /// Memory: the rows within the farthest windows, and some MiB.
    ///
    /// - Parameters:
    ///   - raw: where the raw transactions are, as ``RawInput`` reads it.
    ///   - mapping: the bank's own column names, by the derivation's; a name that is not there is
    ///     the same on both sides.
    ///   - partColumn: the bank's column that says which file a row goes to: `fit`, `valid`,
    ///     `test` or 0, 1, 2; `history`, -1 or nothing for rows that only feed windows. By default
    ///     the derivation's column of that role.
    ///   - tables: the published sums of the derivation's indicators, for all periods of the file.
    ///   - secrets: the key or lists of those indicators.
    /// - Throws: ``FeatureBuilderError`` with file, line and column.
    @discardableResult
    public static func build(
        raw: String, mapping: [String: String] = [:], derivation: Derivation,
        standard: FeatureStandard, output: Output, partColumn: String? = nil,
        tables: [IndicatorTable] = [], secrets: IndicatorSecrets = .none
    ) throws(FeatureBuilderError) -> Summary {
        try build(
            RawLineSource(raw, orderedBy: derivation.order(mapping)), mapping, derivation,
            standard, output, partColumn, tables, secrets)
    }

    /// Writes the features of the rows of another source than a file, by the same rules.
    ///
    /// Messages number rows from 2, as if the columns' names were line 1.
    ///
    /// - Throws: ``FeatureBuilderError`` with the source's name, row and column.
    @discardableResult
    public static func build(
        source: any RawRowSource, mapping: [String: String] = [:], derivation: Derivation,
        standard: FeatureStandard, output: Output, partColumn: String? = nil,
        tables: [IndicatorTable] = [], secrets: IndicatorSecrets = .none
    ) throws(FeatureBuilderError) -> Summary {
        try build(
            RawLineSource(source), mapping, derivation, standard, output, partColumn, tables,
            secrets)
    }

    private static func build(
        _ source: RawLineSource, _ mapping: [String: String], _ derivation: Derivation,
        _ standard: FeatureStandard, _ output: Output, _ partColumn: String?,
        _ tables: [IndicatorTable], _ secrets: IndicatorSecrets
    ) throws(FeatureBuilderError) -> Summary {
        try check(mapping, derivation, standard, output)
        var pass = FeatureBuilderPass(
            file: source.name, mapping: mapping, derivation: derivation, standard: standard,
            output: output, partColumn: partColumn, secrets: secrets)
        for table in tables { try pass.publish(table) }
        try source.forEachLine { line, number throws(FeatureBuilderError) in
            try pass.read(line, number: number)
            return true
        }
        return try pass.finish()
    }

    private static func check(
        _ mapping: [String: String], _ derivation: Derivation, _ standard: FeatureStandard,
        _ output: Output
    ) throws(FeatureBuilderError) {
        do { try derivation.requireFeeding(standard) } catch { throw .derivation(error) }
        try RawTransactions.check(mapping, derivation)
        if case .folder(_, let bank) = output {
            let isName = bank.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                    || (0x61...0x7A).contains($0) || $0 == 0x5F || $0 == 0x2D
            }
            guard isName, (1...63).contains(bank.utf8.count) else {
                throw .invalidBankName(got: bank)
            }
        }
    }
}

/// One pass over a raw file: lines to rows, rows of one time to features, features to files.
struct FeatureBuilderPass: ~Copyable {
    private let standard: FeatureStandard
    private let file: String
    private var reader: RawRowReader
    private var state: DerivationState
    private var files: FeatureFiles
    private var limits: [FeatureLimits]

    // The rows of the time that is being read; their storage is used again.
    private var rows: [RawRow] = []
    private var rowParts: [FeatureFiles.Part] = []
    private var rowLines: [Int] = []
    private var rowCount = 0
    private var features: [Double] = []
    private var summary = FeatureBuilder.Summary()

    init(
        file: String, mapping: [String: String], derivation: Derivation,
        standard: FeatureStandard, output: FeatureBuilder.Output, partColumn: String?,
        secrets: IndicatorSecrets
    ) {
        self.standard = standard
        self.file = file
        reader = RawRowReader(
            file: file, derivation: derivation, mapping: mapping, partColumn: partColumn,
            needsPart: output.needsPart)
        state = DerivationState(derivation, secrets: secrets)
        files = FeatureFiles(
            output: output, standard: standard, hasLabel: derivation.column(.label) != nil)
        limits = standard.features.map(FeatureLimits.init)
    }

    /// Takes in the sums of an indicator; before the first row they count for all rows.
    mutating func publish(_ table: IndicatorTable) throws(FeatureBuilderError) {
        do { try state.publish(table) } catch { throw .derivation(error) }
    }

    /// Ends the pass: the files appear.
    mutating func finish() throws(FeatureBuilderError) -> FeatureBuilder.Summary {
        guard summary.rowsRead > 0 else {
            throw .violation(
                DataViolation(
                    file: file, kind: .noRows, expected: "rows below the header", got: "none"))
        }
        try applyRows()
        try files.commit(&summary)
        return summary
    }

    mutating func read(_ line: RawLine, number: Int) throws(FeatureBuilderError) {
        guard reader.hasHeader else {
            try reader.readHeader(line, number: number)
            return
        }
        if rowCount == rows.count {
            rows.append(reader.emptyRow)
            rowParts.append(.history)
            rowLines.append(0)
        }
        let place = rowCount
        let part = try reader.next(line, number: number, into: &rows[place])
        if place > 0, rows[place].time != rows[0].time {
            try applyRows()
            rows.swapAt(0, place)
        }
        rowParts[rowCount] = part
        rowLines[rowCount] = number
        rowCount += 1
        summary.rowsRead += 1
    }

    /// Takes in the rows of one time and writes their features.
    private mutating func applyRows() throws(FeatureBuilderError) {
        guard rowCount > 0 else { return }
        features.removeAll(keepingCapacity: true)
        do {
            try state.apply(rows[..<rowCount], to: &features)
        } catch {
            throw .row(error, file: file, line: rowLines[0])
        }
        let width = limits.count
        for row in 0..<rowCount where files.isWritten(rowParts[row]) {
            let start = row * width
            for index in 0..<width where !limits[index].allows(features[start + index]) {
                throw violation(index, features[start + index], row: row)
            }
            try files.write(rows[row], features[start..<(start + width)], part: rowParts[row])
        }
        rowCount = 0
    }

    private func violation(_ index: Int, _ value: Double, row: Int) -> FeatureBuilderError {
        let feature = standard.features[index]
        return .violation(
            DataViolation(
                file: file, line: rowLines[row], row: rows[row].number, column: feature.name,
                kind: value.isNaN ? .missingValue : .outOfRange, expected: feature.expectation,
                got: value.isNaN ? "a missing value" : "\(value)"))
    }
}

/// What a standard allows of one feature, without its texts.
private struct FeatureLimits {
    let low: Double
    let high: Double
    let isWhole: Bool
    let levels: Set<Double>?
    let allowsMissing: Bool

    init(_ feature: Feature) {
        low = feature.range.lowerBound
        high = feature.range.upperBound
        isWhole = feature.type != .continuous
        if case .categorical(let levels) = feature.type {
            self.levels = Set(levels.map(Double.init))
        } else {
            levels = nil
        }
        allowsMissing = feature.missing != .refuse
    }

    func allows(_ value: Double) -> Bool {
        guard value >= low, value <= high else { return value.isNaN && allowsMissing }
        guard !isWhole || value == value.rounded(.towardZero) else { return false }
        return levels?.contains(value) ?? true
    }
}

extension FeatureBuilder.Output {
    /// Whether rows must say which file they go to.
    var needsPart: Bool {
        switch self {
        case .folder: true
        case .file: false
        }
    }
}
