package import FedCore
internal import FedCrypto
package import FedRuntime
internal import FedWire

/// Makes invitations and turns them into members.
package struct Invitations: Sendable {
    private let state: CoordinatorState
    private let members: MemberStore

    /// Works on the state of one coordinator.
    package init(state: CoordinatorState, members: MemberStore) {
        self.state = state
        self.members = members
    }

    /// Makes an invitation; only the digest of its token is kept here.
    package func create(for bank: NodeID, validFor: Duration) throws -> Invitation {
        let seconds = Timestamp.nowUnixMilliseconds() / 1000 + validFor.components.seconds
        let invitation = Invitation(
            coordinator: state.advertised(try state.listenAddress),
            enrolment: state.advertised(try state.enrolmentAddress),
            authorityPEM: try state.authority().certificatePEM, bank: bank,
            expiresUnixSeconds: seconds)
        try members.add(
            tokenDigest: Invitation.tokenDigest(invitation.token), bank: bank,
            expiresUnixSeconds: seconds)
        return invitation
    }
}

extension Invitations: EnrolmentDelegate {
    package func enrol(
        _ request: EnrolmentRequest
    ) async throws(EnrolmentError) -> EnrolmentReply {
        let tokenDigest = Invitation.tokenDigest(request.token)
        guard
            let invitation = try available({ try members.invitation(tokenDigest: tokenDigest) })
        else { throw .refused(.unknownToken) }
        guard invitation.bank == request.bank else { throw .refused(.wrongBank) }
        guard
            VerifyingKey.isValid(
                signature: request.identityProof, message: request.statement,
                publicKey: request.identityKey)
        else { throw .refused(.badIdentityProof) }
        let tlsKey: [UInt8]
        do {
            tlsKey = try CertificateAuthority.publicKey(
                ofRequestDER: request.certificateRequestDER)
        } catch {
            throw .refused(.badRequest)
        }
        let keysDigest = SHA256.hash(SHA256.hash(tlsKey) + request.identityKey)
        if invitation.keysDigest.isEmpty {
            guard invitation.expiresUnixSeconds * 1000 >= Timestamp.nowUnixMilliseconds() else {
                throw .refused(.expired)
            }
        }
        // Used before with the same keys: the reply was lost, and is given once more.
        let redeemed = try available {
            try members.redeem(
                tokenDigest: tokenDigest, keysDigest: keysDigest,
                identityKey: request.identityKey,
                bundle: try state.authority().sign(
                    requestDER: request.certificateRequestDER, bank: request.bank),
                at: Timestamp.nowUnixMilliseconds())
        }
        guard let redeemed, redeemed.keysDigest == keysDigest else {
            throw .refused(.alreadyUsed)
        }
        return try available {
            EnrolmentReply(
                certificatePEM: redeemed.certificatePEM,
                authorityPEM: try state.authority().certificatePEM,
                coordinatorIdentityKey: try state.identity().publicKey)
        }
    }

    private func available<Value>(
        _ body: () throws -> Value
    ) throws(EnrolmentError) -> Value {
        do {
            return try body()
        } catch {
            throw .refused(.unavailable)
        }
    }
}
