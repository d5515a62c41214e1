internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedDecision
internal import FedFiles
internal import FedRuntime
internal import FedService
internal import Logging
internal import ServiceLifecycle

struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract:
            "Serves scores, decisions, lists and verdicts over HTTP, and a page for reviewers.",
        discussion: """
            POST /v1/score and the rest of Schemas/openapi.v1.json; the page is at /. With --grpc \
            also Schemas/fed/v1/scoring.proto. Listens on loopback; beyond it only with TLS, and \
            with a token or certificates of callers. A changed model or policy file is taken up \
            at once; \
            with --node so is every activation and rollback.
            """)

    @Option(help: "The folder for lists, cases and verdicts; made when it is not there.")
    var state = "score-state"
    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "The bank's model (fed-node combine), or a federated one alone.")
    var model: String?
    @Option(help: "A node's state folder, in place of --model: what is active there scores.")
    var node: String?
    @Option(
        help: """
            A model that scores beside it in shadow, for fed-node shadow. Default: with --node \
            its challenger and the candidate that it has voted on, while it has them.
            """)
    var challenger: String?
    @Option(help: "The decision policy, JSON.")
    var policy: String
    @Option(help: "Where to listen, host:port.")
    var http = "127.0.0.1:8600"
    @Option(help: "Where to listen for gRPC, host:port; nowhere unless given.")
    var grpc: String?
    @Option(help: "The bank's name, for reports and the page.")
    var bank = "bank"
    @Option(help: "The quietest lines to log: debug, info, warning, error.")
    var logLevel = "info"
    @OptionGroup(title: "Who may ask")
    var access: ScoreAccessOptions
    @OptionGroup(title: "Lists")
    var lists: ScoreListOptions
    @OptionGroup(title: "Raw transactions and drift")
    var features: ScoreFeatureOptions

    func validate() throws {
        guard (model == nil) != (node == nil) else {
            throw ValidationError("one of --model and --node is needed")
        }
    }

    /// The file that says what scores.
    private func modelPath() throws -> String {
        if let model { return model }
        let folder = try StateDirectory(reading: node ?? "")
        guard folder.contains(NodeModels.activeFile) else {
            throw CommandFailure(
                "\(folder.path) has no active model",
                hint: "it has one once the banks have voted for it: fed-node models",
                exitKind: .noInput)
        }
        return folder.path(of: NodeModels.activeFile)
    }

    func run() async throws {
        Telemetry.start(level: Logger.Level(rawValue: logLevel) ?? .info)
        let logger = Logger(label: "fed-node")
        let address = try HostAddress(http)
        let folder = try StateDirectory(state)
        let standard = try StandardFile.read(standard)
        var configuration = ServiceConfiguration()
        configuration.host = address.host
        configuration.port = address.port
        configuration.bank = bank
        let model = try modelPath()
        let services: [any Service]
        do {
            try access.apply(to: &configuration)
            try lists.apply(to: &configuration)
            try features.apply(to: &configuration, standard: standard)
            let files = EngineFiles(model: model, policy: policy, standard: standard)
            let store = try ReviewStore(path: folder.path(of: "review.sqlite"))
            let challengers = try challengerSources(&configuration)
            if !challengers.isEmpty {
                configuration.shadow = ShadowScorer(
                    sources: challengers, standard: standard, store: store, logger: logger)
            }
            let deriver = try features.deriver(
                standard: standard, node: node, log: folder.path(of: "raw.sqlite"), logger: logger)
            let service = try ScoringService(
                configuration, reference: EngineReference(try files.load()),
                store: store, files: files, deriver: deriver, logger: logger)
            services = [service] + (try grpcService(service, logger))
        } catch let error as ServiceError {
            throw CommandFailure(
                "\(error)", hint: error.hint ?? "fed-node score --help", exitKind: .data)
        }
        var quiet = logger
        quiet.logLevel = .error
        try await ServiceRunner.run(services, logger: quiet)
    }

    /// Where challengers come from; with a node its runs enter the metrics too.
    private func challengerSources(
        _ configuration: inout ServiceConfiguration
    ) throws(ServiceError) -> [any ModelSource] {
        let named = challenger.map { [ModelFileSource(path: $0)] }
        guard let node else { return named ?? [] }
        do {
            let store = try NodeStore(in: try StateDirectory(reading: node))
            let metrics = NodeMetrics(store: store)
            configuration.otherMetrics = { metrics.families }
            if let named { return named }
            return [NodeChallengerSource.Kind.published, .underVote].map {
                NodeChallengerSource($0, store: store, folder: node)
            }
        } catch {
            throw .invalid(path: node, reason: "\(error)")
        }
    }

    private func grpcService(
        _ service: ScoringService, _ logger: Logger
    ) throws(ServiceError) -> [any Service] {
        guard let grpc else { return [] }
        do {
            let address = try HostAddress(grpc)
            return [
                try GRPCScoring(service, host: address.host, port: address.port, logger: logger)
            ]
        } catch let error as ServiceError {
            throw error
        } catch {
            throw .invalid(path: "--grpc", reason: "\(error)")
        }
    }
}
