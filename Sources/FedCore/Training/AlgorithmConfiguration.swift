internal import FoundationEssentials

/// Which algorithm a run uses, with its hyper-parameters.
public enum AlgorithmConfiguration: Equatable, Sendable {
    /// Logistic regression by Newton's method.
    case logistic(LogisticConfiguration)

    /// The names that command lines and manifests know.
    public static let names = ["logistic"]

    /// The algorithm's name.
    public var name: String {
        switch self {
        case .logistic: "logistic"
        }
    }

    /// The hyper-parameters as they stand in a manifest.
    public var canonical: CanonicalJSON {
        switch self {
        case .logistic(let configuration): configuration.canonicalJSON
        }
    }

    /// Reads hyper-parameters; those left out have their defaults.
    ///
    /// - Parameter configurationJSON: a JSON object, or nothing for all defaults.
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)``.
    public init(name: String, configurationJSON: [UInt8] = []) throws(LearningError) {
        let json = configurationJSON.isEmpty ? Array("{}".utf8) : configurationJSON
        let envelope = Array(#"{"configuration":"#.utf8) + json + Array("}".utf8)
        try self.init(name: name, manifestBytes: envelope)
    }

    /// Reads the member `configuration` of a manifest.
    init(name: String, manifestBytes: [UInt8]) throws(LearningError) {
        switch name {
        case "logistic":
            self = .logistic(try Self.configuration(in: manifestBytes))
        default:
            throw .invalidConfiguration(
                field: "algorithm", got: name, expected: Self.names.joined(separator: " or "))
        }
    }

    private struct Envelope<Value: Decodable>: Decodable { let configuration: Value }

    private static func configuration<Value: Decodable>(
        in bytes: [UInt8]
    ) throws(LearningError) -> Value {
        do {
            return try JSONDecoder().decode(Envelope<Value>.self, from: Data(bytes)).configuration
        } catch let error as LearningError {
            throw error
        } catch {
            throw .invalidConfiguration(
                field: "configuration", got: "something else",
                expected: "a JSON object of hyper-parameters and numbers")
        }
    }
}
