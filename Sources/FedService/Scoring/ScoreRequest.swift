package import FedCore
internal import FedDecision

/// A transaction to be scored: features by name, and what lists need to know of it.
package struct ScoreTransaction: Equatable, Sendable {
    /// The caller's name of it; given back.
    package let id: String?
    /// The customer or account, as lists name it.
    package let entity: String?
    /// In minor units of the currency.
    package let amount: Int64?
    /// Raw values in the standard's order, NaN where missing; empty where they are to be derived.
    package let row: [Double]
    /// The transaction that features are to be derived of; `nil` where they were given.
    package let raw: CanonicalJSON?

    /// Wraps what was read.
    package init(
        id: String?, entity: String?, amount: Int64?, row: [Double], raw: CanonicalJSON? = nil
    ) {
        self.id = id
        self.entity = entity
        self.amount = amount
        self.row = row
        self.raw = raw
    }
}

/// The body of `POST /v1/score`: one transaction, or a list of them.
package struct ScoreRequest: Sendable {
    /// The transactions.
    package let transactions: [ScoreTransaction]
    /// Whether a list was sent, which is answered by a list.
    package let isBatch: Bool
}

/// Reads requests for the features of one standard.
package struct ScoreRequestReader: Sendable {
    /// The longest name of a transaction or entity, in bytes.
    package static let nameBytesMax = 200
    /// The greatest amount: 10^15 minor units.
    package static let amountMax: Int64 = 1_000_000_000_000_000

    private let features: [Feature]
    private let names: Set<String>

    /// Reads for these features.
    package init(_ standard: FeatureStandard) {
        features = standard.features
        names = Set(standard.features.map(\.name))
    }

    /// Reads a body.
    ///
    /// - Parameter isRecorded: whether lists are to know of it: then `id`, `entity` and `amount`
    ///   must be there.
    /// - Parameter takesRaw: whether raw transactions may stand for features.
    /// - Throws: ``Fault`` with the first place that is wrong.
    package func read(
        _ body: [UInt8], rowsMax: Int, bytesMax: Int, isRecorded: Bool, takesRaw: Bool = false
    ) throws(Fault) -> ScoreRequest {
        let value: CanonicalJSON
        do {
            value = try StrictJSON.parse(body, bytesMax: bytesMax)
        } catch {
            throw Fault(error)
        }
        guard case .array(let elements) = value else {
            let one = try transaction(
                value, place: "", isRecorded: isRecorded, takesRaw: takesRaw)
            return ScoreRequest(transactions: [one], isBatch: false)
        }
        guard (1...rowsMax).contains(elements.count) else {
            throw Fault(
                elements.isEmpty ? .invalidValue : .tooLarge,
                got: "\(elements.count) transactions", expected: "1...\(rowsMax)")
        }
        var transactions: [ScoreTransaction] = []
        transactions.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            transactions.append(
                try transaction(
                    element, place: "[\(index)]", isRecorded: isRecorded, takesRaw: takesRaw))
        }
        if isRecorded { try Self.checkNames(transactions) }
        return ScoreRequest(transactions: transactions, isBatch: true)
    }

    /// Refuses a name that stands for two transactions of a list.
    static func checkNames(_ transactions: [ScoreTransaction]) throws(Fault) {
        var seen: Set<String> = []
        for (index, transaction) in transactions.enumerated() {
            guard let id = transaction.id else { continue }
            guard seen.insert(id).inserted else {
                throw Fault(
                    .invalidValue, field: "[\(index)].id", got: "\"\(id)\" again",
                    expected: "a name of its own")
            }
        }
    }

    /// Reads one transaction.
    func transaction(
        _ value: CanonicalJSON, place: String, isRecorded: Bool, takesRaw: Bool
    ) throws(Fault) -> ScoreTransaction {
        func at(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }
        guard case .object(let members) = value else {
            throw Fault(.wrongType, field: place, got: value.shown, expected: "an object")
        }
        let raw = takesRaw ? members["transaction"] : nil
        let known =
            ["id", "entity", "amount"] + (raw == nil ? ["features"] : ["transaction"])
        if let stray = members.keys.filter({ !known.contains($0) }).min() {
            throw Fault(
                .unknownField, field: at(String(stray.prefix(64))), got: "this field",
                expected: known.joined(separator: " | "))
        }
        func name(_ member: String) throws(Fault) -> String? {
            let found = members[member] ?? .null
            if found == .null, !isRecorded, raw == nil || member != "id" { return nil }
            guard case .string(let text) = found else {
                throw Fault(
                    found == .null ? .missingField : .wrongType, field: at(member),
                    got: found == .null ? "nothing" : found.shown, expected: "a string")
            }
            guard Self.isName(text) else {
                throw Fault(
                    .invalidValue, field: at(member), got: "\(text.utf8.count) bytes",
                    expected: "1...\(Self.nameBytesMax) bytes without control characters")
            }
            return text
        }
        return ScoreTransaction(
            id: try name("id"), entity: try name("entity"),
            amount: try amount(members["amount"] ?? .null, at("amount"), isRecorded),
            row: raw == nil
                ? try row(members["features"] ?? .null, place: at("features")) : [],
            raw: raw)
    }

    /// Whether a text may name a transaction, an entity or a reviewer.
    static func isName(_ text: String) -> Bool {
        (1...nameBytesMax).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 }
    }

    private func amount(
        _ value: CanonicalJSON, _ place: String, _ isRecorded: Bool
    ) throws(Fault) -> Int64? {
        let expected = "a whole number of minor units in 0...\(Self.amountMax)"
        switch value {
        case .null:
            guard isRecorded else { return nil }
            throw Fault(.missingField, field: place, got: "nothing", expected: expected)
        case .integer(let amount) where (0...Self.amountMax).contains(amount): return amount
        case .integer, .number:
            throw Fault(.invalidValue, field: place, got: value.shown, expected: expected)
        default: throw Fault(.wrongType, field: place, got: value.shown, expected: expected)
        }
    }

    private func row(_ value: CanonicalJSON, place: String) throws(Fault) -> [Double] {
        guard case .object(let members) = value else {
            throw Fault(
                value == .null ? .missingField : .wrongType, field: place,
                got: value == .null ? "nothing" : value.shown,
                expected: "an object with the standard's \(features.count) features")
        }
        var row: [Double] = []
        row.reserveCapacity(features.count)
        for feature in features {
            guard let member = members[feature.name] else {
                throw Fault(
                    .missingField, field: "\(place).\(feature.name)", got: "nothing",
                    expected: Self.expectation(feature))
            }
            row.append(try number(member, feature, place: place))
        }
        if members.count != features.count,
            let stray = members.keys.filter({ !names.contains($0) }).min()
        {
            throw Fault(
                .unknownField, field: "\(place).\(stray.prefix(64))", got: "this field",
                expected: "features of the standard only")
        }
        return row
    }

    private func number(
        _ value: CanonicalJSON, _ feature: Feature, place: String
    ) throws(Fault) -> Double {
        let number: Double
        switch value {
        case .null:
            guard feature.missing != .refuse else {
                throw Fault(
                    .invalidValue, field: "\(place).\(feature.name)", got: "null",
                    expected: Self.expectation(feature))
            }
            return .nan
        case .integer(let whole): number = Double(whole)
        case .number(let real): number = real
        default:
            throw Fault(
                .wrongType, field: "\(place).\(feature.name)", got: value.shown,
                expected: Self.expectation(feature))
        }
        guard feature.accepts(number) else {
            throw Fault(
                .invalidValue, field: "\(place).\(feature.name)", got: value.shown,
                expected: Self.expectation(feature))
        }
        return number
    }

    private static func expectation(_ feature: Feature) -> String {
        feature.expectation + (feature.missing == .refuse ? "" : ", or null")
    }
}
