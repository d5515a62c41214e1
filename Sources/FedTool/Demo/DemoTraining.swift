internal import FedConsole
internal import FedCore
internal import FedReport
internal import FedRuntime
internal import FedWire
internal import Foundation

/// The run itself: six processes over loopback.
struct DemoTraining {
    let model: TrainedModel
    let run: String
    let slots: Int
    let trainTime: Duration
    let sent: [RunReport.Sent]
    let maskedSums: [RunReport.MaskedSums]
    let bytesSent: [String: Int]
    let peakBytes: [String: Int]

    private struct Status: Decodable {
        let run: String
        let slots: Int
        let seconds: Double
        let modelSha256: String
    }

    static func run(_ demo: Demo) async throws -> DemoTraining {
        let logs = demo.folder + "/logs"
        try FileManager.default.createDirectory(
            atPath: logs, withIntermediateDirectories: true)
        var children: [ChildProcess] = []
        do {
            let result = try await train(demo, logs: logs, children: &children)
            for child in children.reversed() { await child.end() }
            return try collect(demo, status: result, children: children)
        } catch {
            for child in children.reversed() { await child.end() }
            throw error
        }
    }

    private static func train(
        _ demo: Demo, logs: String, children: inout [ChildProcess]
    ) async throws -> Status {
        let state = demo.folder + "/coordinator"
        func step(_ executable: String, _ arguments: [String], _ name: String) async throws {
            let log = "\(logs)/\(name.replacingOccurrences(of: " ", with: "-")).log"
            try await ChildProcess(executable, arguments, name: name, logPath: log).succeed()
        }
        demo.progress.begin("starting the coordinator")
        let port = try FreePorts.pair()
        try await step(
            "fed-coordinator",
            ["init", "--state", state, "--listen", "127.0.0.1:\(port)"], "coordinator init")
        let coordinator = try ChildProcess(
            "fed-coordinator", ["serve", "--state", state], name: "coordinator",
            logPath: "\(logs)/coordinator.log")
        children.append(coordinator)
        try await coordinator.logs("listening", within: .seconds(20))
        for files in demo.banks {
            let bank = files.bank
            demo.progress.update("enrolling bank \(bank) and starting its node")
            let invitation = "\(demo.folder)/\(bank).invitation.json"
            try await step(
                "fed-coordinator",
                ["invite", "--state", state, "--bank", bank, "--out", invitation],
                "invite \(bank)")
            let node = "\(demo.folder)/banks/\(bank)"
            try await step(
                "fed-node", ["enrol", "--state", node, "--invitation", invitation],
                "enrol \(bank)")
            children.append(
                try ChildProcess(
                    "fed-node",
                    [
                        "serve", "--state", node, "--standard", demo.standardPath, "--fit",
                        files.fit, "--valid", files.valid,
                    ], name: "node \(bank)", logPath: "\(logs)/node-\(bank).log"))
        }
        for child in children.dropFirst() {
            demo.progress.update("\(child.name) reads its data and connects")
            try await child.logs("connected", within: .seconds(120))
        }
        demo.progress.done("\(children.count) processes run, connected over mutual TLS 1.3")
        demo.progress.begin("training")
        let run = try ChildProcess(
            "fed-coordinator",
            [
                "run", "start", "--state", state, "--standard", demo.standardPath, "--algorithm",
                demo.algorithm.name, "--watch", "--json",
            ] + demo.settings.flatMap { ["--set", $0] }, name: "run",
            logPath: "\(logs)/run.log")
        while run.isRunning {
            try await Task.sleep(for: .milliseconds(100))
            if let line = run.lastLine, line.contains(" s · ") {
                demo.progress.update("training: \(line)")
            }
        }
        let log = run.log
        guard run.exitCode == 0, let brace = log.firstIndex(of: "{") else {
            throw run.failure("failed")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let status = try decoder.decode(Status.self, from: Data(log[brace...].utf8))
        demo.progress.done(
            "model \(status.modelSha256.prefix(16))… after \(status.slots) masked sums in "
                + String(format: "%.1f s", status.seconds))
        return status
    }

    /// Reads the model and the egress ledgers, as each bank has them.
    private static func collect(
        _ demo: Demo, status: Status, children: [ChildProcess]
    ) throws -> DemoTraining {
        var sent: [RunReport.Sent] = []
        var bytesSent: [String: Int] = [:]
        var sums: [String: (count: Int, lanes: Int, bytes: Int)] = [:]
        var model: TrainedModel?
        for (index, files) in demo.banks.enumerated() {
            let folder = try StateDirectory(reading: "\(demo.folder)/banks/\(files.bank)")
            let store = try NodeStore(in: folder)
            let records = try store.egress()
            bytesSent[files.bank] = records.reduce(0) { $0 + $1.byteCount }
            for (kind, lines) in Dictionary(grouping: records, by: \.kind).sorted(by: {
                $0.key < $1.key
            }) {
                sent.append(
                    RunReport.Sent(
                        bank: files.bank, kind: kind, messages: lines.count,
                        bytes: lines.reduce(0) { $0 + $1.byteCount }))
            }
            guard index == 0 else { continue }
            for record in records where record.slot != nil {
                sums[record.kind, default: (0, record.lanes, record.byteCount)].count += 1
            }
            if let bytes = try store.runs.model(sha256: status.modelSha256) {
                model = try TrainedModel(bytes: bytes)
            }
        }
        guard let model else {
            throw CommandFailure("bank \(demo.banks[0].bank) has no model of the run")
        }
        return DemoTraining(
            model: model, run: status.run, slots: status.slots,
            trainTime: .seconds(status.seconds), sent: sent,
            maskedSums: sums.sorted { $0.key < $1.key }.map {
                RunReport.MaskedSums(
                    kind: $0.key, count: $0.value.count, lanes: $0.value.lanes,
                    bytes: $0.value.bytes)
            },
            bytesSent: bytesSent,
            peakBytes: Dictionary(
                uniqueKeysWithValues: children.map { ($0.name, Self.peak(in: $0.log)) }))
    }

    private static func peak(in log: String) -> Int {
        guard let mark = log.range(of: "peak.bytes=", options: .backwards) else { return 0 }
        return Int(log[mark.upperBound...].prefix { $0.isNumber }) ?? 0
    }
}
