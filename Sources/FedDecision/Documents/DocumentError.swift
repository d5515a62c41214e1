/// Why bytes are not one of this module's documents.
///
/// Places are written like `rules[3].when.value`; no case carries a data value of a bank's rows.
package enum DocumentError: Error, Equatable, Sendable {
    /// The document is larger than any of its format needs to be.
    case tooLarge(gotBytes: Int, bytesMax: Int)
    /// The bytes are not one JSON value in UTF-8, from this byte on.
    case notJSON(at: Int)
    /// The document says that it is of another format, or of a later version of this one.
    case unknownFormat(got: String, expected: String)
    /// A member that the format requires is absent.
    case missingMember(place: String)
    /// A member that the format does not have.
    case unknownMember(place: String)
    /// A member that stands twice in one object.
    case repeatedMember(name: String, at: Int)
    /// A value has another JSON type.
    case wrongType(place: String, expected: String)
    /// A value breaks a rule of the format.
    case invalidValue(place: String, got: String, expected: String)
    /// The bytes say something allowed, and not in the one canonical form.
    case notCanonical
}

extension DocumentError: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch self {
        case .tooLarge(let got, let most):
            "the document has \(got) bytes, expected at most \(most)"
        case .notJSON(let place): "not JSON at byte \(place)"
        case .unknownFormat(let got, let expected):
            "format: expected \"\(expected)\", got \"\(got)\""
        case .missingMember(let place): "\(place): missing"
        case .unknownMember(let place): "\(place): no such member in this format"
        case .repeatedMember(let name, let place):
            "member \"\(name)\" stands twice in one object, at byte \(place)"
        case .wrongType(let place, let expected): "\(place): expected \(expected)"
        case .invalidValue(let place, let got, let expected):
            "\(place): expected \(expected), got \(got)"
        case .notCanonical: "the bytes are not the canonical form of what they say"
        }
    }
}
