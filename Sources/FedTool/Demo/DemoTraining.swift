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

    struct Status: Decodable {
        let run: String
        let slots: Int
        let seconds: Double
        let modelSha256: String

        /// Reads what a finished operator's command has printed.
        init(of command: ChildProcess) throws {
            let log = command.log
            guard command.exitCode == 0, let brace = log.firstIndex(of: "{") else {
                throw command.failure("failed")
            }
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Status.self, from: Data(log[brace...].utf8))
        }
    }

    static func run(_ demo: Demo) async throws -> DemoTraining {
        let consortium = try await DemoConsortium.start(demo)
        do {
            let status = try await train(demo, consortium)
            await consortium.end()
            return try collect(demo, status: status, children: consortium.all)
        } catch {
            await consortium.end()
            throw error
        }
    }

    private static func train(
        _ demo: Demo, _ consortium: DemoConsortium
    ) async throws -> Status {
        let status = try await follow(
            ["start", "--algorithm", demo.algorithm.name]
                + demo.settings.flatMap { ["--set", $0] }, "training", demo, consortium)
        demo.progress.done(
            "model \(status.modelSha256.prefix(16))… after \(status.slots) masked sums in "
                + String(format: "%.1f s", status.seconds))
        return status
    }

    /// Starts a run and shows how far it is until it has ended.
    static func follow(
        _ arguments: [String], _ what: String, _ demo: Demo, _ consortium: DemoConsortium,
        log: String = "run"
    ) async throws -> Status {
        demo.progress.begin(what)
        let run = try ChildProcess(
            "fed-coordinator",
            ["run"] + arguments + [
                "--state", consortium.state, "--standard", demo.standardPath, "--watch", "--json",
                "--progress-seconds", "0",
            ], name: "run", logPath: "\(consortium.logs)/\(log).log")
        while run.isRunning {
            try await Task.sleep(for: .milliseconds(100))
            if let line = run.lastLine, line.contains(" s · ") {
                demo.progress.news("\(what): \(line)")
            }
        }
        return try Status(of: run)
    }

    /// Reads the model and the egress ledgers, as each bank has them.
    static func collect(
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
