internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedDecision
internal import FedFiles
internal import FedRuntime
internal import FedService
internal import Logging
internal import ServiceLifecycle

struct CombineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "combine",
        abstract: "Makes the bank's model: local and federated as one, chosen on its valid rows.")

    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "The federated model, as fed-node model writes it.")
    var model: String
    @Option(help: "Rows to train the local model on, CSV.")
    var fit: String
    @Option(help: "Rows to choose by, CSV.")
    var valid: String
    @Option(name: .customLong("set"), help: "A hyper-parameter of the local model, name=value.")
    var settings: [String] = []
    @Option(help: "The review budget for which is chosen, a share of rows.")
    var budget = 0.005
    @Option(help: "The version of the bank's model.")
    var version = 1
    @Option(name: .shortAndLong, help: "The file to write.")
    var out: String

    func validate() throws {
        guard budget > 0, budget < 1 else {
            throw ValidationError("--budget is \(budget), expected more than 0 and less than 1")
        }
    }

    func run() async throws {
        let standard = try StandardFile.read(standard)
        let federated = try ModelFile.read(model)
        let fit = try DatasetLoader.load(path: fit, standard: standard)
        let valid = try DatasetLoader.load(path: valid, standard: standard)
        let name: String
        switch federated {
        case .logistic: name = "logistic"
        case .boosting: name = "gbdt"
        }
        let algorithm = try AlgorithmConfiguration(
            name: name, configurationJSON: Array(try AlgorithmSettings.json(of: settings).utf8))
        var local: TrainedModel?
        if fit.fraudCount > 0, fit.fraudCount < fit.rowCount {
            local = try algorithm.train(standard: standard, fit: [fit], valid: [valid])
        }
        var options = CombinationChoice.Options()
        options.reviewShare = budget
        let combined = try BankModel.fit(
            version: version, local: local, federated: federated, fit: fit, valid: valid,
            standard: standard, options: options, threads: 2)
        try AtomicFile.write(combined.bytes, to: out)
        ConsoleOutput.line(
            "\(out): \(combined.choice.rule.kind) (\(combined.choice.reason.rawValue)), "
                + "model \(combined.digest.hexadecimal)")
    }
}

struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract:
            "Serves scores, decisions, lists and verdicts over HTTP, and a page for reviewers.",
        discussion: """
            POST /v1/score and the rest of Schemas/openapi.v1.json; the page is at /. Listens on \
            loopback; beyond it only with --token. A changed model or policy file is taken up at once.
            """)

    @Option(help: "The folder for lists, cases and verdicts; made when it is not there.")
    var state = "score-state"
    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "The bank's model (fed-node combine), or a federated one alone.")
    var model: String
    @Option(help: "The decision policy, JSON.")
    var policy: String
    @Option(help: "Where to listen, host:port.")
    var http = "127.0.0.1:8600"
    @Option(help: "A file with the token that callers must show.")
    var token: String?
    @Option(help: "The bank's name, for reports and the page.")
    var bank = "bank"
    @Option(help: "The quietest lines to log: debug, info, warning, error.")
    var logLevel = "info"

    func run() async throws {
        Telemetry.start(level: Logger.Level(rawValue: logLevel) ?? .info)
        let logger = Logger(label: "fed-node")
        let address = try HostAddress(http)
        let folder = try StateDirectory(state)
        var configuration = ServiceConfiguration()
        configuration.host = address.host
        configuration.port = address.port
        configuration.bank = bank
        if let token {
            configuration.token = try AccessToken(file: try AtomicFile.read(token))
        }
        let files = EngineFiles(
            model: model, policy: policy, standard: try StandardFile.read(standard))
        let service: ScoringService
        do throws(ServiceError) {
            service = try ScoringService(
                configuration, reference: EngineReference(try files.load()),
                store: try ReviewStore(path: folder.path(of: "review.sqlite")), files: files,
                logger: logger)
        } catch {
            throw CommandFailure("\(error)", hint: "fed-node score --help", exitKind: .data)
        }
        var quiet = logger
        quiet.logLevel = .error
        try await ServiceRunner.run([service], logger: quiet)
    }
}
