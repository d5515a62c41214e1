/// What a linear model needs to know of the feature standard: the columns in order, and how a raw
/// value becomes an input.
public struct LinearFeatureSpace: Equatable, Sendable {
    /// A fixed, public function of a raw value.
    public enum Transform: String, Equatable, Sendable {
        /// The value itself.
        case identity
        /// sign(x)·log(1 + |x|).
        case signedLog
    }

    /// The columns' names.
    public let names: [String]
    /// One a column.
    public let transforms: [Transform]
    /// What stands for a missing value, in raw units; one a column.
    public let imputedValues: [Double]
    /// The range of the transformed values, which are held to it; one a column.
    public let transformedRanges: [ClosedRange<Double>]
    /// SHA-256 of the feature standard, 32 bytes.
    public let standardHash: [UInt8]

    /// The most features.
    public static let featureCountMax = 2048

    /// Checks and wraps columns.
    ///
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)`` for unequal counts, no
    ///   or too many columns, values that are not finite, a hash of another length.
    public init(
        names: [String], transforms: [Transform], imputedValues: [Double],
        transformedRanges: [ClosedRange<Double>], standardHash: [UInt8]
    ) throws(LearningError) {
        func refuse(_ field: String, _ got: String, _ expected: String) -> LearningError {
            .invalidConfiguration(field: field, got: got, expected: expected)
        }
        let count = names.count
        guard (1...Self.featureCountMax).contains(count) else {
            throw refuse("features", "\(count)", "1 to \(Self.featureCountMax)")
        }
        for (field, got) in [
            ("transforms", transforms.count), ("imputedValues", imputedValues.count),
            ("transformedRanges", transformedRanges.count),
        ] where got != count {
            throw refuse(field, "\(got)", "\(count)")
        }
        for index in 0..<count {
            let range = transformedRanges[index]
            guard imputedValues[index].isFinite else {
                throw refuse("imputedValues", "not finite at \(index)", "finite")
            }
            guard range.lowerBound.isFinite, range.upperBound.isFinite else {
                throw refuse("transformedRanges", "not finite at \(index)", "finite")
            }
        }
        guard standardHash.count == 32 else {
            throw refuse("standardHash", "\(standardHash.count) bytes", "32 bytes")
        }
        self.names = names
        self.transforms = transforms
        self.imputedValues = imputedValues
        self.transformedRanges = transformedRanges
        self.standardHash = standardHash
    }

    /// Columns.
    public var count: Int { names.count }
}
