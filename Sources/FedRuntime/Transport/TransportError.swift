public import FedWire

/// Why the coordinator refuses a caller whose certificate TLS has accepted.
///
/// Travels as text.
public enum Refusal: String, Error, CaseIterable, Sendable {
    /// The bank or its certificate has been revoked.
    case revoked
    /// The certificate is genuine, but the bank is not a member (any more).
    case notAMember = "not-a-member"
    /// A newer certificate has replaced this one.
    case supersededCertificate = "superseded-certificate"
    /// The certificate is not for this service.
    case wrongRole = "wrong-role"
    /// The bank has opened a newer connection.
    case replaced
    /// The coordinator is stopping.
    case shuttingDown = "shutting-down"
    /// The coordinator cannot find out at present whether the bank is a member.
    case undecided
}

extension Refusal {
    /// Whether it may be another answer later, without anybody at this bank doing something.
    public var isTransient: Bool {
        switch self {
        case .shuttingDown, .undecided: true
        case .revoked, .notAMember, .supersededCertificate, .wrongRole, .replaced: false
        }
    }
}

/// Why there is no connection, or none any more.
public enum TransportError: Error, Equatable, Sendable {
    /// Nobody listens there, or the network does not lead there.
    case unreachable(address: HostAddress, reason: String)
    /// The connection was not made in time.
    case connectTimeout(address: HostAddress)
    /// The coordinator's certificate was not issued by the authority that we trust, or has expired:
    /// the TLS library does not say which.
    case coordinatorNotTrusted(address: HostAddress)
    /// The coordinator's certificate is for another host name.
    case nameMismatch(address: HostAddress)
    /// The coordinator does not accept our certificate.
    case certificateRefused(reason: String)
    /// Our own certificate files are unusable.
    case ownCredentials(CredentialError)
    /// The coordinator knows who we are and says no.
    case refused(Refusal)
    /// The peer fell silent or went away.
    case connectionLost(reason: String)
    /// The peer has ended the connection as it should be ended; a new one may be made.
    case closedByPeer
    /// This end has closed the channel.
    case closed
    /// The peer broke the framing of messages.
    case framing(FramingError)
    /// The port is taken by another process.
    case addressInUse(HostAddress)
    /// The address cannot be listened on.
    case cannotListen(HostAddress, reason: String)
    /// Not `host:port`.
    case malformedAddress(String)
}

extension TransportError: ExplainedError {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .unreachable(let address, let reason):
            "the coordinator is not reachable at \(address): \(reason)"
        case .connectTimeout(let address): "the coordinator at \(address) does not answer"
        case .coordinatorNotTrusted(let address):
            "the certificate of the coordinator at \(address) is not trusted: "
                + "another authority issued it, or it has expired"
        case .nameMismatch(let address):
            "the certificate of the coordinator is not for the host \(address.host)"
        case .certificateRefused(let reason):
            "the coordinator does not accept this certificate: \(reason)"
        case .ownCredentials(let error): error.description
        case .refused(let refusal): refusal.description
        case .connectionLost(let reason): "the connection is lost: \(reason)"
        case .closedByPeer: "the connection is lost: the peer has closed it"
        case .closed: "the connection is closed"
        case .framing(let error): "the peer does not keep to the protocol: \(error)"
        case .addressInUse(let address):
            "address already in use: \(address); another process listens there"
        case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
        case .malformedAddress(let text): "\"\(text)\" is not an address of the form host:port"
        }
    }

    /// What to do about it; may be empty.
    public var hint: String {
        switch self {
        case .unreachable, .connectTimeout:
            "check that fed-coordinator runs there and that the firewall lets this bank out"
        case .coordinatorNotTrusted:
            "check the address; after the coordinator was set up anew, enrol again"
        case .nameMismatch:
            "dial the name that the coordinator advertises, or have the operator add this one"
        case .certificateRefused:
            "ask the coordinator's operator for a new invitation and enrol again"
        case .ownCredentials(let error): error.hint
        case .refused(let refusal): refusal.hint
        case .connectionLost, .closedByPeer, .closed: ""
        case .framing: "run the same release at both ends"
        case .addressInUse(let address):
            "stop the other process or choose another port than \(address.port)"
        case .cannotListen: "check the address and the permission to use it"
        case .malformedAddress: "write for example 127.0.0.1:7443 or [::1]:7443"
        }
    }

    /// Whether trying again later can help without anybody doing something.
    public var isTransient: Bool {
        switch self {
        case .unreachable, .connectTimeout, .connectionLost, .closedByPeer, .closed: true
        case .refused(let refusal): refusal.isTransient
        case .coordinatorNotTrusted, .nameMismatch, .certificateRefused, .ownCredentials,
            .framing, .addressInUse, .cannotListen, .malformedAddress:
            false
        }
    }
}

extension Refusal: CustomStringConvertible {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .revoked: "the coordinator has revoked this bank's membership"
        case .notAMember: "the coordinator does not know this bank as a member"
        case .supersededCertificate: "a newer certificate of this bank is in use"
        case .wrongRole: "this certificate is not for this service"
        case .replaced: "a newer connection of the same bank has taken over"
        case .shuttingDown: "the coordinator is stopping"
        case .undecided: "the coordinator cannot read its list of members at present"
        }
    }

    /// What to do about it; may be empty.
    public var hint: String {
        switch self {
        case .revoked, .notAMember, .supersededCertificate:
            "ask the coordinator's operator for a new invitation and enrol again"
        case .wrongRole: "use the certificate of the right state folder"
        case .replaced: "make sure that only one fed-node runs for this bank"
        case .shuttingDown: ""
        case .undecided: "the coordinator's operator finds the reason in its log"
        }
    }
}
