internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedFiles
internal import FedRuntime

extension MeasureCommand {
    struct Features: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Derivation speed: a raw file to a file of features, one core.")

        @Option(help: "The feature standard, JSON.")
        var standard: String
        @Option(help: "The derivation, JSON.")
        var derivation: String
        @Option(help: "How often; the best run counts.")
        var repeats = 3
        @Option(name: .shortAndLong, help: "The file to write.")
        var out: String
        @Argument(help: "Raw transactions, CSV.")
        var file: String

        private struct Report: Encodable {
            let rows: Int
            let seconds: Double
        }

        func run() async throws {
            let standard = try StandardFile.read(standard)
            let document = try DerivationFile.read(derivation)
            var rows = 0
            let seconds = try MeasureCommand.best(of: repeats) {
                rows = try FeatureBuilder.build(
                    raw: file, derivation: document, standard: standard, output: .file(out)
                ).rowsRead
            }
            try ConsoleOutput.json(Report(rows: rows, seconds: seconds))
        }
    }
}
