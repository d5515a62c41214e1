import FedCore
import FedRuntime
import Testing

/// What coordinator and nodes remember of votes on models.
@Suite struct ModelStoreTests {
    private let run = StubOperator.run

    @Test("The coordinator keeps a bank's first vote on a candidate, and the newest proposal")
    func proposals() throws {
        let folder = try TemporaryFolder()
        let state = try folder.state()
        var record = ProposalRecord(version: 1, run: run, candidate: [1], modelSHA256: "ab")
        do {
            let store = try CoordinatorStore(in: state).proposals
            #expect(try store.newest() == nil)
            try store.setHead([7], of: run)
            try store.save(record)
            #expect(try store.addVote([1], of: bankA, on: 1))
            #expect(try !store.addVote([2], of: bankA, on: 1))
            #expect(try store.addVote([3], of: bankA, on: 2))
            #expect(try store.published() == nil)
            record.state = .published
            record.bundle = [9]
            record.examination = run
            try store.save(record)
            try store.save(
                ProposalRecord(version: 2, run: run, candidate: [2], modelSHA256: "cd"))
            for standing in ["challenger", "champion"] {
                try store.save(
                    ActivationRecord(bank: bankA, standing: standing, reason: ""), of: 1)
            }
        }
        let store = try CoordinatorStore(in: state).proposals
        #expect(try store.head(of: run) == [7])
        #expect(try store.votes(on: 1) == [[1]])
        #expect(try store.newest()?.version == 2)
        #expect(try store.published() == record)
        #expect(try store.activations(of: 1).map(\.standing) == ["champion"])
        #expect(try store.activations(of: 2).isEmpty)
    }

    @Test("A node keeps its first examination of a version; changes are one with their log")
    func candidates() throws {
        let folder = try TemporaryFolder()
        let state = try folder.state()
        let record = CandidateRecord(
            version: 3, candidate: [1], model: [2], bankModel: [3], lanes: [4, -5, 1 << 60],
            vote: [6], examinedUnixMilliseconds: 7)
        do {
            let store = try NodeStore(in: state).models
            try store.save(record, log: Self.line("voted"))
            var other = record
            other.candidate = [9]
            try store.save(other, log: Self.line("voted again"))
            let value = try store.change { registry in
                NodeModelStore.Change(
                    registry: (registry ?? []) + [5], bundle: (3, [8]),
                    log: [Self.line("admitted")],
                    value: 42)
            }
            #expect(value == 42)
            #expect(throws: StoreError.self) {
                try store.change { _ -> NodeModelStore.Change<Int> in throw Broken() }
            }
        }
        let store = try NodeStore(in: state).models
        var expected = record
        expected.bundle = [8]
        #expect(try store.candidate(3) == expected)
        #expect(try store.candidate(4) == nil)
        #expect(try store.candidates() == [expected])
        #expect(try store.registry() == [5])
        #expect(try store.log() == ["voted", "voted again", "admitted"].map(Self.line))
    }

    private static func line(_ event: String) -> ModelLogLine {
        ModelLogLine(unixMilliseconds: 8, version: 3, event: event, reason: "why")
    }

    private struct Broken: Error {}
}
