internal import CFedKernels

/// The values of one record that was read with care.
struct CSVRowValues {
    /// One a feature; NaN for an empty field, a faulty one and one without a column.
    var features: [Double]
    /// 0 where it is faulty or absent.
    var label: UInt8 = 0
    /// `nil` where it is faulty or absent.
    var rowNumber: Int64?

    /// What came of a record.
    struct Examination {
        /// `nil` when the fields cannot be told apart.
        var values: CSVRowValues?
        var violations: [DataViolation] = []
    }

    /// Checks a record field by field.
    static func examine(
        _ record: CSVRecord, line: Int, header: CSVHeader, standard: FeatureStandard, file: String
    ) -> Examination {
        guard record.fields.count == header.roles.count else {
            return Examination(
                values: nil,
                violations: [fieldCount(record, line: line, header: header, file: file)])
        }
        var values = CSVRowValues(
            features: [Double](repeating: .nan, count: standard.features.count))
        if let index = header.roles.firstIndex(of: .row) {
            if case .value(let number) = parse(record.fields[index]) {
                values.rowNumber = Int64(exactly: number)
            }
        }
        var violations: [DataViolation] = []
        for (index, field) in record.fields.enumerated() {
            let fault: FieldFault?
            switch header.roles[index] {
            case .ignored: continue
            case .row:
                fault =
                    values.rowNumber != nil
                    ? nil
                    : FieldFault(rowNumberFault(field), "a whole number within ±2^53")
            case .label:
                fault = readLabel(field, into: &values.label)
            case .feature(let feature):
                fault = readFeature(
                    field, standard.features[feature], into: &values.features[feature])
            }
            guard let fault else { continue }
            violations.append(
                DataViolation(
                    file: file, line: line, row: values.rowNumber, column: header.names[index],
                    kind: fault.kind, expected: fault.expected,
                    got: field.isEmpty ? "nothing" : DataViolation.quote(field)))
        }
        return Examination(values: values, violations: violations)
    }

    private struct FieldFault {
        let kind: DataViolationKind
        let expected: String

        init(_ kind: DataViolationKind, _ expected: String) {
            self.kind = kind
            self.expected = expected
        }
    }

    private enum Parsed {
        case value(Double)
        case fault(DataViolationKind)
    }

    private static func parse(_ field: [UInt8]) -> Parsed {
        guard !field.isEmpty else { return .fault(.missingValue) }
        var value = 0.0
        switch fed_csv_parse_number(field, field.count, &value) {
        case FED_CSV_NUMBER: return .value(value)
        case FED_CSV_NOT_FINITE: return .fault(.notFinite)
        default: return .fault(.notANumber)
        }
    }

    private static func rowNumberFault(_ field: [UInt8]) -> DataViolationKind {
        switch parse(field) {
        case .value: .notAnInteger
        case .fault(let kind): kind
        }
    }

    private static func readLabel(_ field: [UInt8], into label: inout UInt8) -> FieldFault? {
        guard case .value(let value) = parse(field), value == 0 || value == 1 else {
            return FieldFault(.invalidLabel, "0 or 1")
        }
        label = UInt8(value)
        return nil
    }

    private static func readFeature(
        _ field: [UInt8], _ feature: Feature, into cell: inout Double
    ) -> FieldFault? {
        switch parse(field) {
        case .fault(.missingValue):
            return feature.missing == .refuse
                ? FieldFault(.missingValue, feature.expectation) : nil
        case .fault(let kind):
            return FieldFault(kind, feature.expectation)
        case .value(let value):
            cell = value
            guard !feature.accepts(value) else { return nil }
            return FieldFault(faultKind(of: value, feature), feature.expectation)
        }
    }

    /// Why a feature does not accept a number.
    private static func faultKind(of value: Double, _ feature: Feature) -> DataViolationKind {
        switch feature.type {
        case .categorical: .notACategory
        case .continuous: .outOfRange
        case .integer, .binary: feature.range.contains(value) ? .notAnInteger : .outOfRange
        }
    }

    private static func fieldCount(
        _ record: CSVRecord, line: Int, header: CSVHeader, file: String
    ) -> DataViolation {
        let got = record.fields.count
        return DataViolation(
            file: file, line: line, kind: .fieldCount,
            expected: "\(header.roles.count) fields",
            got: record.isEmptyLine ? "an empty line" : "\(got)")
    }
}
