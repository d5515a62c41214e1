internal import FedCrypto
package import Logging
internal import ServiceLifecycle

/// Makes the lists that are due.
///
/// Each period's list is made under the period's name, so a restart makes it once; periods that
/// passed while the service was down are not made up for.
package struct ListScheduler: Service {
    private let schedule: ServiceConfiguration.Schedule
    private let destinations: [ListDestination]
    private let store: ReviewStore
    private let reference: EngineReference
    private let shadow: ShadowScorer?
    private let metrics: ServiceMetrics
    private let now: @Sendable () -> Int64
    private let interval: Duration
    private let logger: Logger

    /// Makes lists of a store.
    package init(
        schedule: ServiceConfiguration.Schedule, destinations: [ListDestination] = [],
        store: ReviewStore, reference: EngineReference, shadow: ShadowScorer? = nil,
        metrics: ServiceMetrics, now: @escaping @Sendable () -> Int64, interval: Duration,
        logger: Logger
    ) {
        self.schedule = schedule
        self.destinations = destinations
        self.store = store
        self.reference = reference
        self.shadow = shadow
        self.metrics = metrics
        self.now = now
        self.interval = interval
        self.logger = logger
    }

    /// Makes lists until a graceful shutdown.
    package func run() async throws {
        await Repetition.untilShutdown(every: interval, from: -1 as Int64) { last in
            let period = now() / schedule.periodSeconds
            if period != last, await make(period) { last = period }
        }
    }

    /// Makes a period's list, if it was not made before.
    ///
    /// - Returns: whether it is there.
    package func make(_ period: Int64) async -> Bool {
        let name = "\(period * schedule.periodSeconds)"
        do {
            let answer = try await store.makeList(
                schedule.order, engine: reference.current,
                key: OnceKey(
                    route: "schedule", key: name, bodyDigest: SHA256.hash(Array(name.utf8))),
                challengers: try await shadow?.catchUp() ?? [], for: destinations, at: now())
            guard !answer.isRepeated else { return true }
            metrics.count(.lists)
            logger.info("a list was made on schedule", metadata: ["period.start": "\(name)"])
            return true
        } catch {
            logger.error("a list could not be made", metadata: ["reason": "\(error)"])
            return false
        }
    }
}
