internal import FoundationEssentials

/// The hyper-parameters of one training, each within its declared bounds.
public struct GradientBoostingConfiguration: Equatable, Sendable {
    /// One value a parameter, in the order of `BoostingParameter.allCases`.
    private var values: [Double]

    /// The defaults, with some of them replaced.
    ///
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)``.
    public init(_ replaced: [BoostingParameter: Double] = [:]) throws(LearningError) {
        values = BoostingParameter.allCases.map { replaced[$0] ?? $0.declaration.standard }
        for parameter in BoostingParameter.allCases { try check(parameter) }
    }

    /// The value of a parameter.
    public subscript(parameter: BoostingParameter) -> Double {
        values[Self.positions[parameter] ?? 0]
    }

    private static let positions = Dictionary(
        uniqueKeysWithValues: BoostingParameter.allCases.enumerated().map { ($1, $0) })

    private func check(_ parameter: BoostingParameter) throws(LearningError) {
        let value = self[parameter]
        let declaration = parameter.declaration
        let isWhole = value.rounded() == value
        guard declaration.bounds.contains(value), isWhole || !declaration.isInteger else {
            let kind = declaration.isInteger ? "whole number" : "number"
            let bounds = declaration.bounds
            throw .invalidConfiguration(
                field: parameter.rawValue, got: "\(value)",
                expected: "\(kind) from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
    }

    /// The canonical form: every parameter by name.
    public var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [:]
        for parameter in BoostingParameter.allCases {
            let value = self[parameter]
            members[parameter.rawValue] =
                parameter.declaration.isInteger ? .integer(Int64(value)) : .number(value)
        }
        return .object(members)
    }

    /// Reads what ``json`` writes: all parameters, no others, within bounds.
    ///
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)``.
    public init(jsonBytes: [UInt8]) throws(LearningError) {
        let read: [String: Double]
        do {
            read = try JSONDecoder().decode([String: Double].self, from: Data(jsonBytes))
        } catch {
            throw .invalidConfiguration(
                field: "configuration", got: "no object of numbers", expected: "JSON object")
        }
        try self.init(members: read)
    }

    /// Takes parameters by name: all of them, no others.
    package init(members: [String: Double]) throws(LearningError) {
        var replaced: [BoostingParameter: Double] = [:]
        for name in members.keys.sorted() {
            guard let parameter = BoostingParameter(rawValue: name) else {
                throw .invalidConfiguration(
                    field: "configuration", got: "an unknown parameter",
                    expected: "declared parameters only")
            }
            replaced[parameter] = members[name]
        }
        for parameter in BoostingParameter.allCases where replaced[parameter] == nil {
            throw .invalidConfiguration(
                field: parameter.rawValue, got: "nothing", expected: "a value")
        }
        try self.init(replaced)
    }
}

extension GradientBoostingConfiguration {
    var treesMax: Int { Int(self[.treesMax]) }
    var depthMax: Int { Int(self[.depthMax]) }
    var binsMax: Int { Int(self[.binsMax]) }
    var gridCells: Int { Int(self[.gridCells]) }
    var contributorsMin: Int64 { Int64(self[.contributorsMin]) }
    var childRowsMin: Int64 { Int64(self[.childRowsMin]) }
    var patience: Int { Int(self[.patience]) }
    var evaluationPeriod: Int { Int(self[.evaluationPeriod]) }
    var seed: UInt64 { UInt64(self[.seed]) }

    /// Whether children must have a number of banks or rows for certain.
    var hasChildFloors: Bool { contributorsMin > 1 || childRowsMin > 1 }

    /// Whether banks are counted in parts of a node's bins, beside its histogram.
    var countsContributors: Bool { contributorsMin > 1 }
}
