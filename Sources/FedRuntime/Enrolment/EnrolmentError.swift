/// Why a bank was not enrolled.
///
/// Travels as text; details stay at the coordinator.
public enum EnrolmentError: Error, Equatable, Sendable {
    /// Why the coordinator refused.
    public enum Reason: String, CaseIterable, Sendable {
        /// No invitation has this token.
        case unknownToken = "unknown-token"
        /// The invitation is for another bank.
        case wrongBank = "wrong-bank"
        /// The invitation's time is over.
        case expired
        /// The invitation has been used with other keys.
        case alreadyUsed = "already-used"
        /// The certificate request is malformed or not signed by its own key.
        case badRequest = "bad-request"
        /// The identity key did not sign the enrolment.
        case badIdentityProof = "bad-identity-proof"
        /// The coordinator could not do its part.
        case unavailable
    }

    /// The coordinator refused.
    case refused(Reason)
    /// The coordinator could not be asked.
    case transport(TransportError)
    /// The reply or the invitation is unusable.
    case credentials(CredentialError)
}

extension EnrolmentError: ExplainedError {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .refused(let reason): reason.description
        case .transport(let error): error.description
        case .credentials(let error): error.description
        }
    }

    /// What to do about it; may be empty.
    public var hint: String {
        switch self {
        case .refused(let reason): reason.hint
        case .transport(let error): error.hint
        case .credentials(let error): error.hint
        }
    }
}

extension EnrolmentError.Reason: CustomStringConvertible {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .unknownToken: "the coordinator does not know this invitation"
        case .wrongBank: "the invitation is for another bank"
        case .expired: "the invitation has expired"
        case .alreadyUsed: "the invitation has already been used with other keys"
        case .badRequest: "the certificate request is invalid"
        case .badIdentityProof: "the identity key did not sign this enrolment"
        case .unavailable: "the coordinator could not enrol the bank"
        }
    }

    /// What to do about it; may be empty.
    public var hint: String {
        switch self {
        case .unknownToken, .expired, .wrongBank:
            "ask the coordinator's operator for a new invitation"
        case .alreadyUsed:
            "if that was not this bank, tell the operator at once: somebody else has the token"
        case .badRequest, .badIdentityProof: "enrol with the fed-node of the same release"
        case .unavailable: "see the coordinator's log"
        }
    }
}
