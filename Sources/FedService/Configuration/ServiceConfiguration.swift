package import FedDecision

/// Where and how a bank's scoring service listens, and what it allows.
package struct ServiceConfiguration: Sendable {
    /// Bounds that keep the service alive under load.
    package struct Limits: Equatable, Sendable {
        /// Requests that are worked on or wait; one more is answered with 503.
        package var requestsInFlightMax = 128
        /// Batches that are worked on at once; one more is answered with 429.
        package var batchesInFlightMax = 2
        /// Transactions of one batch.
        package var batchRowsMax = 10_000
        /// Bytes of a request's body.
        package var bodyBytesMax = 32 << 20
        /// Seconds after which a connection without a request is closed.
        package var idleSeconds = 75

        /// The defaults.
        package init() {}
    }

    /// When lists are made without being asked for.
    package struct Schedule: Equatable, Sendable {
        /// Seconds from one list to the next; lists are due at whole multiples since 1970, UTC.
        package var periodSeconds: Int64
        /// What each list asks for.
        package var order: ListOrder

        /// Wraps settings.
        package init(periodSeconds: Int64, order: ListOrder) {
            precondition(periodSeconds > 0, "a period of \(periodSeconds) s")
            self.periodSeconds = periodSeconds
            self.order = order
        }
    }

    /// The address to listen on; only a loopback one may go without TLS, and without a token or
    /// certificates of callers.
    package var host = "127.0.0.1"
    /// The port; 0 lets the system choose.
    package var port = 8600
    /// What callers must show; `nil` asks for nothing.
    package var token: AccessToken?
    /// How connections are protected; `nil` for not at all.
    package var tls: ServiceTLS?
    /// The bank's name, in reports and on the page.
    package var bank = "bank"
    /// The currency of amounts, such as CNY.
    package var currency = "CNY"
    /// Minor units of one of the currency.
    package var minorUnits: Int64 = 100
    /// Reasons of a score, where the request does not say.
    package var reasonsDefault = 3
    /// Bounds.
    package var limits = Limits()
    /// Where lists are delivered without being fetched.
    package var destinations: [ListDestination] = []
    /// Signs what is posted to webhooks.
    package var webhookSigner: WebhookSigner?
    /// PEM of the authorities of webhooks; `nil` for the system's.
    package var webhookAuthorities: [UInt8]?
    /// When deliveries are tried again.
    package var retry = DeliveryOutbox.Retry()
    /// When lists are made; `nil` for on demand only.
    package var schedule: Schedule?
    /// Compares what is scored with reference rows; `nil` for no comparison.
    package var drift: DriftMeter?
    /// Scores by a challenger what was recorded; `nil` for none.
    package var shadow: ShadowScorer?
    /// How often files are looked at for a change.
    package var pollInterval: Duration = .seconds(1)
    /// How often new tables of shared indicators are looked for.
    package var tableInterval: Duration = .seconds(10)
    /// Seconds for which scored transactions are kept for lists.
    package var retentionSeconds: Int64 = 35 * 86_400
    /// The wall clock: seconds since 1970.
    package var now: @Sendable () -> Int64 = WallClock.seconds
    /// Metrics of other parts of the process, such as rounds of training.
    package var otherMetrics: @Sendable () -> [MetricFamily] = { [] }

    /// The defaults: loopback only.
    package init() {}

    /// Refuses to be open to other machines without protection.
    func check() throws(ServiceError) {
        guard !isLoopback else { return }
        guard let tls else { throw .tlsRequired(host: host) }
        guard token != nil || tls.isMutual else { throw .authenticationRequired(host: host) }
    }

    /// Whether the address is reachable from this machine only.
    package var isLoopback: Bool { Self.isLoopback(host) }

    /// Whether a host name or address means this machine.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" || host == "[::1]" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
