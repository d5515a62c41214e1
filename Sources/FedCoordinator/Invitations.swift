package import FedCore
internal import FedCrypto
package import FedRuntime

extension CoordinatorState {
    /// The desk that makes invitations and enrols banks.
    package func enrolmentDesk(members: MemberStore) throws -> EnrolmentDesk {
        EnrolmentDesk(
            authority: try authority(), members: members,
            coordinatorIdentityKey: try identity().publicKey
        ) { signature, statement, identityKey in
            VerifyingKey.isValid(
                signature: signature, message: statement, publicKey: identityKey)
        }
    }

    /// Makes an invitation to this coordinator; only the digest of its token is kept.
    package func invitation(
        for bank: NodeID, validFor: Duration, members: MemberStore
    ) throws -> Invitation {
        try enrolmentDesk(members: members).invite(
            bank, coordinator: advertised(try listenAddress),
            enrolment: advertised(try enrolmentAddress), validFor: validFor)
    }
}
