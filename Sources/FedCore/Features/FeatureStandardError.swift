/// Why bytes are not a feature standard.
///
/// Places are written like `features[3].range.min`.
public enum FeatureStandardError: Error, Equatable, Sendable {
    /// The document is larger than any standard needs to be.
    case tooLarge(gotBytes: Int, bytesMax: Int)
    /// The bytes are not one JSON value in UTF-8.
    case notJSON(reason: String)
    /// The document says that it is of another format, or of a later version of this one.
    case unknownFormat(got: String, expected: String)
    /// A member that the format requires is absent.
    case missingMember(place: String)
    /// A member that the format does not have.
    case unknownMember(place: String)
    /// A member that stands twice in one object.
    case repeatedMember(name: String)
    /// A value has another JSON type.
    case wrongType(place: String, expected: String)
    /// A value breaks a rule of the format.
    case invalidValue(place: String, got: String, expected: String)
    /// Two columns have one name.
    case duplicateName(place: String, name: String)
}

extension FeatureStandardError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .tooLarge(let got, let most):
            "the document has \(got) bytes, expected at most \(most)"
        case .notJSON(let reason): "not JSON: \(reason)"
        case .unknownFormat(let got, let expected):
            "format: expected \"\(expected)\", got \"\(got)\""
        case .missingMember(let place): "\(place): missing"
        case .unknownMember(let place): "\(place): no such member in this format"
        case .repeatedMember(let name): "member \"\(name)\" stands twice in one object"
        case .wrongType(let place, let expected): "\(place): expected \(expected)"
        case .invalidValue(let place, let got, let expected):
            "\(place): expected \(expected), got \(got)"
        case .duplicateName(let place, let name): "\(place): the name \"\(name)\" is taken"
        }
    }
}
