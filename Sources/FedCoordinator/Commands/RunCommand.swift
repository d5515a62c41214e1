internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import FedWire

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Starts, watches, lists and ends runs.",
        subcommands: [Start.self, Indicators.self, Watch.self, Status.self, Abort.self])

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Starts a run over all members, or over the banks named.",
            discussion: AlgorithmSettings.help)

        @OptionGroup var options: StateOptions
        @Option(help: "The feature standard, JSON.")
        var standard: String
        @Option(help: "The algorithm: \(AlgorithmConfiguration.names.joined(separator: ", ")).")
        var algorithm = "logistic"
        @Option(
            name: .customLong("set"),
            help: "A hyper-parameter, name=value; may be repeated. See below.")
        var settings: [String] = []
        @Option(name: .customLong("bank"), help: "A bank to take part; may be repeated.")
        var banks: [NodeID] = []
        @Option(help: "The most rows that a bank may bring.")
        var rowsMax = Manifest.rowsMaxDefault
        @Flag(help: "Follow the run until it has ended.")
        var watch = false
        @OptionGroup var output: RunOutputOptions

        func run() async throws {
            let console = try OperatorConsole(options.state)
            let request = RunRequest(
                banks: banks, algorithm: algorithm,
                configurationJSON: try AlgorithmSettings.json(of: settings),
                standardJSON: try AtomicFile.read(standard), rowsMax: UInt64(clamping: rowsMax))
            let status = try await console.client.startRun(request)
            try await tell(status, console: console, watch: watch, output)
        }
    }

    struct Indicators: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sums a shared indicator over some periods; all banks get the table.",
            discussion: """
                The banks count their own transactions; only sums over all banks of the run exist \
                for anyone, and only where enough banks were active. A period is summed once: the \
                banks refuse it over another roster, other periods or other figures. They also \
                refuse periods whose figures they cannot know yet.
                """)

        @OptionGroup var options: StateOptions
        @Option(help: "The feature standard, JSON.")
        var standard: String
        @Option(help: "The derivation that declares the indicator, JSON.")
        var derivation: String
        @Option(help: "The indicator's name.")
        var indicator: String
        @Option(help: "The first period; period p begins p times its length after second 0.")
        var firstPeriod: Int64
        @Option(help: "How many periods.")
        var periods: Int
        @Option(help: "The version of the figures; a greater one replaces a lesser.")
        var revision = 1
        @Option(
            help: "For a sketch: the check of the banks' key, as fed-node indicator-key shows it.")
        var keyCheck: String?
        @Option(name: .customLong("bank"), help: "A bank to take part; may be repeated.")
        var banks: [NodeID] = []
        @Flag(help: "Follow the run until it has ended.")
        var watch = false
        @OptionGroup var output: RunOutputOptions

        func run() async throws {
            let document = try DerivationFile.read(derivation)
            let plan: IndicatorPlan
            do {
                plan = try IndicatorPlan(
                    document, indicator: indicator, firstPeriod: firstPeriod,
                    periodCount: periods, revision: revision,
                    keyCheck: try Self.isSketch(indicator, of: document)
                        ? keyCheck.map(Self.bytes) : nil)
            } catch let error as IndicatorError {
                throw CommandFailure("\(error)", exitKind: .data)
            }
            if Self.isSketch(indicator, of: document), keyCheck == nil {
                throw CommandFailure(
                    "indicator \(indicator) is a sketch: --key-check is needed",
                    hint: "a bank prints it: fed-node indicator-key check", exitKind: .usage)
            }
            let console = try OperatorConsole(options.state)
            let status = try await console.client.startRun(
                RunRequest(
                    banks: banks, algorithm: AlgorithmConfiguration.indicatorsName,
                    configurationJSON: String(decoding: plan.canonical.bytes, as: UTF8.self),
                    standardJSON: try AtomicFile.read(standard),
                    rowsMax: UInt64(Manifest.rowsMaxDefault)))
            try await tell(status, console: console, watch: watch, output)
        }

        private static func isSketch(_ name: String, of derivation: Derivation) -> Bool {
            let index = derivation.indicators.first { $0.name == name }?.index
            guard case .sketch? = index else { return false }
            return true
        }

        private static func bytes(_ text: String) throws -> [UInt8] {
            guard let bytes = [UInt8](hexadecimal: text) else {
                throw CommandFailure("--key-check is not hexadecimal", exitKind: .usage)
            }
            return bytes
        }
    }

    struct Watch: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Follows a run to its end.")

        @OptionGroup var options: StateOptions
        @Argument(help: "The run; default: the newest.")
        var run: RunID?
        @OptionGroup var output: RunOutputOptions

        func run() async throws {
            let console = try OperatorConsole(options.state)
            try await follow(try await console.newest(run), console: console, output)
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows a run, or lists all.")

        @OptionGroup var options: StateOptions
        @Argument(help: "The run; default: all, newest first.")
        var run: RunID?
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let console = try OperatorConsole(options.state)
            if let run {
                let status = try await console.client.run(run)
                guard !json else { return try ConsoleOutput.json(StatusReport(status)) }
                return ConsoleOutput.line(StatusReport(status).text)
            }
            let statuses = try await console.client.runs()
            guard !json else { return try ConsoleOutput.json(statuses.map(StatusReport.init)) }
            ConsoleOutput.table(
                ["run", "state", "algorithm", "started", "seconds", "result"],
                statuses.map {
                    [
                        $0.run.description, $0.state.rawValue, $0.algorithm,
                        Timestamp.text(unixSeconds: $0.startedUnixMilliseconds / 1000),
                        StatusReport.seconds($0.seconds),
                        $0.modelSHA256.isEmpty ? $0.reason : $0.modelSHA256,
                    ]
                })
        }
    }

    struct Abort: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a run without a model.")

        @OptionGroup var options: StateOptions
        @Argument(help: "The run; default: the newest.")
        var run: RunID?

        func run() async throws {
            let console = try OperatorConsole(options.state)
            let status = try await console.client.abortRun(
                try await console.newest(run), reason: "by the operator")
            ConsoleOutput.line("run \(status.run) \(status.state.rawValue): \(status.reason)")
        }
    }
}

/// How a run that is started or followed is told of.
struct RunOutputOptions: ParsableArguments {
    @Flag(help: "Print JSON; of a run that is followed, how it ended.")
    var json = false
    @Option(
        help: "Seconds between two lines of progress where the standard error is no terminal.")
    var progressSeconds = Double(ProgressLine.pauseDefault.components.seconds)

    func validate() throws {
        guard progressSeconds >= 0, progressSeconds <= 86_400 else {
            throw ValidationError("--progress-seconds is \(progressSeconds), expected 0 to 86400")
        }
    }
}

extension OperatorConsole {
    fileprivate func newest(_ run: RunID?) async throws -> RunID {
        if let run { return run }
        guard let newest = try await client.runs(limit: 1).first else {
            throw CommandFailure(
                "there is no run yet", hint: "fed-coordinator run start", exitKind: .data)
        }
        return newest.run
    }
}

/// Says that a run has begun, or follows it to its end.
private func tell(
    _ status: RunStatus, console: OperatorConsole, watch: Bool, _ output: RunOutputOptions
) async throws {
    guard watch else {
        guard !output.json else { return try ConsoleOutput.json(StatusReport(status)) }
        return ConsoleOutput.line(
            "run \(status.run) \(status.note)\n"
                + "follow it: fed-coordinator run watch \(status.run)")
    }
    try await follow(status.run, console: console, output)
}

private func follow(
    _ run: RunID, console: OperatorConsole, _ output: RunOutputOptions
) async throws {
    let progress = ProgressLine(pause: .seconds(output.progressSeconds))
    let last = try await console.client.watchRun(run) { status in
        progress.update(StatusReport(status).progress, isNews: !status.state.isFinal)
        return true
    }
    progress.finish()
    guard let last else {
        throw CommandFailure("the coordinator ended the connection", exitKind: .unavailable)
    }
    if output.json {
        try ConsoleOutput.json(StatusReport(last))
    } else {
        ConsoleOutput.line(StatusReport(last).text)
    }
    guard last.state == .succeeded else {
        throw CommandFailure(
            "run \(run) ended without a model: \(last.reason)", hint: last.hint)
    }
}
