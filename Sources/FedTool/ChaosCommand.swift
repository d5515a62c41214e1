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
            in one place. With --absences a bank also stays away for longer than the hold time, so \
            that a tree ends early; there is no such model in one place, and the model is compared \
            with the one that the record gives. Exit code 1 when the models differ.
            """)

    @Option(help: "A folder with the banks' files. Default: a synthetic consortium.")
    var data: String?
    @Option(help: "The feature standard, JSON. Default: the synthetic one, or a draft.")
    var standard: String?
    @Option(name: .customLong("set"), help: "A hyper-parameter, name=value; may be repeated.")
    var settings: [String] = ["treesMax=60"]
    @Option(help: "How many processes are killed; the coordinator and banks take turns.")
    var kills = 2
    @Option(help: "How often the last bank stays away past the hold time in the middle of a tree.")
    var absences = 0
    @Option(help: "The hold time, seconds. Default: 3 with absences, else the charter's.")
    var holdSeconds: Int?
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

    struct Absence: Encodable {
        let process: String
        let tree: Int
        /// From its death to its new start, when the others had gone on without it.
        let awaySeconds: Double
    }

    struct Report: Encodable {
        let kills: [Kill]
        let absences: [Absence]
        let sameHash: Bool
        let resumeSeconds: Double
        let wrongSums: Int
        /// Trees that ended early.
        let truncated: Int
        let slots: Int
        let seconds: Double
        let modelSha256: String
        /// The model that all rows give in one place; with trees cut short, the record's.
        let expectedSha256: String
    }

    func validate() throws {
        guard (1...50).contains(kills) else {
            throw ValidationError("--kills is \(kills), expected 1 to 50")
        }
        guard (0...10).contains(absences) else {
            throw ValidationError("--absences is \(absences), expected 0 to 10")
        }
    }

    func run() async throws {
        var demo = try Demo(folder: out, algorithm: "gbdt", settings: settings, budgets: ["0.005"])
        try await demo.prepareData(data: data, standard: standard, seed: seed, scale: 1)
        var chaos = ChaosRun(
            demo: demo,
            consortium: try await DemoConsortium.start(
                demo,
                serving: (holdSeconds ?? (absences > 0 ? 3 : nil)).map {
                    ["--hold-seconds", "\($0)"]
                } ?? []), kills: kills, absences: absences)
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
        demo.progress.begin("computing the model again, to compare")
        let replay = try CoordinatorRecord(state: chaos.consortium.state).replay(run: nil)
        let truncated = replay.run.groups.filter(\.isTruncated).count
        // Trees that ended early are nowhere else but in the record.
        let isWhole =
            truncated == 0
            && replay.run.groups.allSatisfy { $0.roster.count == demo.banks.count }
        let expected =
            try await isWhole
            ? DemoEvaluation.pooled(
                demo, standard: standard, federated: training.model
            ).modelSHA256 : replay.run.modelDigest.hexadecimal
        demo.progress.done("compared")
        let report = Report(
            kills: chaos.done, absences: chaos.absent,
            sameHash: status.modelSha256 == expected,
            resumeSeconds: chaos.done.map(\.resumeSeconds).max() ?? 0,
            wrongSums: replay.modelSHA256 == status.modelSha256 ? 0 : 1, truncated: truncated,
            slots: status.slots, seconds: status.seconds, modelSha256: status.modelSha256,
            expectedSha256: expected)
        try publish(report, logs: chaos.consortium.logs)
    }

    private func publish(_ report: Report, logs: String) throws {
        if let json {
            try AtomicFile.write(Array(try ConsoleOutput.jsonText(report).utf8), to: json)
        }
        for kill in report.kills {
            ConsoleOutput.line(
                "\(kill.process) killed at tree \(kill.tree), next sum "
                    + String(format: "%.2f s after its new start", kill.resumeSeconds))
        }
        for absence in report.absences {
            ConsoleOutput.line(
                "\(absence.process) away from tree \(absence.tree) on, for "
                    + String(format: "%.1f s", absence.awaySeconds))
        }
        let from = report.truncated > 0 ? "the record" : "all rows in one place"
        ConsoleOutput.line(
            "\(report.truncated) trees cut short\n"
                + (report.sameHash
                    ? "same model as from \(from), byte for byte: \(report.modelSha256)"
                    : "the model differs: \(report.modelSha256), expected \(report.expectedSha256)")
        )
        guard report.sameHash, report.wrongSums == 0 else {
            throw CommandFailure("the run did not survive", hint: "logs: \(logs)")
        }
        guard report.truncated >= absences else {
            throw CommandFailure(
                "\(report.truncated) trees were cut short, expected \(absences)",
                hint: "a bank that is lost between two trees costs none: run it again")
        }
    }
}

/// A run that is disturbed.
struct ChaosRun {
    let demo: Demo
    var consortium: DemoConsortium
    let kills: Int
    let absences: Int
    private(set) var done: [ChaosCommand.Kill] = []
    private(set) var absent: [ChaosCommand.Absence] = []
    private var watcherCount = 0

    init(demo: Demo, consortium: DemoConsortium, kills: Int, absences: Int) {
        self.demo = demo
        self.consortium = consortium
        self.kills = kills
        self.absences = absences
    }

    private var events: Int { done.count + absent.count }

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
                demo.progress.news("training: \(line)")
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
            guard events < kills + absences, last.tree >= threshold else { continue }
            // After each kill an absence, as long as there are any to come.
            if absent.count < absences, done.count > absent.count || done.count == kills {
                try await sendAway(at: last, run: run, watcher: &watcher)
            } else {
                try await strike(at: last, run: run, watcher: &watcher)
            }
        }
    }

    /// The tree after which the next kill is due.
    private var threshold: Int {
        guard case .boosting(let configuration) = demo.algorithm else { return 0 }
        return max(1, Int(configuration[.treesMax]) * (events + 1) / (kills + absences + 1))
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

    /// Kills the last bank and starts it again only when the others have gone on without it.
    private mutating func sendAway(
        at place: Place, run: String, watcher: inout ChildProcess
    ) async throws {
        let index = consortium.nodes.count
        let process = consortium.all[index]
        demo.progress.update("kill -9 of \(process.name) at tree \(place.tree), to stay away")
        let killed = ContinuousClock.now
        try await process.killed()
        var isHeld = false
        while true {
            try await Task.sleep(for: .milliseconds(5))
            guard ContinuousClock.now - killed < .seconds(120) else {
                throw process.failure("was waited for, for two minutes")
            }
            if !watcher.isRunning {
                if watcher.exitCode == 0 { break }
                watcher = try watch(run)
            }
            guard let line = watcher.lastLine else { continue }
            if line.contains("held for") { isHeld = true } else if isHeld { break }
        }
        let away = ContinuousClock.now - killed
        let again = try consortium.startAgain(index)
        try await again.logs("connected", within: .seconds(60))
        absent.append(
            ChaosCommand.Absence(
                process: process.name, tree: place.tree, awaySeconds: away.seconds))
    }

    private mutating func watch(_ run: String) throws -> ChildProcess {
        watcherCount += 1
        return try ChildProcess(
            "fed-coordinator",
            [
                "run", "watch", run, "--state", consortium.state, "--json", "--progress-seconds",
                "0",
            ],
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
