public import Logging
public import ServiceLifecycle
internal import UnixSignals

/// Runs services until one ends or the process is asked to stop.
public enum ServiceRunner {
    /// Runs all of them; SIGTERM and SIGINT begin a graceful shutdown, last service first.
    ///
    /// - Parameter grace: how long the shutdown may take before tasks are cancelled.
    public static func run(
        _ services: [any Service], grace: Duration = .seconds(10), logger: Logger
    ) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0, successTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = grace
        try await ServiceGroup(configuration: configuration).run()
    }
}
