internal import FedCore

/// When an expert's rule holds: comparisons of features, and `all`, `any`, `not` of conditions.
///
/// A comparison with a missing value does not hold, whatever its relation; `is_missing` asks for
/// one. The model's probability may be compared as a feature of the name `probability`.
package indirect enum RuleCondition: Equatable, Sendable {
    /// How a feature is compared.
    package enum Relation: String, CaseIterable, Sendable {
        case below = "<"
        case atMost = "<="
        case above = ">"
        case atLeast = ">="
        case equal = "=="
        case unequal = "!="

        func holds(_ left: Double, _ right: Double) -> Bool {
            guard !left.isNaN else { return false }
            return switch self {
            case .below: left < right
            case .atMost: left <= right
            case .above: left > right
            case .atLeast: left >= right
            case .equal: left == right
            case .unequal: left != right
            }
        }
    }

    /// What a comparison reads.
    package enum Operand: Equatable, Sendable {
        /// The feature at this index of the standard.
        case feature(Int)
        /// The calibrated probability.
        case probability
    }

    case compare(Operand, Relation, Double)
    case isOneOf(Operand, [Double])
    case isMissing(Operand)
    case all([RuleCondition])
    case any([RuleCondition])
    case not(RuleCondition)

    /// The deepest nesting of a condition.
    package static let depthMax = 8
    /// The most conditions within one `all` or `any`, and values within `one_of`.
    package static let partsMax = 64
    /// The name that stands for the model's probability.
    package static let probabilityName = "probability"

    /// Whether it holds.
    ///
    /// - Parameter row: raw values in the order of the standard, NaN where missing.
    package func holds(probability: Double, row: [Double]) -> Bool {
        func value(_ operand: Operand) -> Double {
            switch operand {
            case .feature(let index): row[index]
            case .probability: probability
            }
        }
        switch self {
        case .compare(let operand, let relation, let number):
            return relation.holds(value(operand), number)
        case .isOneOf(let operand, let numbers): return numbers.contains(value(operand))
        case .isMissing(let operand): return value(operand).isNaN
        case .all(let parts):
            return parts.allSatisfy { $0.holds(probability: probability, row: row) }
        case .any(let parts):
            return parts.contains { $0.holds(probability: probability, row: row) }
        case .not(let part): return !part.holds(probability: probability, row: row)
        }
    }
}

extension RuleCondition {
    /// Member names of the document.
    package static let memberNames = [
        "feature", "relation", "value", "one_of", "is_missing", "all", "any", "not",
    ]

    /// Reads a condition; features must be those of the standard.
    init(
        _ json: CanonicalJSON, place: String, features: [String: Int], depth: Int = 0
    ) throws(DocumentError) {
        let members = try DocumentObject(json, place: place, allowed: Self.memberNames)
        guard depth < Self.depthMax else {
            throw .invalidValue(
                place: place, got: "more than \(Self.depthMax) levels",
                expected: "at most \(Self.depthMax)")
        }
        let shapes: [[String]] = [
            ["feature", "relation", "value"], ["feature", "one_of"], ["feature", "is_missing"],
            ["all"], ["any"], ["not"],
        ]
        let names = Set(members.members.keys)
        guard let shape = shapes.first(where: { Set($0) == names }) else {
            throw .invalidValue(
                place: place, got: "the members \(names.sorted().joined(separator: ", "))",
                expected: shapes.map { $0.joined(separator: " + ") }.joined(separator: " | "))
        }
        func parts(_ name: String) throws(DocumentError) -> [RuleCondition] {
            var parts: [RuleCondition] = []
            for (value, place) in try members.list(name, count: 1...Self.partsMax) {
                parts.append(
                    try RuleCondition(value, place: place, features: features, depth: depth + 1))
            }
            return parts
        }
        switch shape.last {
        case "value":
            self = .compare(
                try Self.operand(members, features), try members.word("relation"),
                try members.number("value"))
        case "one_of":
            var numbers: [Double] = []
            for (value, place) in try members.list("one_of", count: 1...Self.partsMax) {
                numbers.append(try DocumentObject.number(value, place: place))
            }
            self = .isOneOf(try Self.operand(members, features), numbers)
        case "is_missing":
            let missing = RuleCondition.isMissing(try Self.operand(members, features))
            self = try members.bool("is_missing") ? missing : .not(missing)
        case "all": self = .all(try parts("all"))
        case "any": self = .any(try parts("any"))
        default:
            self = .not(
                try RuleCondition(
                    try members.value("not"), place: members.place(of: "not"), features: features,
                    depth: depth + 1))
        }
    }

    private static func operand(
        _ members: DocumentObject, _ features: [String: Int]
    ) throws(DocumentError) -> Operand {
        let name = try members.string("feature", bytes: 1...63)
        if let index = features[name] { return .feature(index) }
        guard name == probabilityName else {
            throw .invalidValue(
                place: members.place(of: "feature"), got: "\"\(name)\"",
                expected: "a feature of the standard, or \(probabilityName)")
        }
        return .probability
    }
}
