internal import FedCore

/// Reads the lines of a raw file into rows: matches the header, parses fields.
struct RawRowReader {
    private enum Target {
        case number(Int)
        case entity(Int)
        case label
        case row
        case part
    }

    /// Which field goes where; texts are kept apart, since this is copied for every field.
    private struct FieldPlan {
        let field: Int
        let target: Target
        let kind: RawColumn.Kind
        let refusesMissing: Bool
        /// The index in ``columns``.
        let column: Int
    }

    private let file: String
    private let derivation: Derivation
    private let mapping: [String: String]
    private let partColumn: String?
    private let needsPart: Bool
    private var plans: [FieldPlan] = []
    private var columns: [RawColumn] = []
    private var levels: [[[UInt8]: Double]] = []
    private var timeField = 0
    private var fieldCount = 0
    /// Rows read, and the time of the latest of them.
    private var count = 0
    private var latest = Int64.min

    init(
        file: String, derivation: Derivation, mapping: [String: String], partColumn: String?,
        needsPart: Bool
    ) {
        self.file = file
        self.derivation = derivation
        self.mapping = mapping
        self.partColumn = partColumn
        self.needsPart = needsPart
    }

    /// Whether the header is read.
    var hasHeader: Bool { fieldCount > 0 }

    /// A row to be filled.
    var emptyRow: RawRow {
        RawRow(
            time: 0, number: 0, isFraud: nil,
            numbers: derivation.numberColumns.map { _ in .nan },
            entities: derivation.entityColumns.map { _ in .missing })
    }

    /// The bank's name of the column with a role.
    func headerName(_ role: RawColumn.Role) -> String {
        derivation.column(role).map(headerName) ?? role.rawValue
    }

    private func headerName(_ column: RawColumn) -> String {
        if column.role == .part, let partColumn { return partColumn }
        return mapping[column.name] ?? column.name
    }

    // MARK: - Header

    mutating func readHeader(_ line: RawLine, number: Int) throws(FeatureBuilderError) {
        let names = line.bounds.indices.map { String(decoding: line.field($0), as: UTF8.self) }
        var numberIndex = 0
        var entityIndex = 0
        for column in derivation.columns {
            let target: Target?
            switch column.role {
            case .time: target = nil
            case .amount, .number, .category:
                target = .number(numberIndex)
                numberIndex += 1
            case .entity:
                target = .entity(entityIndex)
                entityIndex += 1
            case .label: target = .label
            case .row: target = .row
            case .part:
                guard needsPart else { continue }
                target = .part
            }
            let field = try find(column, names)
            guard let target else {
                timeField = field
                continue
            }
            append(column, field, target)
        }
        if needsPart, derivation.column(.part) == nil {
            let part = RawColumn(name: partColumn ?? "part", role: .part, kind: .text)
            append(part, try find(part, names), .part)
        }
        fieldCount = names.count
    }

    private mutating func append(_ column: RawColumn, _ field: Int, _ target: Target) {
        plans.append(
            FieldPlan(
                field: field, target: target, kind: column.kind,
                refusesMissing: column.missing == .refuse, column: columns.count))
        columns.append(column)
        var levels: [[UInt8]: Double] = [:]
        for (position, level) in column.levels.enumerated() {
            levels[Array(level.utf8)] = Double(position)
        }
        self.levels.append(levels)
    }

    private func find(_ column: RawColumn, _ names: [String]) throws(FeatureBuilderError) -> Int {
        let name = headerName(column)
        let fields = names.indices.filter { names[$0] == name }
        guard let field = fields.first else {
            throw .violation(
                DataViolation(
                    file: file, line: 1, column: name, kind: .missingColumn,
                    expected: "the column", got: "no such column"))
        }
        guard fields.count == 1 else {
            throw .violation(
                DataViolation(
                    file: file, line: 1, column: name, kind: .duplicateColumn,
                    expected: "every column once", got: "it again"))
        }
        return field
    }

    // MARK: - Rows

    /// Fills a row, which must not be older than the one before it.
    mutating func next(
        _ line: RawLine, number: Int, into row: inout RawRow
    ) throws(FeatureBuilderError) -> FeatureFiles.Part {
        let time = try time(line, number: number)
        guard time >= latest else {
            throw .notInTimeOrder(file: file, line: number, column: headerName(.time))
        }
        let part = try read(line, number: number, into: &row)
        row.time = time
        latest = time
        count += 1
        return part
    }

    /// The time of a line with the right number of fields.
    private func time(_ line: RawLine, number: Int) throws(FeatureBuilderError) -> Int64 {
        guard line.bounds.count == fieldCount else {
            throw .violation(
                DataViolation(
                    file: file, line: number, kind: .fieldCount, expected: "\(fieldCount) fields",
                    got: "\(line.bounds.count)"))
        }
        let field = line.field(timeField)
        guard let time = RawNumber.whole(field), abs(time) <= Double(DerivationState.timeMax) else {
            throw fault(
                field, headerName(.time), number, .notAnInteger, "whole seconds within ±2^52")
        }
        return Int64(time)
    }

    /// Fills a row, all but its time; a file that does not number its rows has them numbered.
    private func read(
        _ line: RawLine, number: Int, into row: inout RawRow
    ) throws(FeatureBuilderError) -> FeatureFiles.Part {
        row.number = Int64(count)
        row.isFraud = nil
        var part = FeatureFiles.Part.history
        for plan in plans {
            let field = line.field(plan.field)
            switch plan.target {
            case .number(let index): row.numbers[index] = try self.number(field, plan, number)
            case .entity(let index): row.entities[index] = try entity(field, plan, number)
            case .label:
                guard !field.isEmpty else { break }
                guard let value = RawNumber.whole(field), value == 0 || value == 1 else {
                    throw fault(field, plan, number, .invalidLabel, "0, 1 or nothing")
                }
                row.isFraud = value == 1
            case .row:
                guard let value = RawNumber.whole(field) else {
                    throw fault(field, plan, number, .notAnInteger, "a whole number")
                }
                row.number = Int64(value)
            case .part:
                guard let value = FeatureFiles.Part(field: field) else {
                    throw fault(
                        field, plan, number, .notACategory,
                        "fit, valid, test, history or 0, 1, 2, -1")
                }
                part = value
            }
        }
        if row.isFraud == nil, part != .history, let label = derivation.column(.label) {
            throw .violation(
                DataViolation(
                    file: file, line: number, row: row.number, column: headerName(label),
                    kind: .invalidLabel, expected: "0 or 1 in rows to be trained on or tested",
                    got: "nothing"))
        }
        return part
    }

    private func number(
        _ field: UnsafeRawBufferPointer, _ plan: FieldPlan, _ line: Int
    ) throws(FeatureBuilderError) -> Double {
        var value = Double.nan
        if !field.isEmpty {
            switch plan.kind {
            case .text: value = levels[plan.column][Array(field)] ?? .nan
            case .integer:
                guard let whole = RawNumber.whole(field) else {
                    throw fault(field, plan, line, .notAnInteger, "a whole number")
                }
                value = whole
            case .number:
                guard let number = RawNumber.parse(field) else {
                    throw fault(field, plan, line, .notANumber, "a finite decimal number")
                }
                value = number
            }
        }
        guard !value.isNaN || !plan.refusesMissing else {
            throw fault(
                field, plan, line, field.isEmpty ? .missingValue : .notACategory,
                plan.kind == .text ? "one of the levels" : "a number")
        }
        return value
    }

    private func entity(
        _ field: UnsafeRawBufferPointer, _ plan: FieldPlan, _ line: Int
    ) throws(FeatureBuilderError) -> EntityKey {
        guard !field.isEmpty else {
            guard !plan.refusesMissing else {
                throw fault(field, plan, line, .missingValue, "an entity")
            }
            return .missing
        }
        guard plan.kind == .integer else { return EntityKey(name: Array(field)) }
        guard let number = RawNumber.whole(field) else {
            throw fault(field, plan, line, .notAnInteger, "a whole number within ±2^53")
        }
        return EntityKey(Int64(number))
    }

    private func fault(
        _ field: UnsafeRawBufferPointer, _ plan: FieldPlan, _ line: Int,
        _ kind: DataViolationKind, _ expected: String
    ) -> FeatureBuilderError {
        fault(field, headerName(columns[plan.column]), line, kind, expected)
    }

    private func fault(
        _ field: UnsafeRawBufferPointer, _ column: String, _ line: Int,
        _ kind: DataViolationKind, _ expected: String
    ) -> FeatureBuilderError {
        let shown = field.prefix(40).map { (0x20..<0x7F).contains($0) ? $0 : 0x3F }
        return .violation(
            DataViolation(
                file: file, line: line, column: column, kind: kind, expected: expected,
                got: "\"\(String(decoding: shown, as: UTF8.self))\""))
    }
}

/// Reads fields as decimal numbers.
enum RawNumber {
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// A whole number within ±2^53.
    static func whole(_ field: UnsafeRawBufferPointer) -> Double? {
        guard let value = parse(field), abs(value) <= 0x1p53, value == value.rounded(.towardZero)
        else { return nil }
        return value
    }

    /// The nearest finite double to `[+-]digits[.digits][e[+-]digits]`.
    static func parse(_ field: UnsafeRawBufferPointer) -> Double? {
        var position = 0
        let isNegative = field.first == 0x2D
        if isNegative || field.first == 0x2B { position = 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        var fraction = 0
        var hasPoint = false
        while position < field.count {
            let byte = field[position]
            if byte &- 0x30 < 10 {
                guard digits < 18 else { return parseRare(field) }
                mantissa = mantissa * 10 + UInt64(byte &- 0x30)
                digits += 1
                if hasPoint { fraction += 1 }
            } else if byte == 0x2E, !hasPoint {
                hasPoint = true
            } else {
                return parseRare(field)
            }
            position += 1
        }
        guard digits > 0 else { return nil }
        // Both are exact, so the quotient is the nearest double.
        guard mantissa <= 1 << 53 else { return parseRare(field) }
        let value = Double(mantissa) / powers[fraction]
        return isNegative ? -value : value
    }

    private static func parseRare(_ field: UnsafeRawBufferPointer) -> Double? {
        let isDecimal =
            field.count <= 255
            && field.allSatisfy {
                $0 &- 0x30 < 10 || [0x2B, 0x2D, 0x2E, 0x45, 0x65].contains($0)
            }
        guard isDecimal, let value = Double(String(decoding: field, as: UTF8.self)),
            value.isFinite
        else { return nil }
        return value
    }
}
