public import FedCore

/// Why time could not be replayed.
public enum LoopError: Error, Equatable, Sendable {
    /// A member of the plan is out of bounds.
    case plan(field: String, got: String, expected: String)
    /// A bank's rows do not fit the stream.
    case stream(bank: String, reason: String)
    /// Raw rows could not be turned into features.
    case derivation(DerivationError, bank: String)
    /// A model could not be trained.
    case learning(LearningError)
}

extension LoopError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .plan(let field, let got, let expected): "\(field) is \(got), expected \(expected)"
        case .stream(let bank, let reason): "bank \(bank): \(reason)"
        case .derivation(let error, let bank): "bank \(bank): \(error)"
        case .learning(let error): error.description
        }
    }
}
