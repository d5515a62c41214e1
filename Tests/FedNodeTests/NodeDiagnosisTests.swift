import FedNode
import Testing

struct NodeDiagnosisTests {
    private static let now: Int64 = 1_800_000_000

    /// A node that lacks nothing.
    private static func healthy() -> NodeObservations {
        NodeObservations(
            folder: .init(path: "node-state", freeBytes: 10 << 30),
            enrolment: .works("bank A"),
            certificate: .init(
                validity: .works("valid"), name: "fed:bank:A", expectedName: "fed:bank:A",
                expiresUnixSeconds: now + 300 * 86_400),
            clock: .init(nowUnixSeconds: now, isSynchronised: true),
            host: "coordinator.example", names: .works("192.0.2.1"),
            connection: .works("accepted"),
            proposal: .init(charter: .works("5 banks"), standard: .works("the same")),
            documents: [
                .init(
                    kind: "feature standard", path: "standard.json", outcome: .works("17 features"))
            ])
    }

    private func finding(
        _ check: String, _ change: (inout NodeObservations) -> Void
    ) throws -> (NodeDiagnosis.Finding, isHealthy: Bool) {
        var seen = Self.healthy()
        change(&seen)
        let diagnosis = NodeDiagnosis(seen)
        return (
            try #require(diagnosis.findings.first { $0.check == check }), diagnosis.isHealthy
        )
    }

    @Test func `a node that lacks nothing has good lines only, without hints`() {
        let diagnosis = NodeDiagnosis(Self.healthy())
        #expect(diagnosis.isHealthy)
        #expect(
            diagnosis.findings.map(\.check) == [
                "state folder", "disk space", "enrolment", "certificate", "certificate name",
                "certificate expiry", "clock", "host name", "coordinator over TLS",
                "feature standard", "charter", "standard of the runs",
            ])
        #expect(diagnosis.findings.allSatisfy { $0.verdict == .good && $0.hint.isEmpty })
    }

    @Test func `a folder that cannot be written to is bad`() throws {
        let (line, isHealthy) = try finding("state folder") {
            $0.folder.writeFailure = "permission denied"
        }
        #expect(!isHealthy && line.verdict == .bad)
        #expect(line.detail == "node-state: permission denied")
        #expect(line.hint.contains("mode 0700"))
    }

    @Test(arguments: [
        (Int64(1) << 30, NodeDiagnosis.Verdict.good), ((1 << 30) - 1, .warning),
        (64 << 20, .warning), ((64 << 20) - 1, .bad), (0, .bad),
    ])
    func `free space is judged at its limits`(
        free: Int64, verdict: NodeDiagnosis.Verdict
    ) throws {
        let (line, isHealthy) = try finding("disk space") { $0.folder.freeBytes = free }
        #expect(line.verdict == verdict)
        #expect(isHealthy == (verdict != .bad))
        #expect(line.hint.isEmpty == (verdict == .good))
    }

    @Test(arguments: [
        (Int64(30 * 86_400), NodeDiagnosis.Verdict.good, "30 days left"),
        (30 * 86_400 - 1, .warning, "29 days left"), (1, .warning, "0 days left"),
        (0, .bad, "it has expired"), (-86_400, .bad, "it has expired"),
    ])
    func `a certificate's expiry is judged at its limits`(
        left: Int64, verdict: NodeDiagnosis.Verdict, detail: String
    ) throws {
        let (line, isHealthy) = try finding("certificate expiry") {
            $0.certificate?.expiresUnixSeconds = Self.now + left
        }
        #expect(line.verdict == verdict && line.detail == detail)
        #expect(isHealthy == (verdict != .bad))
        #expect(line.hint.contains("invitation") == (verdict != .good))
    }

    @Test(arguments: ["fed:bank:B", nil])
    func `a certificate of another name is bad and shows both names`(name: String?) throws {
        let (line, isHealthy) = try finding("certificate name") { $0.certificate?.name = name }
        #expect(!isHealthy && line.verdict == .bad)
        #expect(line.detail.contains("expected fed:bank:A"))
        #expect(line.detail.contains(name ?? "no name"))
        #expect(line.hint.contains("state folder"))
    }

    @Test func `a node that is not enrolled is told how, and its certificate is passed over`()
        throws
    {
        let (line, isHealthy) = try finding("enrolment") {
            $0.enrolment = .fails(reason: "node-state holds no enrolled node", hint: "")
            $0.certificate = nil
            $0.connection = .skipped(reason: "enrol first")
        }
        #expect(!isHealthy && line.verdict == .bad)
        #expect(line.hint == "enrol: fed-node enrol --state node-state --invitation FILE")
        let (certificate, _) = try finding("certificate") { $0.certificate = nil }
        #expect(certificate.verdict == .skipped)
    }

    @Test(arguments: [
        (60.0, NodeDiagnosis.Verdict.good, "60 s from the coordinator's, 60 s are tolerated"),
        (61, .warning, "61 s ahead of"),
        (-61, .warning, "61 s behind"), (1800, .warning, "1800 s ahead of"),
        (1801, .bad, "1801 s ahead of"), (-1801, .bad, "1801 s behind"),
    ])
    func `the clock is compared with the coordinator's`(
        difference: Double, verdict: NodeDiagnosis.Verdict, detail: String
    ) throws {
        let (line, isHealthy) = try finding("clock") { $0.clock.differenceSeconds = difference }
        #expect(line.verdict == verdict && line.detail.hasPrefix(detail))
        #expect(isHealthy == (verdict != .bad))
        #expect(line.hint.contains("time server") == (verdict != .good))
    }

    @Test func `a clock before the node's own records is bad`() throws {
        let (line, isHealthy) = try finding("clock") {
            $0.clock.newestRecordUnixSeconds = Self.now + 61
        }
        #expect(!isHealthy && line.verdict == .bad)
        #expect(line.detail == "61 s before the newest record of this node")
        let (grace, _) = try finding("clock") {
            $0.clock.newestRecordUnixSeconds = Self.now + 60
        }
        #expect(grace.verdict == .good)
    }

    @Test func `a clock that nothing keeps is a warning, one of unknown keeping is not`() throws {
        let (line, isHealthy) = try finding("clock") { $0.clock.isSynchronised = false }
        #expect(isHealthy && line.verdict == .warning && !line.hint.isEmpty)
        let (unknown, _) = try finding("clock") { $0.clock.isSynchronised = nil }
        #expect(unknown.verdict == .good && unknown.detail == "plausible")
    }

    @Test func `every failure has a hint, its own or the list's`() throws {
        let own = NodeObservations.Outcome.fails(reason: "no", hint: "do this")
        let mute = NodeObservations.Outcome.fails(reason: "no", hint: "")
        for outcome in [own, mute] {
            var seen = Self.healthy()
            seen.enrolment = outcome
            seen.certificate?.validity = outcome
            seen.names = outcome
            seen.connection = outcome
            seen.documents = [.init(kind: "standard", path: "standard.json", outcome: outcome)]
            seen.proposal = .init(charter: outcome, standard: outcome)
            let bad = NodeDiagnosis(seen).findings.filter { $0.verdict == .bad }
            #expect(bad.count == 7)
            #expect(bad.allSatisfy { !$0.hint.isEmpty })
            if outcome == own { #expect(bad.allSatisfy { $0.hint == "do this" }) }
        }
    }

    @Test func `a coordinator that was not asked leaves charter and standard open`() {
        var seen = Self.healthy()
        seen.proposal = nil
        let diagnosis = NodeDiagnosis(seen)
        #expect(diagnosis.isHealthy)
        #expect(
            diagnosis.findings.filter { $0.verdict == .skipped }.map(\.check)
                == ["charter", "standard of the runs"])
    }

    @Test func `a document's line names the file once`() throws {
        for reason in ["no such member", "standard.json: no such member"] {
            let (line, _) = try finding("feature standard") {
                $0.documents[0].outcome = .fails(reason: reason, hint: "")
            }
            #expect(line.detail == "standard.json: no such member")
        }
    }
}
