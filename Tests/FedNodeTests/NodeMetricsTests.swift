import FedCore
import FedNode
import FedRuntime
import FedService
import FedWire
import Foundation
import Testing

/// What a node tells Prometheus of its runs.
struct NodeMetricsTests {
    @Test func `rounds add up over runs, and each run without a bank counts once`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/metrics-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try NodeStore(in: try StateDirectory(path))
        let banks = try ["C", "D"].map { try #require(NodeID($0)) }
        for (number, rounds, isWithout) in [(1, 30, true), (2, 12, false), (3, 0, true)] {
            let run = try #require(RunID(bytes: [UInt8](repeating: UInt8(number), count: 16)))
            var record = RunRecord(
                run: run, algorithm: number == 3 ? "logistic" : "gbdt", manifest: [],
                startedUnixMilliseconds: Int64(number), state: .running)
            try store.runs.save(record)
            var progress = NodeRun.Progress()
            // Each round is written once more, as the run goes on.
            for round in 0...rounds {
                progress.rounds = round
                progress.slots = 3 * round + 1
                if isWithout { progress.leftOut = number == 1 ? Set(banks) : [banks[0]] }
                try store.record(run: run, progress: progress)
            }
            let saved = try #require(try store.runs.run(run))
            #expect(saved.rounds == rounds && saved.slots == 3 * rounds + 1)
            record.rounds = saved.rounds
            record.slots = saved.slots
            record.state = .succeeded
            try store.runs.save(record)
        }
        let text = MetricFamily.text(NodeMetrics(store: store).families)
        for line in [
            "fed_run_rounds_total{algorithm=\"gbdt\"} 42",
            "fed_run_rounds_total{algorithm=\"logistic\"} 0",
            "fed_runs_left_out_total{bank=\"C\"} 2", "fed_runs_left_out_total{bank=\"D\"} 1",
            "fed_runs_total{algorithm=\"gbdt\",state=\"succeeded\"} 2",
        ] {
            #expect(text.contains(line + "\n"), "\(line) in \(text)")
        }
    }
}
