#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// Which numbers a feature may take, beside its range.
public enum FeatureType: Equatable, Sendable {
    /// Any finite number.
    case continuous
    /// A whole number.
    case integer
    /// 0 or 1.
    case binary
    /// One of the listed integer codes, ascending.
    case categorical(levels: [Int])

    /// The word in the document.
    public var name: String {
        switch self {
        case .continuous: "continuous"
        case .integer: "integer"
        case .binary: "binary"
        case .categorical: "categorical"
        }
    }
}

/// What an empty field of a data file means.
///
/// Values are in raw units, before the transform.
public enum MissingPolicy: Equatable, Sendable {
    /// An empty field is a violation.
    case refuse
    /// Every learner reads an empty field as this value.
    case impute(Double)
    /// Trees give missing values their own bin; the linear model reads them as `imputed`.
    case keep(imputed: Double)

    /// The word in the document.
    public var name: String {
        switch self {
        case .refuse: "refuse"
        case .impute: "impute"
        case .keep: "keep"
        }
    }

    /// The value that stands for a missing one, `nil` where missing values are refused.
    public var imputedValue: Double? {
        switch self {
        case .refuse: nil
        case .impute(let value), .keep(let value): value
        }
    }
}

/// The fixed function before any scaling, the same at every bank.
public enum FeatureTransform: String, CaseIterable, Equatable, Sendable {
    /// x
    case identity
    /// sign(x) · ln(1 + |x|): tames sums and amounts that span powers of ten, odd and strictly
    /// increasing.
    case signedLog = "signed_log"

    /// Applies the function; NaN stays NaN.
    public func callAsFunction(_ value: Double) -> Double {
        switch self {
        case .identity: value
        case .signedLog: copysign(log1p(abs(value)), value)
        }
    }
}

/// How carefully a column is to be handled inside a bank.
public enum SensitivityGrade: String, CaseIterable, Equatable, Sendable {
    /// Known outside of the bank, such as the hour of day.
    case `public`
    /// Of no use outside, not for publication.
    case `internal`
    /// Business secrets and figures derived from accounts.
    case confidential
    /// Data on a natural person.
    case personal
}

/// One agreed column.
public struct Feature: Equatable, Sendable {
    /// The column's name in the header of data files.
    public let name: String
    /// Which numbers it may take.
    public let type: FeatureType
    /// The unit of raw values, `1` for a pure number.
    public let unit: String
    /// The allowed raw values, ends included.
    ///
    /// An agreed bound, not a statistic of any bank.
    public let range: ClosedRange<Double>
    /// What an empty field means.
    public let missing: MissingPolicy
    /// The function that linear models and the grids of bins apply first.
    public let transform: FeatureTransform
    /// How carefully it is to be handled.
    public let sensitivity: SensitivityGrade
    /// What it means and how it is computed.
    public let description: String
    /// The same in Chinese, for reason codes; `nil` where the standard gives none.
    public let descriptionChinese: String?

    /// Wraps the members; ``FeatureStandard`` checks them.
    public init(
        name: String, type: FeatureType, unit: String, range: ClosedRange<Double>,
        missing: MissingPolicy = .refuse, transform: FeatureTransform,
        sensitivity: SensitivityGrade, description: String, descriptionChinese: String? = nil
    ) {
        self.name = name
        self.type = type
        self.unit = unit
        self.range = range
        self.missing = missing
        self.transform = transform
        self.sensitivity = sensitivity
        self.description = description
        self.descriptionChinese = descriptionChinese
    }

    /// The value that a linear model sees.
    ///
    /// - Parameter raw: a value as read from the file, NaN for a missing one.
    /// - Returns: the transform of `raw`, or of the imputed value where `raw` is NaN; NaN only
    ///   where missing values are refused.
    public func transformed(_ raw: Double) -> Double {
        transform(raw.isNaN ? missing.imputedValue ?? raw : raw)
    }

    /// The image of ``range``: every transformed value of a valid row lies in it.
    public var transformedRange: ClosedRange<Double> {
        transform(range.lowerBound)...transform(range.upperBound)
    }

    /// Whether a finite raw value is within the range and of the type.
    public func accepts(_ value: Double) -> Bool {
        guard range.contains(value) else { return false }
        switch type {
        case .continuous: return true
        case .integer, .binary: return value == value.rounded(.towardZero)
        case .categorical(let levels):
            return Int(exactly: value).map { levels.contains($0) } ?? false
        }
    }
}
