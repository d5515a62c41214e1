internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime

struct ReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt",
        abstract: "Checks this bank's own record of a run and shows what it proves.",
        discussion: """
            Suite, rosters, thresholds, floors, the model and the head of the hash chain. With --out \
            the record goes to a file that anybody can check: fed verify-receipt FILE.
            """)

    @OptionGroup var options: StateOptions
    @Argument(help: "The run; default: the newest that has a model.")
    var run: RunID?
    @Option(name: .shortAndLong, help: "Write the signed record to this file.")
    var out: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let state = try NodeState(in: try StateDirectory(reading: options.state))
        let store = try NodeStore(in: state.folder)
        let newest = try store.runs.runs().first {
            !$0.modelSHA256.isEmpty && AlgorithmConfiguration.names.contains($0.algorithm)
        }?.run
        guard let run = run ?? newest else {
            throw CommandFailure(
                "this bank has taken part in no run that gave a model",
                hint: "fed-node runs lists them", exitKind: .data)
        }
        let receipt = ReceiptFile(
            bank: state.bank, coordinatorKey: state.coordinatorKey,
            journal: try store.journal.entries(of: run))
        let report = try receipt.verified()
        if let out { try receipt.write(out) }
        guard !json else { return try ConsoleOutput.json(report) }
        ConsoleOutput.line(report.text)
        if let out { ConsoleOutput.line("record       \(out)") }
    }
}
