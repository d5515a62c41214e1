import Foundation
import Testing

/// A coordinator and its banks as an operator sets them up: folders, commands, processes.
final class Consortium {
    static let standard = Programs.root.appendingPathComponent(
        "Datasets/standards/synthetic.json"
    ).path
    /// Three banks of the synthetic consortium; at this scale bank C has no fraud to train on.
    static let banks = ["A", "B", "C"]

    let folder: TemporaryFolder
    let port: Int
    let enrolmentPort: Int
    private(set) var coordinator: Running?
    private(set) var nodes: [String: Running] = [:]

    /// Makes data, a coordinator and, where asked, enrolled banks; nothing runs yet but the
    /// coordinator.
    init(enrolling banks: [String] = Consortium.banks, scale: String = "0.02") async throws {
        folder = try TemporaryFolder()
        port = try FreePorts.next()
        enrolmentPort = try FreePorts.next()
        try await fed(["synthetic", "--out", folder["data"], "--scale", scale])
        try await coordinate([
            "init", "--listen", "127.0.0.1:\(port)", "--enrolment", "127.0.0.1:\(enrolmentPort)",
        ])
        try await startCoordinator()
        for bank in banks { try await enrol(bank) }
    }

    deinit {
        for node in nodes.values { node.kill() }
        coordinator?.kill()
    }

    // MARK: Commands

    /// Runs `fed`, which must succeed.
    @discardableResult
    func fed(_ arguments: [String]) async throws -> Outcome {
        try await succeed("fed", arguments)
    }

    /// Runs `fed-coordinator` on this state folder, which must succeed.
    @discardableResult
    func coordinate(_ arguments: [String]) async throws -> Outcome {
        try await succeed("fed-coordinator", arguments + ["--state", folder["coordinator"]])
    }

    /// Runs `fed-coordinator` on this state folder, however it ends.
    func tryCoordinate(_ arguments: [String]) async throws -> Outcome {
        try await run(
            "fed-coordinator", arguments + ["--state", folder["coordinator"]], in: folder)
    }

    /// Runs `fed-node` on a bank's state folder, however it ends.
    func tryNode(_ bank: String, _ arguments: [String]) async throws -> Outcome {
        try await run("fed-node", arguments + ["--state", state(of: bank)], in: folder)
    }

    /// Runs `fed-node` on a bank's state folder, which must succeed.
    @discardableResult
    func node(_ bank: String, _ arguments: [String]) async throws -> Outcome {
        try await succeed("fed-node", arguments + ["--state", state(of: bank)])
    }

    private func succeed(_ name: String, _ arguments: [String]) async throws -> Outcome {
        let outcome = try await run(name, arguments, in: folder)
        try #require(outcome.code == 0, "\(name) \(arguments): \(outcome)")
        return outcome
    }

    func state(of bank: String) -> String { folder["node-\(bank)"] }

    func data(_ bank: String, _ part: String) -> String {
        folder["data/bank_\(bank)_\(part).csv"]
    }

    func enrol(_ bank: String) async throws {
        let invitation = folder["\(bank).invitation.json"]
        try await coordinate(["invite", "--bank", bank, "--out", invitation])
        try await node(bank, ["enrol", "--invitation", invitation])
    }

    // MARK: Processes

    /// Starts the coordinator; with bash commands before where its surroundings are to be bad.
    func startCoordinator(before: String? = nil, _ options: [String] = []) async throws {
        let running = try Running(
            "fed-coordinator", ["serve", "--state", folder["coordinator"]] + options, in: folder,
            before: before)
        coordinator = running
        try await running.logs("listening")
    }

    /// The arguments with which a bank serves.
    func serving(_ bank: String, fit: String? = nil, standard: String? = nil) -> [String] {
        [
            "serve", "--state", state(of: bank), "--standard", standard ?? Self.standard, "--fit",
            fit ?? data(bank, "fit"),
        ]
    }

    /// Starts a bank's node and waits until it says the words.
    @discardableResult
    func startNode(
        _ bank: String, fit: String? = nil, valid: String? = nil, standard: String? = nil,
        before: String? = nil, saying words: String = "connected coordinator",
        _ options: [String] = []
    ) async throws -> Running {
        let running = try Running(
            "fed-node",
            serving(bank, fit: fit, standard: standard) + [
                "--valid", valid ?? data(bank, "valid"),
            ] + options, in: folder, before: before)
        nodes[bank] = running
        try await running.logs(words)
        return running
    }

    /// Starts a bank's node that counts indicators of its raw transactions.
    func startNode(
        _ bank: String, raw: String, derivation: String, standard: String,
        _ options: [String] = []
    ) async throws {
        let running = try Running(
            "fed-node",
            [
                "serve", "--state", state(of: bank), "--standard", standard, "--raw", raw,
                "--derivation", derivation,
            ] + options, in: folder)
        nodes[bank] = running
        try await running.logs("connected coordinator")
    }

    /// Ends a bank's node.
    func stopNode(_ bank: String) async throws {
        guard let node = nodes.removeValue(forKey: bank) else { return }
        node.terminate()
        _ = try await node.outcome()
    }

    /// Starts a bank's scoring service and waits until it listens.
    func startScoring(_ bank: String, model: [String]) async throws -> Running {
        let running = try Running(
            "fed-node",
            [
                "score", "--state", reviews(of: bank), "--standard", Self.standard, "--policy",
                Programs.root.appendingPathComponent("Datasets/policies/cards.json").path,
                "--http", "127.0.0.1:\(try FreePorts.next())",
            ] + model, in: folder)
        try await running.logs("scoring over HTTP")
        return running
    }

    /// The folder of a bank's lists and verdicts.
    func reviews(of bank: String) -> String { folder["reviews-\(bank)"] }

    func startNodes(_ banks: [String] = Consortium.banks) async throws {
        for bank in banks { try await startNode(bank) }
    }

    /// Ends everything as an operator does.
    ///
    /// - Returns: the exit codes, by name.
    func stop() async throws -> [String: Int32] {
        var codes: [String: Int32] = [:]
        for (bank, node) in nodes {
            node.terminate()
            codes[bank] = try await node.outcome().code
        }
        nodes = [:]
        if let coordinator {
            coordinator.terminate()
            codes["coordinator"] = try await coordinator.outcome().code
        }
        coordinator = nil
        return codes
    }

    // MARK: Runs

    /// The command that starts a run and follows it.
    func runCommand(_ arguments: [String] = [], standard: String? = nil) -> [String] {
        ["run", "start", "--standard", standard ?? Self.standard, "--watch", "--json"] + arguments
    }

    /// Trains to the end, which must be a model.
    func train(_ arguments: [String] = []) async throws -> RunResult {
        RunResult(try await coordinate(runCommand(arguments)))
    }

    /// Starts a run of more trees than anybody waits for, or of so many, and waits until it is well
    /// under way.
    func startLongRun(trees: Int = 500) async throws -> Running {
        let running = try Running(
            "fed-coordinator",
            runCommand([
                "--algorithm", "gbdt", "--set", "treesMax=\(trees)", "--progress-seconds", "0",
            ]) + ["--state", folder["coordinator"]], in: folder)
        try await running.logs("/\(trees)")
        return running
    }

    /// Follows the newest run to its end, which must be a model that its record gives again.
    func endOfRun() async throws -> RunResult {
        let result = RunResult(try await coordinate(["run", "watch", "--json"]))
        #expect(result.state == "succeeded")
        let replay = try await fed([
            "replay", result.run, "--state", folder["coordinator"], "--json",
        ])
        #expect(try replay.json()["model_sha256"] as? String == result.model, "\(replay)")
        return result
    }
}

/// What `run start --watch --json` printed.
struct RunResult {
    let run: String
    let state: String
    let reason: String
    let model: String
    let slots: Int

    init(_ outcome: Outcome) {
        let json = (try? outcome.json()) ?? [:]
        func text(_ name: String) -> String { json[name] as? String ?? "" }
        run = text("run")
        state = text("state")
        reason = text("reason")
        model = text("model_sha256")
        slots = json["slots"] as? Int ?? 0
    }
}
