internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedDecision
internal import FedReport
internal import FedRuntime
internal import FedWire

struct EffectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "effect",
        abstract: "Sums up what all banks' lists led to, masked: nobody sees a bank's figures.",
        discussion: """
            Starts a short run over all members, whose nodes must serve with --reviews, and reports \
            its sums. The newest sums are shown again with --last.
            """)

    @OptionGroup var options: StateOptions
    @Option(help: "The feature standard, JSON.")
    var standard: String?
    @Option(help: "The first day, such as 2026-11-01, UTC. Default: 84 days before the last.")
    var from: CalendarDay?
    @Option(help: "The last day, UTC. Default: today.")
    var to: CalendarDay?
    @Option(help: "Days of a step in the plots.")
    var stepDays = 7
    @Flag(help: "Show the newest sums instead of making new ones.")
    var last = false
    @Option(help: "The consortium's name, for the report.")
    var name = "the consortium"
    @Option(help: "The currency of amounts, for the report.")
    var currency = "CNY"
    @Option(help: "Write the report as JSON to this file.")
    var json: String?
    @Option(help: "Write the report as HTML to this file.")
    var html: String?

    func validate() throws {
        guard last || standard != nil else {
            throw ValidationError("--standard is needed to make sums")
        }
    }

    func run() async throws {
        let client = try OperatorConsole(options.state).client
        let run = last ? try await newest(client) : try await sum(client)
        let bytes = try await client.model(sha256: run.modelSHA256)
        let report = try EffectReport(
            try TallyDocument(bytes: bytes), subject: name, currency: currency)
        ConsoleOutput.line(report.table)
        if let json { try AtomicFile.write(report.bytes + [0x0A], to: json) }
        if let html { try AtomicFile.write(Array(EffectPage(report).text.utf8), to: html) }
    }

    private var algorithm: String { AlgorithmConfiguration.tallyNames[1] }

    private func newest(_ client: OperatorClient) async throws -> RunStatus {
        let runs = try await client.runs()
        guard let run = runs.first(where: { $0.algorithm == algorithm && $0.state == .succeeded })
        else {
            throw CommandFailure(
                "no effect was summed yet", hint: "leave --last out", exitKind: .data)
        }
        return run
    }

    private func sum(_ client: OperatorClient) async throws -> RunStatus {
        let today = Int(Timestamp.nowUnixMilliseconds() / 86_400_000)
        let last = to?.number ?? today
        let settings = [
            "fromDay=\(from?.number ?? max(0, last - 83))", "untilDay=\(last + 1)",
            "stepDays=\(stepDays)",
        ]
        let started = try await client.startRun(
            RunRequest(
                banks: [], algorithm: algorithm,
                configurationJSON: try AlgorithmSettings.json(of: settings),
                standardJSON: try AtomicFile.read(standard ?? ""), rowsMax: 0))
        let ended = try await client.watchRun(started.run) { _ in true }
        guard let ended, ended.state == .succeeded else {
            throw CommandFailure(
                "the sums were not made: \(ended?.reason ?? "the connection ended")",
                hint: ended?.hint ?? "")
        }
        return ended
    }
}
