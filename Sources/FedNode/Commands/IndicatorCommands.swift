internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedCrypto
internal import FedRuntime
internal import Foundation

struct TablesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract:
            "Lists the tables of shared indicators that this bank has received, and writes them.",
        discussion: """
            With --out every table goes to a file of the folder; fed features build --table reads \
            them.
            """)

    @OptionGroup var options: StateOptions
    @Option(name: .shortAndLong, help: "The folder to write the tables to.")
    var out: String?
    @Flag(help: "Print JSON.")
    var json = false

    private struct Line: Encodable {
        let indicator: String
        let firstPeriod: Int64
        let periods: Int
        let revision: Int
        let banks: Int
        let bytes: Int
        let sha256: String
        let run: String
        let file: String?
    }

    private func path(_ table: NodeTable) -> String? { out.map { "\($0)/\(table.fileName)" } }

    func run() async throws {
        let tables = try options.store().tables()
        if let out {
            try FileManager.default.createDirectory(
                atPath: out, withIntermediateDirectories: true)
            for table in tables {
                try AtomicFile.write(
                    table.bytes, to: "\(out)/\(table.fileName)", mode: 0o644)
            }
        }
        let lines = tables.map {
            Line(
                indicator: $0.plan.indicator.name, firstPeriod: $0.plan.firstPeriod,
                periods: $0.plan.periodCount, revision: $0.plan.revision, banks: $0.banks,
                bytes: $0.bytes.count, sha256: $0.sha256, run: $0.run.description,
                file: path($0))
        }
        guard !json else { return try ConsoleOutput.json(lines) }
        ConsoleOutput.table(
            ["indicator", "first period", "periods", "revision", "banks", "bytes", "sha256"],
            lines.map {
                [
                    $0.indicator, "\($0.firstPeriod)", "\($0.periods)", "\($0.revision)",
                    "\($0.banks)", "\($0.bytes)", String($0.sha256.prefix(16)),
                ]
            })
        if let out { ConsoleOutput.line("\(tables.count) tables are in \(out)") }
    }
}

struct IndicatorKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "indicator-key",
        abstract: "Keeps the key of sensitive identifiers, which all banks share.",
        discussion: """
            One bank creates it and gives the exported file to each other bank over a channel of \
            their own; the coordinator must not get it. check prints a digest that is the same at \
            all banks and tells nothing of the key; runs of sketches name it, and a bank with \
            another key refuses them.
            """,
        subcommands: [Create.self, Export.self, Import.self, Check.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Makes a key, at one bank.")
        @OptionGroup var options: StateOptions

        func run() async throws {
            let node = try options.lockedNode()
            if try node.indicatorKey() == nil {
                var bytes = try SystemEntropy.bytes(IndicatorSecrets.keyByteCount)
                try node.setIndicatorKey(SecretBytes(wiping: &bytes))
            }
            try IndicatorKeyCommand.show(try node.indicatorKey())
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes the key for another bank. Whoever reads the file has the key.")
        @OptionGroup var options: StateOptions
        @Option(name: .shortAndLong, help: "The file to write; only its owner can read it.")
        var out: String

        func run() async throws {
            guard let key = try options.lockedNode().indicatorKey() else {
                throw IndicatorKeyCommand.noKey
            }
            try AtomicFile.write(IndicatorKeyFile.bytes(of: key), to: out)
            try IndicatorKeyCommand.show(key)
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Installs the key that another bank has given.")
        @OptionGroup var options: StateOptions
        @Argument(help: "The file.")
        var file: String

        func run() async throws {
            let key = try IndicatorKeyFile.read(file)
            try options.lockedNode().setIndicatorKey(key)
            try IndicatorKeyCommand.show(key)
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the key's check, to be compared with the other banks.")
        @OptionGroup var options: StateOptions

        func run() async throws {
            try IndicatorKeyCommand.show(
                try NodeState(in: try StateDirectory(reading: options.state)).indicatorKey())
        }
    }

    fileprivate static var noKey: CommandFailure {
        CommandFailure(
            "this bank has no indicator key",
            hint: "fed-node indicator-key create, or import the one of another bank",
            exitKind: .data)
    }

    fileprivate static func show(_ key: SecretBytes?) throws {
        guard let key, let check = try IndicatorSecrets(key: key).keyCheck else { throw noKey }
        ConsoleOutput.line("key check \(check.hexadecimal)")
    }
}
