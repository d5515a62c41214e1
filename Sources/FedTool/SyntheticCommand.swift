internal import ArgumentParser
internal import FedConsole
internal import FedRuntime
internal import FedSynthetic

struct SyntheticCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synthetic",
        abstract: "Makes a seeded synthetic consortium of five unequal banks.",
        discussion: "What it holds is described in Datasets/README.md.")

    @Option(help: "The folder to write.")
    var out: String
    @Option(help: "The seed; the same seed gives the same files, byte for byte.")
    var seed: UInt64 = 1
    @Option(help: "The size; 1 is the demonstration's.")
    var scale = 1.0
    @Flag(
        name: [.customLong("raw"), .customLong("transactions")],
        help: "Also write the raw transactions, bank_<NAME>_transactions.csv.")
    var transactions = false

    func run() async throws {
        do {
            let files = try SyntheticConsortium.write(
                to: out, seed: seed, scale: scale, withTransactions: transactions)
            ConsoleOutput.line("\(out): \(files.count) files")
        } catch {
            throw CommandFailure(error)
        }
    }
}

extension CommandFailure {
    /// Why a synthetic consortium was not made, for a person.
    init(_ error: SyntheticError) {
        switch error {
        case .scaleOutOfRange(let got, let expected):
            self.init(
                "--scale is \(got), expected \(expected.lowerBound) to \(expected.upperBound)",
                exitKind: .usage)
        case .cannotWrite(let path, _):
            self.init(
                "\(path) could not be written", hint: "check the folder and the space on its disk",
                exitKind: .cannotCreate)
        }
    }
}
