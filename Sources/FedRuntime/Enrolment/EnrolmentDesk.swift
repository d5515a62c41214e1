public import FedCore
internal import FedCrypto

/// The coordinator's decisions on invitations and enrolments.
public struct EnrolmentDesk: EnrolmentDelegate {
    private let authority: CertificateAuthority
    private let members: MemberStore
    private let coordinatorIdentityKey: [UInt8]
    private let verify: @Sendable ([UInt8], [UInt8], [UInt8]) -> Bool
    private let now: @Sendable () -> Int64

    /// Sets the desk up.
    ///
    /// - Parameters:
    ///   - coordinatorIdentityKey: handed to each new member.
    ///   - now: milliseconds since 1970.
    ///   - verify: whether `signature` is that of `statement` by `identityKey`.
    public init(
        authority: CertificateAuthority, members: MemberStore, coordinatorIdentityKey: [UInt8],
        now: @escaping @Sendable () -> Int64 = Timestamp.nowUnixMilliseconds,
        verify:
            @escaping @Sendable (
                _ signature: [UInt8], _ statement: [UInt8], _ identityKey: [UInt8]
            ) -> Bool
    ) {
        self.authority = authority
        self.members = members
        self.coordinatorIdentityKey = coordinatorIdentityKey
        self.verify = verify
        self.now = now
    }

    /// Makes an invitation; only its token's digest stays here.
    ///
    /// Inviting a member or a revoked bank again is how its keys are replaced.
    public func invite(
        _ bank: NodeID, coordinator: HostAddress, enrolment: HostAddress, validFor: Duration
    ) throws(StoreError) -> Invitation {
        let invitation = Invitation(
            coordinator: coordinator, enrolment: enrolment, authorityPEM: authority.certificatePEM,
            bank: bank, expiresUnixSeconds: now() / 1000 + validFor.components.seconds)
        try members.add(
            tokenDigest: Invitation.tokenDigest(invitation.token), bank: bank,
            expiresUnixSeconds: invitation.expiresUnixSeconds)
        return invitation
    }

    /// Decides a request to enrol.
    ///
    /// A repeated request with the same token and keys gets the same certificate again: the first
    /// reply may have been lost.
    public func enrol(
        _ request: EnrolmentRequest
    ) async throws(EnrolmentError) -> EnrolmentReply {
        let digest = Invitation.tokenDigest(request.token)
        guard
            let invitation = try stored({ () throws(StoreError) in
                try members.invitation(tokenDigest: digest)
            })
        else { throw .refused(.unknownToken) }
        guard invitation.bank == request.bank else { throw .refused(.wrongBank) }
        let isUnused = invitation.keysDigest.isEmpty
        guard !isUnused || now() / 1000 <= invitation.expiresUnixSeconds else {
            throw .refused(.expired)
        }
        let keysDigest = try keysDigest(of: request)
        guard verify(request.identityProof, request.statement, request.identityKey) else {
            throw .refused(.badIdentityProof)
        }
        let redeemed = isUnused ? try redeem(request, digest, keysDigest) : invitation
        guard let redeemed else { throw .refused(.unknownToken) }
        guard redeemed.keysDigest == keysDigest else { throw .refused(.alreadyUsed) }
        return EnrolmentReply(
            certificatePEM: redeemed.certificatePEM, authorityPEM: authority.certificatePEM,
            coordinatorIdentityKey: coordinatorIdentityKey)
    }

    private func redeem(
        _ request: EnrolmentRequest, _ digest: [UInt8], _ keysDigest: [UInt8]
    ) throws(EnrolmentError) -> InvitationRecord? {
        guard
            let bundle = try? authority.sign(
                requestDER: request.certificateRequestDER, bank: request.bank)
        else { throw .refused(.unavailable) }
        return try stored { () throws(StoreError) in
            try members.redeem(
                tokenDigest: digest, keysDigest: keysDigest, identityKey: request.identityKey,
                bundle: bundle, at: now())
        }
    }

    /// A request's keys, both of them: the signature of a repeated request differs, its keys not.
    private func keysDigest(of request: EnrolmentRequest) throws(EnrolmentError) -> [UInt8] {
        guard
            let publicKey = try? CertificateAuthority.publicKey(
                ofRequestDER: request.certificateRequestDER)
        else { throw .refused(.badRequest) }
        var writer = ByteWriter()
        writer.write(publicKey)
        writer.write(request.identityKey)
        return SHA256.hash(writer.bytes)
    }

    private func stored<Value>(
        _ body: () throws(StoreError) -> Value
    ) throws(EnrolmentError) -> Value {
        do {
            return try body()
        } catch {
            throw .refused(.unavailable)
        }
    }
}
