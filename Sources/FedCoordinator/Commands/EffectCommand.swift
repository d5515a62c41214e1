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
    @Flag(help: "Show the newest sums instead of making new ones.")
    var last = false
    @Option(help: "The consortium's name, for the report.")
    var name = "the consortium"
    @OptionGroup var effect: EffectOptions

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
            try TallyDocument(bytes: bytes), subject: name, currency: effect.currency)
        try effect.show(report) { EffectPage(report).text }
    }

    private func newest(_ client: OperatorClient) async throws -> RunStatus {
        let runs = try await client.runs()
        guard
            let run = runs.first(where: {
                $0.algorithm == TallyConfiguration.effectName && $0.state == .succeeded
            })
        else {
            throw CommandFailure(
                "no effect was summed yet", hint: "leave --last out", exitKind: .data)
        }
        return run
    }

    private func sum(_ client: OperatorClient) async throws -> RunStatus {
        let days = try effect.days()
        let settings = [
            "fromDay=\(days.lowerBound)", "untilDay=\(days.upperBound)",
            "stepDays=\(effect.stepDays)",
        ]
        let started = try await client.startRun(
            RunRequest(
                banks: [], algorithm: TallyConfiguration.effectName,
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
