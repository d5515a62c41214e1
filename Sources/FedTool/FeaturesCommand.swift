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
                Transactions are a CSV file in the order of time, or a table of a SQLite database. \
                A column of the derivation that the bank calls otherwise is named by --column \
                derivation=bank.
                """)

        @Option(help: "The feature standard, JSON.")
        var standard: String
        @Option(help: "The derivation, JSON (Schemas/derivation.v1.schema.json).")
        var derivation: String
        @Option(help: "Raw transactions: FILE.csv or FILE.sqlite?table=NAME.")
        var data: String
        @Option(
            name: .customLong("column"),
            help: "A column under the bank's own name, derivation=bank; may be repeated.")
        var columns: [String] = []
        @Option(help: "The bank's name: writes bank_<NAME>_<part>.csv into the folder --out.")
        var bank: NodeID?
        @Option(
            name: [.customLong("table"), .customLong("indicators")],
            help: "A published table of an indicator, or a folder of them; may be repeated.")
        var tables: [String] = []
        @Option(help: "The banks' indicator key, as fed-node indicator-key export writes it.")
        var indicatorKey: String?
        @Option(name: .shortAndLong, help: "The file to write, or with --bank the folder.")
        var out: String

        func run() async throws {
            let standard = try StandardFile.read(standard)
            let document = try DerivationFile.read(derivation)
            let published = try DerivationFile.tables(tables, of: document)
            let secrets = try IndicatorSecrets(key: try indicatorKey.map(IndicatorKeyFile.read))
            do {
                let summary = try FeatureBuilder.build(
                    raw: data, mapping: try DerivationFile.mapping(columns),
                    derivation: document, standard: standard,
                    output: bank.map { .folder(out, bank: $0.name) } ?? .file(out),
                    tables: published, secrets: secrets)
                for (path, rows) in summary.rowsWritten.sorted(by: { $0.key < $1.key }) {
                    ConsoleOutput.line(
                        "\(path): \(rows) rows, \(summary.fraudsWritten[path] ?? 0) frauds")
                }
            } catch let error as FeatureBuilderError {
                throw CommandFailure(error)
            }
        }
    }
}

extension CommandFailure {
    /// Why raw transactions cannot be read or built of, for a person.
    init(_ error: FeatureBuilderError) {
        switch error {
        case .violation(let violation)
        where violation.kind == .missingFile || violation.kind == .unreadableFile:
            self.init(error.description, exitKind: .noInput)
        case .sourceFailed:
            self.init(
                error.description, hint: "a table is named FILE.sqlite?table=NAME",
                exitKind: .noInput)
        case .cannotWrite: self.init(error.description, exitKind: .cannotCreate)
        default: self.init(error.description, exitKind: .data)
        }
    }
}
