internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedCrypto
internal import FedFiles
internal import FedRuntime
internal import Foundation

struct MeasureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measures parts of this program on this machine, as JSON, for benchmarks.",
        subcommands: [
            Masks.self, Aggregation.self, DataFile.self, Scoring.self, Features.self,
        ])

    /// The shortest of several runs, seconds.
    static func best(of repeats: Int, _ body: () throws -> Void) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<max(1, repeats) {
            let time = try ContinuousClock().measure { try body() }
            best = min(best, time.seconds)
        }
        return best
    }

    struct Masks: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mask throughput: keystream generated and added, one core.")

        private struct Report: Encodable {
            let implementation: String
            let gigabytesPerSecondInCache: Double
            let gigabytesPerSecondInMemory: Double
        }

        func run() async throws {
            let seed = MaskSeed(SecretBytes([UInt8](repeating: 7, count: MaskSeed.byteCount)))
            func throughput(lanes count: Int, rounds: Int) -> Double {
                var lanes = [UInt64](repeating: 1, count: count)
                let seconds = MeasureCommand.best(of: 7) {
                    for _ in 0..<rounds { MaskGenerator.add(seed, to: &lanes) }
                }
                return Double(count * 8 * rounds) / seconds / 1e9
            }
            try ConsoleOutput.json(
                Report(
                    implementation: MaskGenerator.implementationName,
                    gigabytesPerSecondInCache: throughput(lanes: 1 << 13, rounds: 2_000),
                    gigabytesPerSecondInMemory: throughput(lanes: 1 << 22, rounds: 4)))
        }
    }

    struct DataFile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "csv", abstract: "Reading speed: check and load of a data file, one core.")

        @Option(help: "The feature standard, JSON.")
        var standard: String
        @Option(help: "Runs; the best counts.")
        var repeats = 5
        @Argument(help: "A data file, CSV.")
        var file: String

        private struct Report: Encodable {
            let bytes: Int
            let rows: Int
            let secondsCheck: Double
            let secondsLoad: Double
        }

        func run() async throws {
            let standard = try StandardFile.read(standard)
            var rows = 0
            let load = try MeasureCommand.best(of: repeats) {
                rows = try DatasetLoader.load(path: file, standard: standard).rowCount
            }
            let check = MeasureCommand.best(of: repeats) {
                _ = DataCheck.check(path: file, standard: standard)
            }
            try ConsoleOutput.json(
                Report(
                    bytes: try AtomicFile.read(file).count, rows: rows, secondsCheck: check,
                    secondsLoad: load))
        }
    }

    struct Scoring: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Scoring speed of a model: single rows and a batch, one core.")

        @Option(help: "The feature standard, JSON.")
        var standard: String
        @Option(help: "The model's file.")
        var model: String
        @Argument(help: "Rows to score, CSV.")
        var file: String

        private struct Report: Encodable {
            let rows: Int
            let microsecondsSingleRow: Double?
            let microsecondsBatchRow: Double
        }

        func run() async throws {
            let standard = try StandardFile.read(standard)
            let model = try ModelFile.read(model)
            let rows = try DatasetLoader.load(path: file, standard: standard)
            let batch = try MeasureCommand.best(of: 5) {
                _ = try model.logOdds(of: rows, standard: standard)
            }
            var single: Double?
            if case .boosting(let trees) = model {
                let scorer = TreeScorer(trees)
                let count = min(rows.rowCount, 20_000)
                let vectors = (0..<count).map { row in rows.columns.map { $0[row] } }
                var sum = 0.0
                let seconds = MeasureCommand.best(of: 5) {
                    for vector in vectors { sum += scorer.margin(of: vector) }
                }
                precondition(sum.isFinite, "scores are not finite")
                single = seconds / Double(count) * 1e6
            }
            try ConsoleOutput.json(
                Report(
                    rows: rows.rowCount, microsecondsSingleRow: single,
                    microsecondsBatchRow: batch / Double(rows.rowCount) * 1e6))
        }
    }
}
