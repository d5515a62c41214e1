/// Why indicators cannot be counted, summed or read.
///
/// No case carries an entity or a figure.
public enum IndicatorError: Error, Equatable, Sendable {
    /// A derivation has no indicator of this name or position.
    case unknownIndicator(String)
    /// A sketch needs the key that the banks share.
    case keyMissing(indicator: String)
    /// The shared key has another size than ``IndicatorSecrets/keyByteCount``.
    case keySize(got: Int, expected: Int)
    /// An index by dictionary needs the list.
    case dictionaryMissing(indicator: String)
    /// The list is not the one that was agreed, or not sorted.
    case anotherDictionary(indicator: String)
    /// A plan is out of bounds.
    case invalidPlan(field: String, got: String, expected: String)
    /// Bytes are not a table of the format.
    case notATable(reason: String)
    /// A table belongs to another derivation or has other measures or cells.
    case tableOfAnotherIndicator(expected: String)
}

extension IndicatorError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .unknownIndicator(let name):
            "the derivation has no indicator \(name.prefix(40))"
        case .keyMissing(let indicator):
            "indicator \(indicator): the key that the banks share is missing"
        case .keySize(let got, let expected):
            "the indicator key has \(got) bytes, expected \(expected)"
        case .dictionaryMissing(let indicator):
            "indicator \(indicator): the list of identifiers is missing"
        case .anotherDictionary(let indicator):
            "indicator \(indicator): the list of identifiers is not the agreed one"
        case .invalidPlan(let field, let got, let expected):
            "indicator plan: \(field) is \(got), expected \(expected)"
        case .notATable(let reason): "not an indicator table: \(reason)"
        case .tableOfAnotherIndicator(let expected):
            "the table is not one of indicator \(expected) of this derivation"
        }
    }
}
