package import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import ServiceLifecycle

/// A bank's scoring service over HTTP: scores, decisions, lists, verdicts, effect, and a page for
/// reviewers.
///
/// It listens on loopback unless it is told otherwise, and beyond loopback only with a token.
package struct ScoringService: Service {
    /// What the service runs with.
    package let configuration: ServiceConfiguration
    /// The engine that scores now; may be swapped at any time.
    package let reference: EngineReference
    /// What the service counts of itself.
    package let metrics: ServiceMetrics
    private let store: ReviewStore
    private let files: EngineFiles?
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// Sets the service up.
    ///
    /// - Parameters:
    ///   - reference: the engine to begin with.
    ///   - store: the review loop's memory.
    ///   - files: where to look for new models and policies; `nil` for none.
    ///   - onListening: called with the port once requests are taken.
    /// - Throws: ``ServiceError/tokenRequired(host:)``.
    package init(
        _ configuration: ServiceConfiguration, reference: EngineReference, store: ReviewStore,
        files: EngineFiles? = nil, logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ServiceError) {
        guard configuration.isLoopback || configuration.token != nil else {
            throw .tokenRequired(host: configuration.host)
        }
        self.configuration = configuration
        self.reference = reference
        self.store = store
        self.files = files
        self.logger = logger
        self.onListening = onListening
        metrics = ServiceMetrics()
    }

    /// Serves until a graceful shutdown.
    package func run() async throws { try await application.run() }

    /// The service as Hummingbird's application.
    package var application: Application<ServiceResponder> {
        var services: [any Service] = []
        if let files {
            services.append(
                EngineWatcher(
                    files: files, reference: reference, interval: configuration.pollInterval,
                    metrics: metrics, logger: logger))
        }
        if let schedule = configuration.schedule {
            services.append(
                ListScheduler(
                    schedule: schedule, store: store, reference: reference, metrics: metrics,
                    now: configuration.now, interval: configuration.pollInterval, logger: logger))
        }
        var inner = logger
        // Hummingbird tells of every connection.
        inner.logLevel = max(logger.logLevel, .warning)
        let idle = TimeAmount.seconds(Int64(configuration.limits.idleSeconds))
        return Application(
            responder: ServiceResponder(
                configuration: configuration, reference: reference, store: store,
                metrics: metrics, logger: logger),
            server: HTTPServerBuilder { responder in
                LoopBoundChannel(
                    base: HTTP1Channel(
                        responder: responder,
                        configuration: HTTP1Channel.Configuration(idleTimeout: idle)))
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
