/// Why a derivation document, a row or a saved state cannot be used.
///
/// Places are written like `features[3].value.of.window.far`; no case carries a raw value.
public enum DerivationError: Error, Equatable, Sendable {
    /// The bytes are not a document of the format; the places are those of this document.
    case document(FeatureStandardError)
    /// The document feeds another standard than the given one.
    case anotherStandard(got: String, expected: String)
    /// The features of the document are not those of the standard, or in another order.
    case anotherFeature(place: String, got: String, expected: String)
    /// A row has another number of values than the document has columns.
    case rowShape(gotNumbers: Int, expectedNumbers: Int, gotEntities: Int, expectedEntities: Int)
    /// A row or a label is older than what the state has seen.
    case timeGoesBack(got: Int64, latest: Int64)
    /// Rows that were given as of one time are not.
    case timesDiffer(first: Int64, other: Int64)
    /// A time is beyond ±2^52 seconds.
    case timeOutOfRange
    /// A value is infinite, or beyond the greatest magnitude that windows sum up exactly.
    case valueOutOfRange(column: String, magnitudeMax: Double)
    /// A column that refuses missing values has one.
    case missingValue(column: String)
    /// An unlabelled row has the number of another unlabelled row that is still in a window.
    case repeatedRow
    /// Bytes are not a saved state.
    case notAState(DecodingFailure)
    /// A table of an indicator cannot be used.
    case indicator(IndicatorError)
    /// A saved state belongs to another derivation.
    case stateOfAnotherDerivation
}

extension DerivationError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .document(let error): "derivation: \(error)"
        case .anotherStandard(let got, let expected):
            "the derivation feeds standard \(got), expected \(expected)"
        case .anotherFeature(let place, let got, let expected):
            "\(place): expected feature \(expected), got \(got)"
        case .rowShape(let numbers, let wantedNumbers, let entities, let wantedEntities):
            "a row has \(numbers) numbers and \(entities) entities, expected "
                + "\(wantedNumbers) and \(wantedEntities)"
        case .timeGoesBack(let got, let latest):
            "time \(got) after time \(latest): rows and labels come in the order of time"
        case .timesDiffer(let first, let other):
            "rows of one time have the times \(first) and \(other)"
        case .timeOutOfRange: "a time is beyond 2^52 seconds"
        case .valueOutOfRange(let column, let most):
            "column \(column): expected a number within \(CanonicalJSON.format(most))"
        case .missingValue(let column): "column \(column): a value is missing"
        case .repeatedRow: "two unlabelled rows in the windows have one row number"
        case .notAState: "the bytes are not a saved state of derivations"
        case .indicator(let error): "\(error)"
        case .stateOfAnotherDerivation: "the saved state belongs to another derivation"
        }
    }
}
