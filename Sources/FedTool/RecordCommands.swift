internal import ArgumentParser
internal import FedConsole
internal import FedCoordinator
internal import FedCore
internal import FedRuntime

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Computes a run's model again from the recorded masked vectors, no bank online.",
        discussion: """
            Every signature, every masked sum and every step of the training are checked on the way; \
            the model must come out byte for byte. Exit code 65 at the first thing that does not fit.
            """)

    @Option(help: "The coordinator's state folder.")
    var state = "coordinator-state"
    @Argument(help: "The run; default: the newest that has a model.")
    var run: RunID?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let replay: (run: VerifiedRun, modelSHA256: String)
        do {
            replay = try CoordinatorRecord(state: state).replay(run: run)
        } catch let failure as RecordFailure {
            throw CommandFailure("the record does not give the run: \(failure)", exitKind: .data)
        }
        let report = ReceiptReport(replay.run)
        guard replay.run.modelDigest.hexadecimal == replay.modelSHA256 else {
            throw CommandFailure(
                "the record gives model \(replay.run.modelDigest.hexadecimal), "
                    + "published was \(replay.modelSHA256)", exitKind: .data)
        }
        guard !json else { return try ConsoleOutput.json(report) }
        ConsoleOutput.line(report.text)
        ConsoleOutput.line("the record gives the published model, byte for byte")
    }
}

struct VerifyReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-receipt",
        abstract: "Checks a bank's record of a run, offline and without any secret.")

    @Flag(help: "Print JSON.")
    var json = false
    @Argument(help: "The file that fed-node receipt --out has written.")
    var file: String

    func run() async throws {
        let report = try ReceiptFile.read(file).verified()
        if json { try ConsoleOutput.json(report) } else { ConsoleOutput.line(report.text) }
    }
}
