internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedFiles

extension MeasureCommand {
    struct Features: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Derivation speed: a raw file to a file of features; one transaction at a time.")

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
            /// Of a transaction given by itself.
            let microsecondsOnline: Double
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
            try ConsoleOutput.json(
                Report(
                    rows: rows, seconds: seconds, microsecondsOnline: try online(document)))
        }

        /// Microseconds a transaction, one at a time.
        private func online(_ document: Derivation) throws -> Double {
            var rows: [RawRow] = []
            try RawTransactions.forEach(in: file, derivation: document) { row, _, _ in
                rows.append(row)
                return true
            }
            var state = DerivationState(document)
            let seconds = try MeasureCommand.best(of: 1) {
                for row in rows { _ = try state.apply(row) }
            }
            return seconds * 1e6 / Double(max(1, rows.count))
        }
    }
}
