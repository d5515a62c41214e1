import Foundation
import Testing

/// The way that the manual shows: every command an operator or a bank gives, one after the other.
@Suite(.serialized) struct ByHandTests {
    @Test(
        "Three banks enrol, train and end up with one model, and everything ends with exit code 0",
        arguments: [["logistic"], ["gbdt", "--set", "treesMax=3"]])
    func byHand(algorithm: [String]) async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        let result = try await consortium.train(["--algorithm"] + algorithm)
        #expect(result.state == "succeeded")
        #expect(result.reason.isEmpty)
        #expect(result.model.count == 64)

        let status = try await consortium.coordinate(["run", "status", result.run, "--json"])
        #expect(try status.json()["model_sha256"] as? String == result.model)
        #expect(try status.json()["algorithm"] as? String == algorithm[0])
        let list = try await consortium.coordinate(["run", "status"])
        #expect(list.out.contains(result.run) && list.out.contains(result.model))

        try await consortium.coordinate(["model", result.model, "--out", "joint.json"])
        let joint = try consortium.folder.read("joint.json")
        for bank in Consortium.banks {
            let runs = try await consortium.node(bank, ["runs"])
            #expect(runs.out.contains(result.run) && runs.out.contains(result.model))
            let written = try await consortium.node(
                bank, ["model", "--out", "model-\(bank).json"])
            #expect(written.out.contains(result.model))
            #expect(try consortium.folder.read("model-\(bank).json") == joint)
            try await checkLedger(of: bank, in: consortium, result: result)
        }
        for bank in Consortium.banks {
            let evaluation = try await consortium.fed([
                "evaluate", "--json", "--standard", Consortium.standard, "--model", "joint.json",
                "--bank", bank, "--fit", consortium.data(bank, "fit"),
                "--valid", consortium.data(bank, "valid"),
                "--test", consortium.data(bank, "test"),
            ])
            #expect(try evaluation.json()["model_sha256"] as? String == result.model)
        }
        let codes = try await consortium.stop()
        #expect(codes == ["A": 0, "B": 0, "C": 0, "coordinator": 0])
    }

    @Test("A log gets the first line of progress, one a pause, and the end")
    func progressInALog() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        func lines(pause: String) async throws -> [Substring] {
            let outcome = try await consortium.coordinate(
                consortium.runCommand([
                    "--algorithm", "gbdt", "--set", "treesMax=40", "--progress-seconds", pause,
                ]))
            return outcome.err.split(separator: "\n").filter { $0.contains(" s · ") }
        }
        let few = try await lines(pause: "3600")
        #expect(few.count == 2 && few.last?.contains("succeeded") == true, "\(few)")
        let many = try await lines(pause: "0")
        #expect(many.count > 2 && many.last?.contains("succeeded") == true, "\(many)")
        #expect(try await consortium.stop().values.allSatisfy { $0 == 0 })
    }

    /// The bank's ledger names every message of the run; its bytes are those that the coordinator
    /// counted.
    private func checkLedger(
        of bank: String, in consortium: Consortium, result: RunResult
    ) async throws {
        let outcome = try await consortium.node(bank, ["ledger", "--json", "--run", result.run])
        let lines = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [[String: Any]])
        let kinds = lines.map { $0["kind"] as? String ?? "" }
        #expect(kinds.first == "hello" && kinds.last == "stored", "\(kinds)")
        #expect(lines.allSatisfy { ($0["sha256"] as? String)?.count == 64 })
        let slots = lines.compactMap { $0["slot"] as? Int }
        #expect(slots == Array(0..<result.slots), "every masked sum is listed once, in order")

        let status = try await consortium.coordinate(["run", "status", result.run, "--json"]).json()
        let counted = (status["banks"] as? [[String: Any]])?.first { $0["bank"] as? String == bank }
        let sent = lines.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) }
        #expect(counted?["bytes_received"] as? Int == sent)
    }

    @Test("A bank without a fraud takes part; the evaluation says that it has no local model")
    func bankWithoutFrauds() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        #expect(
            consortium.nodes["C"]?.log.contains(
                "rows are of one class only: it can help the joint model, but has no local one")
                == true)
        let result = try await consortium.train()
        try await consortium.node("C", ["model", "--out", "model.json"])
        let evaluation = try await consortium.fed([
            "evaluate", "--standard", Consortium.standard, "--model", "model.json", "--bank", "C",
            "--fit", consortium.data("C", "fit"), "--valid", consortium.data("C", "valid"),
            "--test", consortium.data("C", "test"),
        ])
        #expect(result.state == "succeeded")
        #expect(
            evaluation.out.contains("combined by federated (no-local-model): C"), "\(evaluation)")
    }
}
