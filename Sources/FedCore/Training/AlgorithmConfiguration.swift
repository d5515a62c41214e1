internal import FoundationEssentials

/// What a run computes, with its hyper-parameters.
public enum AlgorithmConfiguration: Equatable, Sendable {
    /// Logistic regression by Newton's method.
    case logistic(LogisticConfiguration)
    /// Gradient boosted trees on histograms.
    case boosting(GradientBoostingConfiguration)
    /// The sums of a shared indicator; gives a table and no model.
    case indicators(IndicatorPlan)
    /// No training: counts of each bank are added up.
    case tally(TallyConfiguration)

    /// A hyper-parameter as help texts show it.
    public struct Setting: Equatable, Sendable {
        /// Its name on the command line and in the manifest.
        public let name: String
        /// The value when nothing is said.
        public let defaultValue: Double
        /// The values allowed, ends included.
        public let bounds: ClosedRange<Double>
        /// One sentence.
        public let description: String
    }

    private static let logisticName = "logistic"
    private static let boostingName = "gbdt"
    /// The name of runs that sum an indicator.
    public static let indicatorsName = "indicators"

    /// The names of the algorithms that train a model.
    public static let names = [logisticName, boostingName]

    /// The algorithm's name.
    public var name: String {
        switch self {
        case .logistic: Self.logisticName
        case .boosting: Self.boostingName
        case .indicators: Self.indicatorsName
        case .tally(let configuration): configuration.name
        }
    }

    /// The hyper-parameters of an algorithm; none for an unknown name.
    public static func settings(of name: String) -> [Setting] {
        switch name {
        case logisticName:
            LogisticConfiguration.fields.map {
                Setting(
                    name: $0.name, defaultValue: $0.defaultValue, bounds: $0.bounds,
                    description: $0.description)
            }
        case boostingName:
            BoostingParameter.allCases.map {
                Setting(
                    name: $0.rawValue, defaultValue: $0.declaration.standard,
                    bounds: $0.declaration.bounds, description: $0.declaration.summary)
            }
        default: TallyConfiguration.settings(of: name)
        }
    }

    /// The hyper-parameters as they stand in a manifest.
    public var canonical: CanonicalJSON {
        switch self {
        case .logistic(let configuration): configuration.canonicalJSON
        case .boosting(let configuration): configuration.json
        case .indicators(let plan): plan.canonical
        case .tally(let configuration): configuration.canonical
        }
    }

    /// Takes hyper-parameters by name; those left out have their defaults.
    ///
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)`` for an unknown
    ///   algorithm or name, or a value out of bounds.
    public init(name: String, settings: [String: Double] = [:]) throws(LearningError) {
        switch name {
        case Self.logisticName: self = .logistic(try LogisticConfiguration(settings))
        case Self.boostingName:
            var values: [BoostingParameter: Double] = [:]
            for (setting, value) in settings {
                guard let parameter = BoostingParameter(rawValue: setting) else {
                    throw .invalidConfiguration(
                        field: setting, got: "an unknown name",
                        expected: BoostingParameter.allCases.map(\.rawValue)
                            .joined(separator: ", "))
                }
                values[parameter] = value
            }
            self = .boosting(try GradientBoostingConfiguration(values))
        default:
            if let tally = try TallyConfiguration(name: name, settings: settings) {
                self = .tally(tally)
                return
            }
            throw .invalidConfiguration(
                field: "algorithm", got: name, expected: Self.names.joined(separator: " or "))
        }
    }

    /// Reads hyper-parameters from a JSON object; those left out have their defaults.
    ///
    /// For ``indicatorsName`` the object is ``IndicatorPlan/canonical``.
    public init(name: String, configurationJSON: [UInt8]) throws(LearningError) {
        guard name != Self.indicatorsName else {
            self = .indicators(
                try Self.decode(IndicatorPlanMembers.self, from: configurationJSON).plan)
            return
        }
        try self.init(
            name: name,
            settings: configurationJSON.isEmpty
                ? [:] : try Self.decode([String: Double].self, from: configurationJSON))
    }

    /// Reads the member `configuration` of a manifest.
    init(name: String, manifestBytes: [UInt8]) throws(LearningError) {
        struct Envelope<Configuration: Decodable>: Decodable { let configuration: Configuration }
        guard name != Self.indicatorsName else {
            self = .indicators(
                try Self.decode(Envelope<IndicatorPlanMembers>.self, from: manifestBytes)
                    .configuration.plan)
            return
        }
        try self.init(
            name: name,
            settings: try Self.decode(Envelope<[String: Double]>.self, from: manifestBytes)
                .configuration)
    }

    private static func decode<Value: Decodable>(
        _: Value.Type, from bytes: [UInt8]
    ) throws(LearningError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch let error as IndicatorError {
            throw .invalidConfiguration(
                field: "configuration", got: error.description, expected: "a sound plan")
        } catch let error as FeatureStandardError {
            throw .invalidConfiguration(
                field: "configuration", got: error.description, expected: "a sound plan")
        } catch {
            throw .invalidConfiguration(
                field: "configuration", got: "something else",
                expected: "a JSON object of hyper-parameters and numbers")
        }
    }
}
