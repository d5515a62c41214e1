internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedFiles
internal import FedRuntime

struct FeaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Derives the standard's features from raw transactions, as a document declares.",
        subcommands: [Build.self])

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes feature files from a bank's raw transactions.",
            discussion: """
                The raw file is CSV in the order of time. A column of the derivation that the bank \
                calls otherwise is named by --column derivation=bank.
                """)

        @Option(help: "The feature standard, JSON.")
        var standard: String
        @Option(help: "The derivation, JSON (Schemas/derivation.v1.schema.json).")
        var derivation: String
        @Option(help: "Raw transactions, CSV.")
        var data: String
        @Option(
            name: .customLong("column"),
            help: "A column under the bank's own name, derivation=bank; may be repeated.")
        var columns: [String] = []
        @Option(help: "The bank's name: writes bank_<NAME>_<part>.csv into the folder --out.")
        var bank: NodeID?
        @Option(
            name: .customLong("table"),
            help: "A published table of an indicator, JSON; may be repeated.")
        var tables: [String] = []
        @Option(name: .shortAndLong, help: "The file to write, or with --bank the folder.")
        var out: String

        func run() async throws {
            let standard = try StandardFile.read(standard)
            let document: Derivation
            do {
                document = try Derivation(json: try AtomicFile.read(derivation))
            } catch let error as DerivationError {
                throw CommandFailure("\(derivation): \(error)", exitKind: .data)
            }
            var mapping: [String: String] = [:]
            for column in columns {
                let names = column.split(separator: "=", maxSplits: 1).map(String.init)
                guard names.count == 2 else {
                    throw CommandFailure(
                        "--column \(column) is not derivation=bank", exitKind: .usage)
                }
                mapping[names[0]] = names[1]
            }
            var published: [IndicatorTable] = []
            for path in tables {
                do {
                    published.append(
                        try IndicatorTable(bytes: try AtomicFile.read(path), derivation: document))
                } catch let error as IndicatorError {
                    throw CommandFailure("\(path): \(error)", exitKind: .data)
                }
            }
            do {
                let summary = try FeatureBuilder.build(
                    raw: data, mapping: mapping, derivation: document, standard: standard,
                    output: bank.map { .folder(out, bank: $0.name) } ?? .file(out),
                    tables: published)
                for (path, rows) in summary.rowsWritten.sorted(by: { $0.key < $1.key }) {
                    ConsoleOutput.line(
                        "\(path): \(rows) rows, \(summary.fraudsWritten[path] ?? 0) frauds")
                }
            } catch {
                throw CommandFailure("\(error)", exitKind: .data)
            }
        }
    }
}
