/// Why a training step cannot be done. Cases carry what was got and expected, never data values.
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
