internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedFiles
internal import FedRuntime

struct StandardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "standard", abstract: "Drafts and shows feature standards.",
        subcommands: [Draft.self, Show.self])

    struct Draft: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Drafts a standard from data files, for people to complete.",
            discussion: """
                Types and wide ranges are taken from the files; units, sensitivity grades and \
                descriptions are for the banks to agree on.
                """)

        @Option(help: "The name of the standard.")
        var name = "draft"
        @Option(name: .shortAndLong, help: "The file to write. Default: the standard output.")
        var out: String?
        @Argument(help: "Data files, CSV.")
        var files: [String]

        func run() async throws {
            let standard = try StandardDrafter.draft(name: name, paths: files)
            guard let out else {
                return ConsoleOutput.line(
                    String(decoding: standard.readableBytes, as: UTF8.self))
            }
            try AtomicFile.write(standard.readableBytes, to: out)
            ConsoleOutput.line("\(out): \(standard.features.count) features")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a standard: its hash, which runs name, and its features.")

        @Argument(help: "The feature standard, JSON.")
        var file: String

        func run() async throws {
            let standard = try StandardFile.read(file)
            ConsoleOutput.line("\(standard.name) \(standard.version)")
            ConsoleOutput.line("sha256 \(standard.sha256.hexadecimal)")
            ConsoleOutput.table(
                ["feature", "type", "unit", "range", "missing", "transform", "sensitivity"],
                standard.features.map {
                    [
                        $0.name, $0.type.name, $0.unit,
                        "\($0.range.lowerBound)…\($0.range.upperBound)", $0.missing.name,
                        $0.transform.rawValue, $0.sensitivity.rawValue,
                    ]
                })
        }
    }
}
