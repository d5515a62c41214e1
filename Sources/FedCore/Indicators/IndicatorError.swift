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
    /// The bank's key is not the one that the plan names.
    case anotherKey(indicator: String)
    /// The bank's derivation declares the indicator otherwise.
    case anotherDeclaration(indicator: String)
    /// The bank's rows end before the figures of a plan's last period are known.
    case rowsEndEarly(indicator: String, got: Int64, expected: Int64)
    /// A period was summed before, and not in the same way.
    case summedBefore(
        entity: String, from: Int64, until: Int64, difference: SummedPeriods.Difference)
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
        case .anotherKey(let indicator):
            "indicator \(indicator): this bank's key is not the one that the run names"
        case .anotherDeclaration(let indicator):
            "indicator \(indicator): this bank's derivation declares it otherwise, or not at all"
        case .rowsEndEarly(let indicator, let got, let expected):
            "indicator \(indicator): this bank's transactions end at second \(got), the periods "
                + "can be summed from second \(expected) on"
        case .summedBefore(let entity, let from, let until, let difference):
            "seconds \(from) to \(until) of \(entity) were summed before \(difference.rawValue)"
        case .invalidPlan(let field, let got, let expected):
            "indicator plan: \(field) is \(got), expected \(expected)"
        case .notATable(let reason): "not an indicator table: \(reason)"
        case .tableOfAnotherIndicator(let expected):
            "the table is not one of indicator \(expected) of this derivation"
        }
    }
}
