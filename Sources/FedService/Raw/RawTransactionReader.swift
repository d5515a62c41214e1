package import FedCore

/// Reads raw transactions, as the columns of a derivation name them, from JSON.
package struct RawTransactionReader: Sendable {
    private let columns: [RawColumn]
    private let names: Set<String>

    /// Reads for a derivation; the columns `row` and `part` are the service's own and not asked for.
    package init(_ derivation: Derivation) {
        columns = derivation.columns.filter { $0.role != .row && $0.role != .part }
        names = Set(columns.map(\.name))
    }

    /// Reads a transaction.
    ///
    /// - Parameters:
    ///   - number: the row's number.
    ///   - place: where it stands in the request, for faults.
    /// - Throws: ``Fault`` with the first column that is wrong.
    package func read(
        _ value: CanonicalJSON, number: Int64, place: String
    ) throws(Fault) -> RawRow {
        guard case .object(let members) = value else {
            throw Fault(
                value == .null ? .missingField : .wrongType, field: place,
                got: value == .null ? "nothing" : value.shown,
                expected: "an object with the derivation's columns")
        }
        if let stray = members.keys.filter({ !names.contains($0) }).min() {
            throw Fault(
                .unknownField, field: "\(place).\(stray.prefix(64))", got: "this field",
                expected: columns.map(\.name).joined(separator: " | "))
        }
        var row = RawRow(time: 0, number: number, isFraud: nil, numbers: [], entities: [])
        for column in columns {
            let value = members[column.name] ?? .null
            let place = "\(place).\(column.name)"
            if value == .null, column.role != .label, column.missing == .refuse {
                throw Fault(
                    .missingField, field: place, got: "nothing", expected: Self.expectation(column))
            }
            switch column.role {
            case .time: row.time = try Self.time(value, place)
            case .amount, .number, .category:
                row.numbers.append(try Self.number(value, column, place))
            case .entity: row.entities.append(try Self.entity(value, column, place))
            case .label: row.isFraud = try Self.label(value, place)
            case .row, .part: break
            }
        }
        return row
    }

    private static func expectation(_ column: RawColumn) -> String {
        switch (column.role, column.kind) {
        case (.time, _): "whole seconds within ±2^52"
        case (.category, .text): column.levels.prefix(20).joined(separator: " | ")
        case (_, .integer): "a whole number"
        case (_, .number): "a number"
        case (_, .text): "a string"
        }
    }

    private static func time(_ value: CanonicalJSON, _ place: String) throws(Fault) -> Int64 {
        guard case .integer(let time) = value, time.magnitude <= UInt64(DerivationState.timeMax)
        else {
            throw Fault(
                .invalidValue, field: place, got: value.shown,
                expected: "whole seconds within ±2^52")
        }
        return time
    }

    private static func number(
        _ value: CanonicalJSON, _ column: RawColumn, _ place: String
    ) throws(Fault) -> Double {
        switch (column.kind, value) {
        case (_, .null): return .nan
        case (.text, .string(let word)):
            if let level = column.levels.firstIndex(of: word) { return Double(level) }
            guard column.missing == .refuse else { return .nan }
            throw Fault(
                .invalidValue, field: place, got: value.shown, expected: expectation(column))
        case (.integer, .integer(let whole)): return Double(whole)
        case (.number, .integer(let whole)): return Double(whole)
        case (.number, .number(let real)): return real
        default:
            throw Fault(.wrongType, field: place, got: value.shown, expected: expectation(column))
        }
    }

    private static func entity(
        _ value: CanonicalJSON, _ column: RawColumn, _ place: String
    ) throws(Fault) -> EntityKey {
        switch (column.kind, value) {
        case (_, .null): return .missing
        case (.integer, .integer(let number)): return EntityKey(number)
        case (.text, .string(let name)) where name.utf8.count <= 1024:
            guard !name.isEmpty || column.missing == .keep else {
                throw Fault(
                    .invalidValue, field: place, got: "an empty string", expected: "a name")
            }
            return EntityKey(name: Array(name.utf8))
        default:
            throw Fault(.wrongType, field: place, got: value.shown, expected: expectation(column))
        }
    }

    private static func label(_ value: CanonicalJSON, _ place: String) throws(Fault) -> Bool? {
        switch value {
        case .null: return nil
        case .bool(let isFraud): return isFraud
        case .integer(0): return false
        case .integer(1): return true
        default:
            throw Fault(
                .invalidValue, field: place, got: value.shown, expected: "0, 1, a boolean or null")
        }
    }
}
