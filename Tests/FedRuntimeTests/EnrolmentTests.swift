import FedCore
import FedRuntime
import FedWire
import Synchronization
import Testing

@Suite struct EnrolmentTests {
    /// A coordinator's desk with a clock that the test moves, and signatures in plain sight.
    private struct World {
        let folder = try? TemporaryFolder()
        let authority: TestAuthority
        let store: CoordinatorStore
        let clock = Clock()
        let desk: EnrolmentDesk

        init() throws {
            authority = try TestAuthority()
            let folder = try #require(folder)
            store = try CoordinatorStore(in: folder.state())
            desk = EnrolmentDesk(
                authority: authority.authority, members: store.members,
                coordinatorIdentityKey: [9], now: { [clock] in clock.now },
                verify: { $0 == Self.sign($1, by: $2) })
        }

        static func sign(_ statement: [UInt8], by key: [UInt8]) -> [UInt8] {
            Array((key + statement).suffix(40))
        }

        func invite(_ bank: NodeID) throws -> Invitation {
            let address = HostAddress(host: "127.0.0.1", port: 1)
            return try desk.invite(
                bank, coordinator: address, enrolment: address, validFor: .seconds(60))
        }

        func request(
            _ invitation: Invitation, key: TLSKey, identityKey: [UInt8] = [1, 2]
        ) throws -> EnrolmentRequest {
            var request = EnrolmentRequest(
                bank: invitation.bank, token: invitation.token,
                certificateRequestDER: try key.certificateRequest(for: invitation.bank),
                identityKey: identityKey, identityProof: [])
            request.identityProof = Self.sign(request.statement, by: identityKey)
            return request
        }
    }

    private final class Clock: Sendable {
        private let value = Mutex<Int64>(1_700_000_000_000)
        var now: Int64 { value.withLock { $0 } }
        func advance(seconds: Int64) { value.withLock { $0 += seconds * 1000 } }
    }

    @Test("An invited bank becomes an active member")
    func enrols() async throws {
        let world = try World()
        let invitation = try world.invite(bankA)
        #expect(try world.store.members.member(bankA)?.state == .invited)
        let key = TLSKey.generate()
        let reply = try await world.desk.enrol(world.request(invitation, key: key))
        let credentials = try Credentials(
            key: key, certificatePEM: reply.certificatePEM, authorityPEM: reply.authorityPEM)
        try await credentials.check(expected: .bank(bankA))
        #expect(reply.coordinatorIdentityKey == [9])
        let member = try #require(try world.store.members.member(bankA))
        #expect(member.state == .active)
        #expect(member.identityKey == [1, 2])
        #expect(
            try world.store.members.admission(of: bankA, serial: credentials.serial) == nil)
        #expect(
            try world.store.members.admission(of: bankA, serial: "00") == .supersededCertificate)
        #expect(try world.store.members.admission(of: bankB, serial: "00") == .notAMember)
    }

    @Test("A repeated request with the same keys gets the same certificate, even after the expiry")
    func repeated() async throws {
        let world = try World()
        let invitation = try world.invite(bankA)
        let key = TLSKey.generate()
        let first = try await world.desk.enrol(world.request(invitation, key: key))
        world.clock.advance(seconds: 3600)
        let second = try await world.desk.enrol(world.request(invitation, key: key))
        #expect(first == second)
    }

    @Test("A second use of an invitation with other keys is refused")
    func otherKeys() async throws {
        let world = try World()
        let invitation = try world.invite(bankA)
        let key = TLSKey.generate()
        _ = try await world.desk.enrol(world.request(invitation, key: key))
        let otherKey = try world.request(invitation, key: TLSKey.generate())
        await #expect(throws: EnrolmentError.refused(.alreadyUsed)) {
            try await world.desk.enrol(otherKey)
        }
        let otherIdentity = try world.request(invitation, key: key, identityKey: [3])
        await #expect(throws: EnrolmentError.refused(.alreadyUsed)) {
            try await world.desk.enrol(otherIdentity)
        }
    }

    @Test("An expired invitation is refused")
    func expired() async throws {
        let world = try World()
        let request = try world.request(world.invite(bankA), key: TLSKey.generate())
        world.clock.advance(seconds: 61)
        await #expect(throws: EnrolmentError.refused(.expired)) {
            try await world.desk.enrol(request)
        }
    }

    @Test("A wrong token, another bank's token, a forged proof and a bad request are refused")
    func refusals() async throws {
        let world = try World()
        let good = try world.request(world.invite(bankA), key: TLSKey.generate())
        func expectRefusal(
            _ reason: EnrolmentError.Reason, _ change: (inout EnrolmentRequest) -> Void
        ) async {
            var changed = good
            change(&changed)
            let request = changed
            await #expect(throws: EnrolmentError.refused(reason)) {
                try await world.desk.enrol(request)
            }
        }
        await expectRefusal(.unknownToken) {
            $0.token = ($0.token.hasPrefix("x") ? "y" : "x") + $0.token.dropFirst()
        }
        await expectRefusal(.wrongBank) { $0.bank = bankB }
        await expectRefusal(.badIdentityProof) { $0.identityProof[0] ^= 1 }
        await expectRefusal(.badRequest) { $0.certificateRequestDER = [1, 2, 3] }
        #expect(try world.store.members.member(bankA)?.state == .invited)
        _ = try await world.desk.enrol(good)
    }

    @Test("A revoked bank's invitation dies with it, and a new one lets the bank in again")
    func revoked() async throws {
        let world = try World()
        let old = try world.invite(bankA)
        _ = try await world.desk.enrol(world.request(old, key: TLSKey.generate()))
        let unused = try world.invite(bankA)
        #expect(try world.store.members.revoke(bankA)?.state == .revoked)
        let request = try world.request(unused, key: TLSKey.generate())
        await #expect(throws: EnrolmentError.refused(.unknownToken)) {
            try await world.desk.enrol(request)
        }
        #expect(try world.store.members.admission(of: bankA, serial: "00") == .revoked)
        let fresh = try world.invite(bankA)
        _ = try await world.desk.enrol(world.request(fresh, key: TLSKey.generate()))
        #expect(try world.store.members.member(bankA)?.state == .active)
    }

    @Test("Enrolment over the network gives checked credentials, and refusals keep their reason")
    func overTheNetwork() async throws {
        let world = try World()
        try await withServer(world.authority.serverCredentials, enrolment: world.desk) { server in
            let enrolment = try #require(server.enrolmentAddress)
            let invitation = try world.desk.invite(
                bankA, coordinator: server.address, enrolment: enrolment, validFor: .seconds(60))
            let key = TLSKey.generate()
            let first = try await EnrolmentClient.enrol(invitation, key: key, identityKey: [5]) {
                World.sign($0, by: [5])
            }
            #expect(first.credentials.identity == .bank(bankA))
            #expect(first.coordinatorIdentityKey == [9])
            let second = try await EnrolmentClient.enrol(invitation, key: key, identityKey: [5]) {
                World.sign($0, by: [5])
            }
            #expect(second.credentials.serial == first.credentials.serial)
            await #expect(throws: EnrolmentError.refused(.alreadyUsed)) {
                try await EnrolmentClient.enrol(
                    invitation, key: TLSKey.generate(), identityKey: [5]
                ) { World.sign($0, by: [5]) }
            }
        }
    }

    @Test("An invitation file is read as it was written, and its description hides the token")
    func invitationFile() throws {
        let invitation = try World().invite(bankA)
        #expect(try Invitation(json: invitation.json) == invitation)
        #expect(!"\(invitation)".contains(invitation.token))
        #expect(throws: CredentialError.self) { try Invitation(json: Array("{}".utf8)) }
        #expect(throws: CredentialError.self) { try Invitation(json: []) }
    }
}
