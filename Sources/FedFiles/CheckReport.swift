public import FedCore

/// What the check of one data file found.
public struct CheckReport: Equatable, Sendable {
    /// How bad it is, for the exit code of a command.
    public enum ExitKind: String, Comparable, CaseIterable, Sendable {
        /// Nothing to say.
        case clean
        /// Rows can be trained on; a person should look at the warnings.
        case warnings
        /// The file breaks the standard.
        case violations
        /// There is no such file, or it cannot be read.
        case unreadable

        /// Orders by how bad it is.
        public static func < (left: ExitKind, right: ExitKind) -> Bool {
            left.rank < right.rank
        }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// Figures of one feature's column.
    public struct Column: Equatable, Sendable {
        /// The feature's name.
        public let name: String
        /// Its figures; of no rows where the file lacks the column.
        public let summary: ColumnSummary
    }

    /// The file's name.
    public let file: String
    /// The standard's name and version.
    public let standardName: String
    /// The standard's version.
    public let standardVersion: Int
    /// The standard's hash.
    public let standardSHA256: [UInt8]
    /// Rows read; lines with a wrong number of fields do not count.
    public let rowCount: Int
    /// Rows labelled 1.
    public let fraudCount: Int
    /// Faults and warnings, the first ones and the counts.
    public let violations: ViolationList
    /// Figures of the features, in the order of the standard.
    public let columns: [Column]

    /// How bad it is.
    public var exitKind: ExitKind {
        let counts = violations.counts
        if counts[.missingFile] != nil || counts[.unreadableFile] != nil { return .unreadable }
        if violations.errorCount > 0 { return .violations }
        return violations.warningCount > 0 ? .warnings : .clean
    }

    /// The report in canonical JSON.
    ///
    /// It quotes the bank's data: not for sending.
    public var jsonBytes: [UInt8] {
        var counts: [String: CanonicalJSON] = [:]
        for (kind, count) in violations.counts { counts[kind.rawValue] = .integer(Int64(count)) }
        return CanonicalJSON.object([
            "format": .string("fed-check-report/1"),
            "file": .string(file),
            "standard": .object([
                "name": .string(standardName), "version": .integer(Int64(standardVersion)),
                "sha256": .string(standardSHA256.hexadecimal),
            ]),
            "result": .string(exitKind.rawValue),
            "rows": .integer(Int64(rowCount)),
            "frauds": .integer(Int64(fraudCount)),
            "counts": .object(counts),
            "violations": .array(violations.first.map(\.json)),
            "columns": .array(columns.map(Self.json)),
        ]).bytes
    }

    private static func json(_ column: Column) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "name": .string(column.name),
            "values": .integer(Int64(column.summary.valueCount)),
            "missing_share": .number(column.summary.missingShare),
        ]
        if let min = column.summary.min { members["min"] = .number(min) }
        if let max = column.summary.max { members["max"] = .number(max) }
        if let mean = column.summary.mean, mean.isFinite { members["mean"] = .number(mean) }
        return .object(members)
    }
}

/// Checks a data file against a standard, to its end.
public enum DataCheck {
    /// Reads a file without keeping its rows: memory does not grow with the file.
    ///
    /// - Parameter limit: how many violations the report carries; all are counted.
    public static func check(
        path: String, standard: FeatureStandard, limit: Int = 100,
        options: DatasetLoader.Options = DatasetLoader.Options()
    ) -> CheckReport {
        let file = BlockReader.fileName(path)
        var parserOptions = options.parserOptions
        parserOptions.keepsRows = false
        parserOptions.violationLimit = limit
        var parser = CSVTableParser(standard: standard, file: file, options: parserOptions)
        do {
            try BlockReader.read(path) { block, _ in
                parser.feed(block)
                return true
            }
            _ = parser.finish()
        } catch {
            parser.note(error.violation(file: file))
        }
        return CheckReport(
            file: file, standardName: standard.name, standardVersion: standard.version,
            standardSHA256: standard.sha256, rowCount: parser.rowCount,
            fraudCount: parser.fraudCount, violations: parser.violations,
            columns: zip(standard.features, parser.summaries).map {
                CheckReport.Column(name: $0.name, summary: $1)
            })
    }
}
