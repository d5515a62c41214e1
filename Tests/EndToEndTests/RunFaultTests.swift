import Foundation
import Testing

/// Runs that end without a model: one reason, the same words everywhere.
@Suite(.serialized) struct RunFaultTests {
    @Test("A bank killed during a run holds it; back again, the run ends with its model")
    func bankKilled() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        let command = try await consortium.startLongRun(trees: 60)
        consortium.nodes["B"]?.kill()
        try await consortium.coordinator?.logs("the run is held for bank B")
        try await command.logs("held for bank B")
        try await consortium.startNode("B", saying: "going on with a run")
        let outcome = try await command.outcome()
        #expect(RunResult(outcome).state == "succeeded", "\(outcome)")
        let result = try await consortium.endOfRun()
        for bank in Consortium.banks {
            #expect(try await consortium.node(bank, ["runs"]).out.contains(result.model))
        }
        #expect(try await consortium.stop().values.allSatisfy { $0 == 0 })
    }

    @Test("A bank that stays away: its bloc is left out, and the run ends with trees cut short")
    func bankStaysAway() async throws {
        let banks = ["A", "B", "C", "D", "E"]
        let consortium = try await Consortium(enrolling: banks)
        consortium.coordinator?.terminate()
        #expect(try await consortium.coordinator?.outcome().code == 0)
        try await consortium.startCoordinator(["--hold-seconds", "1"])
        try await consortium.startNodes(banks)
        let command = try await consortium.startLongRun(trees: 60)
        consortium.nodes["E"]?.kill()
        let outcome = try await command.outcome()
        #expect(RunResult(outcome).state == "succeeded", "\(outcome)")
        _ = try await consortium.endOfRun()
        for bank in ["A", "B", "C"] {
            let receipt = try await consortium.node(bank, ["receipt", "--json"])
            let banks = try #require(try receipt.json()["last_roster"] as? [String])
            #expect(banks == ["A", "B", "C"], "\(receipt)")
        }
    }

    @Test("A bank with another feature standard refuses; all name both hashes alike")
    func wrongStandard() async throws {
        let consortium = try await Consortium()
        let ours = try String(contentsOfFile: Consortium.standard, encoding: .utf8)
        let other = ours.replacingOccurrences(of: "\"version\": 1", with: "\"version\": 2")
        try #require(ours != other)
        try await consortium.startNodes(["A", "B"])
        try await consortium.startNode(
            "C", standard: try consortium.folder.write(other, to: "other.json"))
        let outcome = try await consortium.tryCoordinate(consortium.runCommand())
        #expect(outcome.code == 1)

        func hash(_ path: String) async throws -> String {
            let text = try await consortium.fed(["standard", "show", path]).out
            let line = try #require(
                text.split(separator: "\n").first { $0.hasPrefix("sha256 ") })
            return String(line.dropFirst(7))
        }
        let held = try await hash("other.json")
        let used = try await hash(Consortium.standard)
        let reason = "feature standard differs: this bank holds \(held), the run uses \(used)"
        #expect(RunResult(outcome).reason == "bank C refused: \(reason)", "\(outcome)")
        #expect(outcome.err.contains("ended without a model: bank C refused: \(reason)\n"))
        try await consortium.coordinator?.logs("bank C refused: \(reason)")
        try await consortium.nodes["C"]?.logs("reason=\"\(reason)\"")
        for bank in ["A", "B"] {
            try await consortium.nodes[bank]?.logs("reason=\"bank C refused: \(reason)\"")
        }
    }

    @Test("A bank of five that refuses is left out with its bloc; the others get their model")
    func oneOfFiveRefuses() async throws {
        let banks = ["A", "B", "C", "D", "E"]
        let consortium = try await Consortium(enrolling: banks)
        let ours = try String(contentsOfFile: Consortium.standard, encoding: .utf8)
        let other = ours.replacingOccurrences(of: "\"version\": 1", with: "\"version\": 2")
        try await consortium.startNodes(["A", "B", "C", "D"])
        try await consortium.startNode(
            "E", standard: try consortium.folder.write(other, to: "other.json"))
        let trained = try await consortium.train([
            "--algorithm", "gbdt", "--set", "treesMax=2",
        ])
        #expect(trained.state == "succeeded")
        #expect(
            trained.reason.hasPrefix(
                "ended without banks D, E: bank E refused: feature standard differs"),
            "\(trained.reason)")
        try await consortium.coordinator?.logs("it is out of the run")
        try await consortium.nodes["D"]?.logs("the run goes on without this bank's bloc")
        for bank in ["A", "B", "C", "D"] {
            let runs = try await consortium.node(bank, ["runs"]).out
            #expect(runs.contains(trained.model), "\(bank): \(runs)")
        }
        #expect(!(try await consortium.node("E", ["runs"]).out.contains(trained.model)))
        let replay = try await consortium.fed([
            "replay", trained.run, "--state", consortium.folder["coordinator"], "--json",
        ])
        #expect(try replay.json()["model_sha256"] as? String == trained.model)
    }

    @Test("A bank whose process hangs is noticed by its silence; awake again, the run goes on")
    func bankHangs() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        let command = try await consortium.startLongRun(trees: 60)
        consortium.nodes["B"]?.signal(SIGSTOP)
        // Ten seconds are promised; a machine that is busy with tests may be late itself.
        try await consortium.coordinator?.logs(
            "the run is held for bank B", within: .seconds(20))
        consortium.nodes["B"]?.signal(SIGCONT)
        let outcome = try await command.outcome()
        #expect(RunResult(outcome).state == "succeeded", "\(outcome)")
        _ = try await consortium.endOfRun()
    }

    @Test("The operator ends a run; all hear the reason; a second end is refused")
    func abort() async throws {
        let consortium = try await Consortium()
        try await consortium.startNodes()
        let command = try await consortium.startLongRun()
        let second = try await consortium.tryCoordinate(consortium.runCommand())
        #expect(second.code == 75)
        #expect(second.err.contains("is under way\nhint: watch it, or end it"), "\(second)")
        let abort = try await consortium.coordinate(["run", "abort"])
        #expect(abort.out.contains("aborted: aborted by the operator"))
        let outcome = try await command.outcome()
        #expect(outcome.code == 1)
        #expect(RunResult(outcome).state == "aborted")
        #expect(outcome.err.contains("ended without a model: aborted by the operator"))
        for node in consortium.nodes.values {
            try await node.logs("reason=\"aborted by the operator\"")
        }
        let again = try await consortium.tryCoordinate(["run", "abort"])
        #expect(again.code == 75)
        #expect(again.err.contains("has ended already: aborted"), "\(again)")
    }

    @Test("Rows of one class at all banks end a run with a reason that is no bank's")
    func oneClassEverywhere() async throws {
        let consortium = try await Consortium()
        for bank in Consortium.banks {
            let lines = try consortium.folder.read("data/bank_\(bank)_fit.csv")
                .split(separator: "\n")
            let kept = [lines[0]] + lines.dropFirst().filter { $0.hasSuffix(",0") }
            let path = try consortium.folder.write(
                kept.joined(separator: "\n") + "\n", to: "normal-\(bank).csv")
            try await consortium.startNode(bank, fit: path)
        }
        let outcome = try await consortium.tryCoordinate(consortium.runCommand())
        #expect(outcome.code == 1)
        #expect(RunResult(outcome).reason.hasPrefix("training cannot go on: "), "\(outcome)")
        #expect(RunResult(outcome).reason.contains("have one label"), "\(outcome)")
    }

    @Test("Fewer than three banks are no run", arguments: [[], ["--bank", "A", "--bank", "B"]])
    func tooFewBanks(arguments: [String]) async throws {
        let consortium = try await Consortium(enrolling: ["A", "B"])
        let outcome = try await consortium.tryCoordinate(consortium.runCommand(arguments))
        #expect(outcome.code == 65)
        #expect(
            outcome.err.contains(
                "error: a masked sum needs at least 3 banks, got 2: with fewer, the sum shows one "
                    + "bank's figures to another\nhint: invite and enrol more banks"),
            "\(outcome)")
    }

    @Test("A hyper-parameter that is not one, or out of bounds, is named before anything starts")
    func hyperparameters() async throws {
        let consortium = try await Consortium()
        for (setting, words) in [("nonsense=1", "nonsense"), ("lambda=-1", "lambda")] {
            let outcome = try await consortium.tryCoordinate(
                consortium.runCommand(["--set", setting]))
            #expect(outcome.code != 0 && outcome.err.contains(words), "\(outcome)")
        }
        let malformed = try await consortium.tryCoordinate(
            consortium.runCommand(["--set", "nonsense"]))
        #expect(malformed.code == 64)
        #expect(
            malformed.err.contains("--set nonsense is not name=value with a number"),
            "\(malformed)")
        let unknown = try await consortium.tryCoordinate(
            consortium.runCommand(["--algorithm", "oracle"]))
        #expect(unknown.code == 65 && unknown.err.contains("oracle"), "\(unknown)")
    }
}
