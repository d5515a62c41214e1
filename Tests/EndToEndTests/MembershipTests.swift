import FedCoordinator
import FedCore
import FedRuntime
import Foundation
import GRDB
import Logging
import Testing

/// Who may take part, and what strangers hear.
@Suite(.serialized) struct MembershipTests {
    @Test("A revoked bank is shut out at once and stays out")
    func revoked() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        #expect(
            try await consortium.coordinate(["revoke", "--bank", "B"]).out == "bank B: revoked\n")
        let node = try #require(consortium.nodes["B"])
        let outcome = try await node.outcome(within: .seconds(30))
        #expect(outcome.code == 76)
        let words =
            "error: the coordinator has revoked this bank's membership\n"
            + "hint: ask the coordinator's operator for a new invitation and enrol again"
        #expect(outcome.err.contains(words), "\(outcome)")
        let again = try await run("fed-node", consortium.serving("B"), in: consortium.folder)
        #expect(again.code == 76 && again.err.contains(words), "\(again)")
        let members = try await consortium.coordinate(["members"])
        #expect(members.out.contains("revoked"))
    }

    @Test("A bank that cannot be looked up is asked to come back, not sent away for good")
    func unreadableMembers() async throws {
        let folder = try TemporaryFolder()
        let made = try await run(
            "fed-coordinator", ["init", "--state", folder["coordinator"]], in: folder)
        #expect(made.code == 0, "\(made)")
        let state = try CoordinatorState(in: try StateDirectory(folder["coordinator"]))
        let service = try CoordinatorService(state: state, logger: Logger(label: "test"))
        let database = try DatabaseQueue(path: folder["coordinator/coordinator.sqlite"])
        let bank = try #require(NodeID("A"))
        #expect(await service.admission(of: bank, serial: "00") == .notAMember)
        try await database.write { try $0.execute(sql: "ALTER TABLE member RENAME TO away") }
        #expect(await service.admission(of: bank, serial: "00") == .undecided)
        try await database.write { try $0.execute(sql: "ALTER TABLE away RENAME TO member") }
        #expect(await service.admission(of: bank, serial: "00") == .notAMember)
    }

    @Test("Invitations and enrolment wait for a coordinator that is just being started")
    func startedAMomentAgo() async throws {
        let folder = try TemporaryFolder()
        let (port, enrolment) = (try FreePorts.next(), try FreePorts.next())
        let state = ["--state", folder["coordinator"]]
        let made = try await run(
            "fed-coordinator",
            [
                "init", "--listen", "127.0.0.1:\(port)", "--enrolment", "127.0.0.1:\(enrolment)",
            ] + state, in: folder)
        #expect(made.code == 0, "\(made)")
        let coordinator = try Running("fed-coordinator", ["serve"] + state, in: folder)
        defer { coordinator.kill() }
        for bank in ["A", "B"] {
            let invitation = folder["\(bank).invitation.json"]
            let invited = try await run(
                "fed-coordinator", ["invite", "--bank", bank, "--out", invitation] + state,
                in: folder)
            #expect(invited.code == 0, "\(invited)")
            let enrolled = try await run(
                "fed-node", ["enrol", "--invitation", invitation, "--state", folder[bank]],
                in: folder)
            #expect(enrolled.code == 0, "\(enrolled)")
        }
        let members = try await run("fed-coordinator", ["members"] + state, in: folder)
        #expect(members.code == 0 && members.out.contains("active"), "\(members)")
    }

    @Test("An invitation works once: another node with it is refused")
    func invitationTwice() async throws {
        let consortium = try await Consortium(enrolling: ["A"])
        let outcome = try await consortium.tryNode(
            "thief", ["enrol", "--invitation", consortium.folder["A.invitation.json"]])
        #expect(outcome.code != 0)
        #expect(
            outcome.err.contains("error: the invitation has already been used with other keys\n"),
            "\(outcome)")
        let repeated = try await consortium.tryNode(
            "A", ["enrol", "--invitation", consortium.folder["A.invitation.json"]])
        #expect(repeated.code != 0)
        #expect(repeated.err.contains("holds an enrolled node already"), "\(repeated)")
    }

    @Test("A certificate of another authority: the node does not trust the coordinator and says so")
    func foreignCertificate() async throws {
        let consortium = try await Consortium(enrolling: ["A"])
        let authority = try CertificateAuthority.create(
            in: try StateDirectory(consortium.folder["foreign"]))
        try install(authority, at: "A", of: consortium, validity: .seconds(3600))
        let outcome = try await run("fed-node", consortium.serving("A"), in: consortium.folder)
        #expect(outcome.code == 76)
        #expect(
            outcome.err.contains(
                "error: the certificate of the coordinator at 127.0.0.1:\(consortium.port) is not "
                    + "trusted: another authority issued it, or it has expired"), "\(outcome)")
    }

    @Test("An expired certificate is named before the node connects, with exit code 77")
    func expiredCertificate() async throws {
        let consortium = try await Consortium(enrolling: ["A"])
        let authority = try CertificateAuthority(
            in: try StateDirectory(reading: consortium.folder["coordinator"]))
        try install(authority, at: "A", of: consortium, validity: .seconds(-60))
        let outcome = try await run("fed-node", consortium.serving("A"), in: consortium.folder)
        #expect(outcome.code == 77)
        #expect(outcome.err.contains("error: the certificate of bank A expired"), "\(outcome)")
    }

    private func install(
        _ authority: CertificateAuthority, at name: String, of consortium: Consortium,
        validity: Duration
    ) throws {
        let bank = try #require(NodeID(name))
        let key = TLSKey.generate()
        let bundle = try authority.sign(
            requestDER: key.certificateRequest(for: bank), bank: bank, validity: validity)
        try Credentials(
            key: key, certificatePEM: bundle.certificatePEM, authorityPEM: bundle.authorityPEM
        ).write(to: try StateDirectory(reading: consortium.state(of: name)))
    }

    @Test("A state folder serves one process; the second is told which has it")
    func stateInUse() async throws {
        let consortium = try await Consortium(enrolling: ["A"])
        try await consortium.startNode("A")
        let outcome = try await run("fed-node", consortium.serving("A"), in: consortium.folder)
        #expect(outcome.code == 75)
        #expect(outcome.err.contains("is in use by another process (process "), "\(outcome)")
    }
}
