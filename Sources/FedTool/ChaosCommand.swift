internal import ArgumentParser
internal import FedConsole
internal import FedCoordinator
internal import FedCore
internal import FedReport
internal import FedRuntime
internal import Foundation

struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract:
            "Kills banks and the coordinator in the middle of a run; the model must not change.",
        discussion: """
            Starts real processes as `fed demo` does, ends some of them with kill -9 while trees are \
            grown, starts them again at once, and compares the model with the one that all rows give \
            in one place. Exit code 1 when the models differ.
            """)

    @Option(help: "A folder with the banks' files. Default: a synthetic consortium.")
    var data: String?
    @Option(help: "The feature standard, JSON. Default: the synthetic one, or a draft.")
    var standard: String?
    @Option(name: .customLong("set"), help: "A hyper-parameter, name=value; may be repeated.")
    var settings: [String] = ["treesMax=60"]
    @Option(help: "How many processes are killed; the coordinator and banks take turns.")
    var kills = 2
    @Option(help: "The seed of the synthetic consortium.")
    var seed: UInt64 = 6
    @Option(help: "Where state folders and logs go; an earlier demo there is replaced.")
    var out = "chaos-output"
    @Option(help: "Write the figures to this JSON file.")
    var json: String?

    struct Kill: Encodable {
        let process: String
        let tree: Int
        /// From the new start of the process to the next masked sum.
        let resumeSeconds: Double
    }

    struct Report: Encodable {
        let kills: [Kill]
        let sameHash: Bool
        let resumeSeconds: Double
        let wrongSums: Int
        let slots: Int
        let seconds: Double
        let modelSha256: String
        let pooledSha256: String
    }

    func validate() throws {
        guard (1...50).contains(kills) else {
            throw ValidationError("--kills is \(kills), expected 1 to 50")
        }
    }

    func run() async throws {
        var demo = try Demo(folder: out, algorithm: "gbdt", settings: settings, budgets: ["0.005"])
        try await demo.prepareData(data: data, standard: standard, seed: seed, scale: 1)
        var chaos = ChaosRun(
            demo: demo, consortium: try await DemoConsortium.start(demo), kills: kills)
        let status: DemoTraining.Status
        do {
            status = try await chaos.run()
            await chaos.consortium.end()
        } catch {
            await chaos.consortium.end()
            throw error
        }
        let training = try DemoTraining.collect(
            demo, status: status, children: chaos.consortium.all)
        guard let standard = demo.standard else { return }
        demo.progress.begin("training on all rows in one place, to compare")
        let pooled = try await DemoEvaluation.pooled(
            demo, standard: standard, federated: training.model)
        let replay = try CoordinatorRecord(state: chaos.consortium.state).replay(run: nil)
        demo.progress.done("compared")
        let report = Report(
            kills: chaos.done, sameHash: pooled.identical,
            resumeSeconds: chaos.done.map(\.resumeSeconds).max() ?? 0,
            wrongSums: replay.modelSHA256 == status.modelSha256 ? 0 : 1, slots: status.slots,
            seconds: status.seconds, modelSha256: status.modelSha256,
            pooledSha256: pooled.modelSHA256)
        if let json {
            try AtomicFile.write(Array(try ConsoleOutput.jsonText(report).utf8), to: json)
        }
        for kill in chaos.done {
            ConsoleOutput.line(
                "\(kill.process) killed at tree \(kill.tree), next sum "
                    + String(format: "%.2f s after its new start", kill.resumeSeconds))
        }
        ConsoleOutput.line(
            pooled.identical
                ? "same model, byte for byte: \(status.modelSha256)"
                : "the model differs: \(status.modelSha256), expected \(pooled.modelSHA256)")
        guard pooled.identical, report.wrongSums == 0 else {
            throw CommandFailure(
                "the run did not survive", hint: "logs: \(chaos.consortium.logs)")
        }
    }
}

/// A run that is disturbed.
struct ChaosRun {
    let demo: Demo
    var consortium: DemoConsortium
    let kills: Int
    private(set) var done: [ChaosCommand.Kill] = []
    private var watcherCount = 0

    init(demo: Demo, consortium: DemoConsortium, kills: Int) {
        self.demo = demo
        self.consortium = consortium
        self.kills = kills
    }

    /// Starts a run, disturbs it and waits for its end.
    mutating func run() async throws -> DemoTraining.Status {
        demo.progress.begin("training")
        let start = try ChildProcess(
            "fed-coordinator",
            [
                "run", "start", "--state", consortium.state, "--standard", demo.standardPath,
                "--algorithm", demo.algorithm.name, "--json",
            ] + demo.settings.flatMap { ["--set", $0] }, name: "run",
            logPath: "\(consortium.logs)/run.log")
        try await start.succeed()
        let run = try DemoTraining.Status(of: start).run
        var watcher = try watch(run)
        var last = Place(tree: 0, slot: 0)
        while true {
            try await Task.sleep(for: .milliseconds(20))
            if let line = watcher.lastLine, line.contains(" s · ") {
                demo.progress.update("training: \(line)")
                last = Place(line) ?? last
            }
            if !watcher.isRunning {
                guard watcher.exitCode == 0 else {
                    // The coordinator was away for a moment.
                    watcher = try watch(run)
                    continue
                }
                let status = try DemoTraining.Status(of: watcher)
                demo.progress.done(
                    "model \(status.modelSha256.prefix(16))… after \(status.slots) masked sums")
                return status
            }
            guard done.count < kills, last.tree >= threshold else { continue }
            try await strike(at: last, run: run, watcher: &watcher)
        }
    }

    /// The tree after which the next kill is due.
    private var threshold: Int {
        guard case .boosting(let configuration) = demo.algorithm else { return 0 }
        return max(1, Int(configuration[.treesMax]) * (done.count + 1) / (kills + 1))
    }

    private mutating func strike(
        at place: Place, run: String, watcher: inout ChildProcess
    ) async throws {
        // Banks and the coordinator take turns.
        let index = done.count.isMultiple(of: 2) ? 1 + (done.count / 2) % consortium.nodes.count : 0
        demo.progress.update("kill -9 of \(consortium.all[index].name) at tree \(place.tree)")
        let restarted = try await consortium.killAndRestart(index)
        let started = ContinuousClock.now
        if index == 0 {
            try await restarted.logs("listening", within: .seconds(20))
            await watcher.end()
            watcher = try watch(run)
        }
        while true {
            try await Task.sleep(for: .milliseconds(10))
            guard ContinuousClock.now - started < .seconds(120) else {
                throw restarted.failure("did not go on with the run in two minutes")
            }
            if let now = watcher.lastLine.flatMap(Place.init), now.slot > place.slot { break }
            if !watcher.isRunning {
                if watcher.exitCode == 0 { break }
                watcher = try watch(run)
            }
        }
        done.append(
            ChaosCommand.Kill(
                process: restarted.name, tree: place.tree,
                resumeSeconds: (ContinuousClock.now - started).seconds))
    }

    private mutating func watch(_ run: String) throws -> ChildProcess {
        watcherCount += 1
        return try ChildProcess(
            "fed-coordinator", ["run", "watch", run, "--state", consortium.state, "--json"],
            name: "watch", logPath: "\(consortium.logs)/watch-\(watcherCount).log")
    }

    /// How far a progress line says the run is.
    struct Place {
        let tree: Int
        let slot: Int

        init(tree: Int, slot: Int) {
            self.tree = tree
            self.slot = slot
        }

        init?(_ line: String) {
            func number(after word: String) -> Int? {
                guard let range = line.range(of: word) else { return nil }
                return Int(line[range.upperBound...].prefix { $0.isNumber })
            }
            guard let slot = number(after: "slot ") else { return nil }
            self.slot = slot
            tree = number(after: "tree ") ?? 0
        }
    }
}
