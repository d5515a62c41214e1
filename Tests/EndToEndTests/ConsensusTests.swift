import FedCore
import FedRuntime
import Foundation
import Testing

/// Models by the banks' vote, with real processes.
@Suite(.serialized) struct ConsensusTests {
    private static let banks = ["A", "B", "C", "D", "E"]

    /// Five banks whose rows can tell a good model, serving.
    private func consortium() async throws -> Consortium {
        let consortium = try await Consortium(enrolling: Self.banks, scale: "0.3")
        for bank in Self.banks { try await consortium.startNode(bank) }
        return consortium
    }

    private func train(_ consortium: Consortium, trees: Int) async throws {
        let result = try await consortium.train([
            "--algorithm", "gbdt", "--set", "treesMax=\(trees)",
        ])
        try #require(result.state == "succeeded", "\(result)")
    }

    private func standings(_ consortium: Consortium, _ bank: String) async throws -> [String] {
        let outcome = try await consortium.node(bank, ["models", "--json"])
        let lines = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [[String: Any]])
        return lines.map { "\($0["version"] ?? "") \($0["standing"] ?? "")" }
    }

    /// Waits until a bank's models stand so.
    private func wait(
        for expected: [String], at bank: String, of consortium: Consortium
    ) async throws {
        var seen: [String] = []
        for _ in 0..<100 {
            seen = try await standings(consortium, bank)
            if seen == expected { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("bank \(bank): \(seen), expected \(expected)")
    }

    private func activeModel(_ consortium: Consortium, _ bank: String) throws -> Data {
        try Data(
            contentsOf: URL(fileURLWithPath: consortium.state(of: bank) + "/active-model.json"))
    }

    @Test("Train, vote, publish, activate at all five; again; roll back; restart keeps it")
    func wholeLife() async throws {
        let consortium = try await consortium()
        try await train(consortium, trees: 10)
        let first = try await consortium.coordinate(["consensus", "propose", "--watch", "--json"])
        let status = try first.json()
        #expect(status["state"] as? String == "published", "\(first)")
        #expect(status["quorum"] as? Int == 4)
        #expect((status["votes"] as? [Any])?.count == 5)
        let sums = try #require(status["sums"] as? [String: Any], "\(first)")
        #expect(sums["banks"] as? Int == 5)
        let caught = try #require(sums["caught"] as? Int)
        let local = try #require(sums["caught_by_local"] as? Int)
        #expect(caught > 0 && caught >= local, "\(sums)")
        for bank in Self.banks {
            try await wait(for: ["1 champion"], at: bank, of: consortium)
            let ledger = try await consortium.node(bank, ["ledger"]).out
            #expect(ledger.contains("examination") || ledger.contains("update"), "\(ledger)")
            #expect(ledger.contains("vote"))
        }
        let before = try activeModel(consortium, "D")
        let service = try await consortium.startScoring(
            "D", model: ["--node", consortium.state(of: "D")])

        try await train(consortium, trees: 20)
        try await consortium.coordinate(["consensus", "propose", "--watch"])
        for bank in Self.banks {
            try await wait(for: ["2 champion", "1 former"], at: bank, of: consortium)
        }
        #expect(try activeModel(consortium, "D") != before)
        try await service.logs("scoring by new files")
        let back = try await consortium.node("D", ["rollback"])
        #expect(back.out == "version 1 is active again, version 2 is not\n")
        #expect(try activeModel(consortium, "D") == before)
        try await service.logs("scoring by new files", times: 2)
        service.terminate()
        #expect(try await service.outcome().code == 0)
        let again = try await consortium.tryNode("D", ["rollback"])
        #expect(again.code == 65 && again.err.contains("no model scored before"), "\(again)")

        #expect(try await consortium.stop().values.allSatisfy { $0 == 0 })
        try await consortium.startCoordinator()
        try await consortium.startNode("D")
        #expect(try await standings(consortium, "D") == ["2 candidate", "1 champion"])
        #expect(try activeModel(consortium, "D") == before)
        let log = try await consortium.node("D", ["models", "--log"]).out
        for word in ["voted", "admitted", "activated", "rolled-back", "not-rolled-back"] {
            #expect(log.contains(word), "\(log)")
        }
        let kept = try await consortium.coordinate(["consensus", "status", "--json"]).json()
        #expect(kept["version"] as? Int == 2 && kept["state"] as? String == "published")
    }

    @Test("A tampered bundle, and one with too few votes, are refused by a bank that was away")
    func badBundles() async throws {
        let consortium = try await consortium()
        try await train(consortium, trees: 10)
        try await consortium.coordinate(["consensus", "propose", "--watch"])
        #expect(try await consortium.stop().values.allSatisfy { $0 == 0 })
        let store = try CoordinatorStore(path: consortium.folder["coordinator/coordinator.sqlite"])
        let published = try #require(try store.proposals.published())
        let votes = try store.proposals.votes(on: published.version)

        // Bank A forgets what it has admitted, as if it had been away.
        func offer(_ bundle: [UInt8], expecting reason: String) async throws {
            var changed = published
            changed.bundle = bundle
            try store.proposals.save(changed)
            let folder = URL(fileURLWithPath: consortium.state(of: "A"))
            try NodeStore(path: folder.appendingPathComponent("node.sqlite").path)
                .removeFact("model-registry")
            try? FileManager.default.removeItem(
                at: folder.appendingPathComponent("active-model.json"))
            try await consortium.startCoordinator()
            let node = try await consortium.startNode("A")
            try await node.logs("reason=\(reason)")
            try await consortium.coordinator?.logs("reason=\(reason)")
            #expect(try await standings(consortium, "A") == ["1 candidate"])
            #expect(throws: (any Error).self) { try activeModel(consortium, "A") }
            _ = try await consortium.stop()
        }
        var flipped = published.bundle
        flipped[flipped.count - 1] ^= 1
        try await offer(flipped, expecting: "tampered-vote")
        // The first three votes only: a bundle is its candidate and a counted list of votes.
        let tail = votes.reduce(0) { $0 + 4 + $1.count }
        var few = Array(published.bundle.dropLast(tail + 4)) + [0, 0, 0, 3]
        for vote in votes.prefix(3) {
            few += [0, 0, UInt8(vote.count >> 8), UInt8(vote.count & 255)] + vote
        }
        try await offer(few, expecting: "quorum-missed")
        try await offer([1, 2, 3], expecting: "malformed")

        // The true one is taken.
        try store.proposals.save(published)
        try await consortium.startCoordinator()
        try await consortium.startNode("A")
        try await wait(for: ["1 champion"], at: "A", of: consortium)
    }
}
