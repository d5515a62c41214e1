/// Why a training step cannot be done.
///
/// Cases carry what was got and expected, never data values.
public enum LearningError: Error, Equatable, Sendable {
    /// A vector has another number of lanes than its layout.
    case laneCount(got: Int, expected: Int)
    /// A lane is so large that the sum over all banks could leave the ring.
    case laneOutOfRange(lane: Int, laneMagnitudeMax: Int64)
    /// A query does not fit the manifest or came out of order.
    case unexpectedQuery(kind: String, reason: String)
    /// The rows cannot be trained on, such as labels of one class only.
    case unusableData(reason: String)
    /// A configuration value is out of bounds.
    case invalidConfiguration(field: String, got: String, expected: String)
    /// The sums contradict each other, or the optimisation failed.
    case numericalFailure(reason: String)
    /// A model file cannot be read.
    case invalidModel(reason: String)
}

extension LearningError: CustomStringConvertible {
    /// The words for a person.
    public var description: String {
        switch self {
        case .laneCount(let got, let expected): "\(got) lanes, expected \(expected)"
        case .laneOutOfRange(let lane, let maximum):
            "lane \(lane) is beyond ±\(maximum), the sum over all banks could overflow"
        case .unexpectedQuery(let kind, let reason): "query \(kind): \(reason)"
        case .unusableData(let reason): "unusable data: \(reason)"
        case .invalidConfiguration(let field, let got, let expected):
            "\(field) is \(got), expected \(expected)"
        case .numericalFailure(let reason): "numerical failure: \(reason)"
        case .invalidModel(let reason): "invalid model: \(reason)"
        }
    }
}
