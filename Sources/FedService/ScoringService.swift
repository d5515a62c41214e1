package import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOSSL
internal import ServiceLifecycle

/// A bank's scoring service over HTTP: scores, decisions, lists, verdicts, effect, and a page for
/// reviewers.
///
/// It listens on loopback unless it is told otherwise; beyond loopback only with TLS, and only for
/// callers that show a token or a certificate.
package struct ScoringService: Service {
    /// What the service runs with.
    package let configuration: ServiceConfiguration
    /// The engine that scores now; may be swapped at any time.
    package let reference: EngineReference
    /// What the service counts of itself.
    package let metrics: ServiceMetrics
    private let store: ReviewStore
    private let files: EngineFiles?
    private let courier: ListCourier?
    private let tls: NIOSSLContext?
    private let deriver: RawDeriver?
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// Sets the service up.
    ///
    /// - Parameters:
    ///   - reference: the engine to begin with.
    ///   - store: the review loop's memory.
    ///   - deriver: derives features of raw transactions; `nil` takes features only.
    ///   - files: where to look for new models and policies; `nil` for none.
    ///   - onListening: called with the port once requests are taken.
    /// - Throws: ``ServiceError/tlsRequired(host:)``,
    ///   ``ServiceError/authenticationRequired(host:)``, ``ServiceError/tls(part:reason:)``.
    package init(
        _ configuration: ServiceConfiguration, reference: EngineReference, store: ReviewStore,
        files: EngineFiles? = nil, deriver: RawDeriver? = nil, logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ServiceError) {
        try configuration.check()
        tls = try configuration.tls.map { tls throws(ServiceError) in try tls.context() }
        self.configuration = configuration
        self.reference = reference
        self.store = store
        self.files = files
        self.logger = logger
        self.onListening = onListening
        self.deriver = deriver
        configuration.drift?.follow(reference.current)
        metrics = ServiceMetrics()
        courier =
            configuration.destinations.isEmpty
            ? nil
            : ListCourier(
                store: store, destinations: configuration.destinations,
                signer: configuration.webhookSigner,
                sender: try WebSender(authorities: configuration.webhookAuthorities),
                retry: configuration.retry, metrics: metrics, now: configuration.now,
                interval: configuration.pollInterval, logger: logger)
    }

    /// The way that all requests for scores take.
    var desk: ScoreDesk {
        ScoreDesk(
            configuration: configuration, reference: reference, store: store, metrics: metrics,
            deriver: deriver)
    }

    /// Serves until a graceful shutdown.
    package func run() async throws {
        try await application.run()
        await deriver?.saveSnapshot()
    }

    /// The service as Hummingbird's application.
    package var application: Application<ServiceResponder> {
        var services: [any Service] = []
        if let courier { services.append(courier) }
        if let deriver {
            services.append(TableWatcher(deriver: deriver, interval: configuration.tableInterval))
        }
        if let shadow = configuration.shadow { services.append(shadow) }
        if let files {
            services.append(
                EngineWatcher(
                    files: files, reference: reference, interval: configuration.pollInterval,
                    metrics: metrics, drift: configuration.drift, logger: logger))
        }
        if let schedule = configuration.schedule {
            services.append(
                ListScheduler(
                    schedule: schedule, destinations: configuration.destinations, store: store,
                    reference: reference, shadow: configuration.shadow, metrics: metrics,
                    now: configuration.now,
                    interval: configuration.pollInterval, logger: logger))
        }
        var inner = logger
        // Hummingbird tells of every connection.
        inner.logLevel = max(logger.logLevel, .warning)
        let idle = TimeAmount.seconds(Int64(configuration.limits.idleSeconds))
        let responder = ServiceResponder(
            configuration: configuration, desk: desk, logger: logger)
        let scoring = PlainScoring(
            reference: reference, metrics: metrics, gate: responder.gate,
            configuration: configuration)
        let loads = LoopLoads(bound: configuration.limits.requestsInFlightMax)
        return Application(
            responder: responder,
            server: HTTPServerBuilder { responder in
                // Idle connections are closed by the handler that sees all requests.
                LoopBoundChannel(
                    base: HTTP1Channel(responder: responder), tls: tls, scoring: scoring,
                    loads: loads, idle: idle)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                backlog: 1024),
            services: services,
            onServerRunning: { [logger, configuration, onListening] channel in
                let port = channel.localAddress?.port ?? configuration.port
                logger.info(
                    "scoring over HTTP",
                    metadata: ["address": "\(configuration.host):\(port)"])
                onListening(port)
            }, logger: inner)
    }
}
