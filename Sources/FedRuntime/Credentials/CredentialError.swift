/// Why a certificate, a key or an invitation cannot be used.
public enum CredentialError: Error, Equatable, Sendable {
    /// A file that should hold a certificate or a key holds something else.
    case unreadable(path: String, expected: String)
    /// The certificate has expired, at a time in seconds since 1970.
    case expired(subject: String, notAfter: Int64)
    /// The certificate is not valid yet, from a time in seconds since 1970.
    case notYetValid(subject: String, notBefore: Int64)
    /// The certificate was not issued by the authority beside it.
    case foreignAuthority(subject: String)
    /// The private key does not belong to the certificate.
    case keyMismatch(subject: String)
    /// The certificate names another bank, or nobody.
    case wrongIdentity(got: String, expected: String)
    /// A certificate request cannot be parsed.
    case malformedRequest
    /// A certificate request is not signed by the key that it asks to certify.
    case requestSignatureInvalid
    /// The request's key is of a kind that is not certified here.
    case unsupportedKey(expected: String)
    /// The invitation file cannot be read.
    case malformedInvitation(reason: String)
    /// The library could not build the certificate.
    case issuingFailed(reason: String)
}

extension CredentialError: ExplainedError {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .unreadable(let path, let expected): "\(path) does not hold \(expected)"
        case .expired(let subject, let notAfter):
            "the certificate of \(subject) expired at \(Timestamp.text(unixSeconds: notAfter))"
        case .notYetValid(let subject, let notBefore):
            "the certificate of \(subject) is valid only from "
                + Timestamp.text(unixSeconds: notBefore)
        case .foreignAuthority(let subject):
            "the certificate of \(subject) was not issued by this consortium's authority"
        case .keyMismatch(let subject):
            "the private key does not belong to the certificate of \(subject)"
        case .wrongIdentity(let got, let expected):
            "the certificate is that of \(got), not of \(expected)"
        case .malformedRequest: "the certificate request is not PKCS #10"
        case .requestSignatureInvalid:
            "the certificate request is not signed by its own key"
        case .unsupportedKey(let expected): "the certificate request's key is not \(expected)"
        case .malformedInvitation(let reason): "the invitation cannot be read: \(reason)"
        case .issuingFailed(let reason): "the certificate could not be issued: \(reason)"
        }
    }

    /// What to do about it; may be empty.
    public var hint: String {
        switch self {
        case .unreadable: "restore the state folder from a backup, or enrol again"
        case .expired: "ask the coordinator's operator for a new invitation and enrol again"
        case .notYetValid: "check this machine's clock"
        case .foreignAuthority, .keyMismatch:
            "the state folder mixes files of two enrolments: enrol again into an empty one"
        case .wrongIdentity: "use the state folder that belongs to this bank"
        case .malformedRequest, .requestSignatureInvalid, .unsupportedKey:
            "enrol with the fed-node of the same release"
        case .malformedInvitation: "ask the coordinator's operator for a new invitation"
        case .issuingFailed: ""
        }
    }
}
