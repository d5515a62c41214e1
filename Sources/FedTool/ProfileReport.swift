internal import FedConsole
internal import FedCore
internal import FedFiles

/// What `fed check` tells of the columns of a table: how they are spread, and what is odd.
struct ProfileReport {
    let file: String
    let profile: TableProfile
    let findings: [ColumnFinding]
    let quantiles: [String: [Double]]

    init(
        file: String, profile: TableProfile, standard: FeatureStandard,
        quantiles: [String: [Double]]
    ) {
        self.file = file
        self.profile = profile
        self.quantiles = profile.comparable(quantiles, standard: standard)
        findings = profile.findings(standard: standard, quantiles: quantiles)
    }

    /// Findings that break a rule.
    var violationCount: Int { findings.count(where: \.isViolation) }

    func show() {
        ConsoleOutput.table(
            ["column", "of", "missing", "least", "median", "greatest", "drift"],
            profile.columns.map { column in
                let sketch = column.sketch
                return [
                    column.name, column.isRaw ? "raw" : "feature",
                    "\(Self.short(sketch.missingShare * 100)) %", Self.text(sketch.least),
                    Self.text(sketch.quantile(0.5)), Self.text(sketch.greatest),
                    Self.text(column.drift(against: quantiles)),
                ]
            })
        for finding in findings { ConsoleOutput.line("\(file) column \(finding)") }
        ConsoleOutput.line(
            "\(file): \(profile.rowCount) rows, \(profile.fraudCount) frauds, "
                + "\(violationCount) violations")
    }

    var json: CanonicalJSON {
        func number(_ value: Double?) -> CanonicalJSON { value.map { .number($0) } ?? .null }
        return .object([
            "file": .string(file), "rows": .integer(Int64(profile.rowCount)),
            "frauds": .integer(Int64(profile.fraudCount)),
            "columns": .array(
                profile.columns.map { column in
                    .object([
                        "name": .string(column.name), "raw": .bool(column.isRaw),
                        "missing_share": .number(column.sketch.missingShare),
                        "least": number(column.sketch.least),
                        "median": number(column.sketch.quantile(0.5)),
                        "greatest": number(column.sketch.greatest),
                        "drift": number(column.drift(against: quantiles)),
                    ])
                }),
            "findings": .array(
                findings.map {
                    .object([
                        "column": .string($0.column), "text": .string($0.description),
                        "violation": .bool($0.isViolation),
                    ])
                }),
        ])
    }

    private static func text(_ value: Double?) -> String { value.map(short) ?? "-" }

    /// Four significant digits, or all of a whole number.
    private static func short(_ value: Double) -> String {
        guard value != value.rounded(), abs(value) < 1e9 else { return "\(value)" }
        var unit = 1e-9
        while unit < 1, abs(value) / unit >= 10_000 { unit *= 10 }
        return "\(((value / unit).rounded() * unit * 1e9).rounded() / 1e9)"
    }
}
