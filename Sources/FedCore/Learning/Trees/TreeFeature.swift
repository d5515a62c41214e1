/// A feature as the trees see it: raw values, no transform.
public struct TreeFeature: Equatable, Sendable {
    /// What values mean.
    public enum Kind: Equatable, Sendable {
        /// Any number.
        case continuous
        /// Whole numbers.
        case integer
        /// 0 or 1.
        case binary
        /// Level numbers 0 ..< levels without an order.
        case categorical(levels: Int)
    }

    /// The name in the feature standard.
    public let name: String
    /// What values mean.
    public let kind: Kind
    /// The public range; values beyond it count as its ends when bins are chosen.
    public let range: ClosedRange<Double>
    /// Whether a row may lack this feature (NaN).
    public let allowsMissing: Bool

    /// Wraps a feature.
    ///
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)`` for an empty or
    ///   infinite range, or a number of levels outside 1...65535.
    public init(
        name: String, kind: Kind, range: ClosedRange<Double>, allowsMissing: Bool
    ) throws(LearningError) {
        guard range.lowerBound.isFinite, range.upperBound.isFinite,
            range.lowerBound < range.upperBound, max(-range.lowerBound, range.upperBound) < 1e300
        else {
            throw .invalidConfiguration(
                field: "features", got: "an empty or infinite range",
                expected: "two finite ends, the lower below the upper")
        }
        if case .categorical(let levels) = kind, !(1...65535).contains(levels) {
            throw .invalidConfiguration(
                field: "features", got: "\(levels) levels", expected: "1 to 65535 levels")
        }
        self.name = name
        self.kind = kind
        self.range = range
        self.allowsMissing = allowsMissing
    }
}

/// The features of a joint training and the digest of the standard that they come from.
public struct TreeSchema: Equatable, Sendable {
    /// The features, in the order of `Dataset.columns`.
    public let features: [TreeFeature]
    /// SHA-256 of the feature standard, 32 bytes.
    public let standardHash: [UInt8]

    /// Wraps features.
    ///
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)`` unless there are 1 to
    ///   4096 features of different names and 32 hash bytes.
    public init(features: [TreeFeature], standardHash: [UInt8]) throws(LearningError) {
        guard (1...4096).contains(features.count) else {
            throw .invalidConfiguration(
                field: "features", got: "\(features.count) features", expected: "1 to 4096")
        }
        guard Set(features.map(\.name)).count == features.count else {
            throw .invalidConfiguration(
                field: "features", got: "a repeated name", expected: "distinct names")
        }
        guard standardHash.count == 32 else {
            throw .invalidConfiguration(
                field: "standardHash", got: "\(standardHash.count) bytes", expected: "32 bytes")
        }
        self.features = features
        self.standardHash = standardHash
    }

    /// Checks that a bank's rows have these features.
    func check(_ dataset: Dataset) throws(LearningError) {
        guard dataset.columns.count == features.count else {
            throw .unusableData(
                reason: "\(dataset.columns.count) columns, expected \(features.count)")
        }
        guard dataset.labels.allSatisfy({ $0 <= 1 }) else {
            throw .unusableData(reason: "a label is neither 0 nor 1")
        }
        guard dataset.rowCount < 1 << 31 else {
            throw .unusableData(reason: "\(dataset.rowCount) rows, expected less than 2^31")
        }
    }
}
