/// Which field of a line is which column of the standard.
struct CSVHeader {
    /// What a field is.
    enum Role: Equatable {
        case feature(Int)
        case row
        case label
        case ignored
    }

    /// One role a field.
    let roles: [Role]
    /// The columns' names, one a field.
    let names: [String]
    /// Which features have a column.
    let hasFeature: [Bool]
    let hasRow: Bool
    let hasLabel: Bool

    /// Matches the names of a header line with those of a standard, in any order.
    init(
        _ record: CSVRecord, standard: FeatureStandard, options: CSVTableParser.Options,
        file: String, violations: inout ViolationList
    ) {
        var wanted: [String: Role] = [standard.rowColumn: .row, standard.labelColumn: .label]
        for (index, feature) in standard.features.enumerated() {
            wanted[feature.name] = .feature(index)
        }
        var roles: [Role] = []
        var names: [String] = []
        var seen: Set<String> = []
        for bytes in record.fields {
            let name = String(decoding: bytes, as: UTF8.self)
            names.append(name)
            let role = wanted[name]
            let isNew = seen.insert(name).inserted
            roles.append(isNew ? role ?? .ignored : .ignored)
            if !isNew, role != nil || !options.ignoresUnknownColumns {
                violations.append(
                    DataViolation(
                        file: file, line: 1, column: Self.shown(bytes), kind: .duplicateColumn,
                        expected: "every column once", got: "it again"))
            } else if role == nil, !options.ignoresUnknownColumns {
                violations.append(
                    DataViolation(
                        file: file, line: 1, column: Self.shown(bytes), kind: .unknownColumn,
                        expected: "columns of standard \(standard.name) only",
                        got: "another column"))
            }
        }
        self.roles = roles
        self.names = names
        hasFeature = standard.features.map { seen.contains($0.name) }
        hasRow = seen.contains(standard.rowColumn)
        hasLabel = seen.contains(standard.labelColumn)
        var required = standard.features.map(\.name)
        if options.requiresLabel { required.append(standard.labelColumn) }
        for name in required where !seen.contains(name) {
            violations.append(
                DataViolation(
                    file: file, line: 1, column: name, kind: .missingColumn,
                    expected: "the column", got: "no such column"))
        }
    }

    /// A foreign column's name for messages, without quotes.
    private static func shown(_ name: [UInt8]) -> String {
        String(DataViolation.quote(name).dropFirst().dropLast())
    }
}
