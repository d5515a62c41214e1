internal import FedDecision
internal import Synchronization

/// What the service counts of itself.
package final class ServiceMetrics: Sendable {
    /// Plain counters.
    package enum Counter: Int, CaseIterable, Sendable {
        case shed, reloadFailures, transactions, recorded, lists, deliveries, deliveryFailures

        var name: String {
            switch self {
            case .shed: "fed_requests_shed_total"
            case .reloadFailures: "fed_reload_failures_total"
            case .transactions: "fed_transactions_scored_total"
            case .recorded: "fed_transactions_recorded_total"
            case .lists: "fed_lists_made_total"
            case .deliveries: "fed_lists_delivered_total"
            case .deliveryFailures: "fed_list_delivery_failures_total"
            }
        }

        var help: String {
            switch self {
            case .shed: "Requests answered by 429 or 503 because of load."
            case .reloadFailures: "Changed model or policy files that were of no use."
            case .transactions: "Transactions scored."
            case .recorded: "Scored transactions recorded for lists."
            case .lists: "Lists made."
            case .deliveries: "Lists delivered to webhooks and folders."
            case .deliveryFailures: "Deliveries that failed and are tried again, or given up."
            }
        }
    }

    private struct RouteStatus: Hashable {
        let route: Route?
        let status: Int
    }

    private struct State {
        var counters = [Int](repeating: 0, count: Counter.allCases.count)
        var requests: [RouteStatus: Int] = [:]
        var latency: [Route: Histogram] = [:]
        var decisions: [PolicyAction: Int] = [:]
        var verdicts: [VerdictLedger.Reception: Int] = [:]
        var probability = Histogram(bounds: ServiceMetrics.probabilityBounds)
    }

    /// Seconds.
    static let latencyBounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5,
    ]
    /// Calibrated probabilities, finer where few rows are: a shift of them is drift.
    static let probabilityBounds = [
        0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 1,
    ]

    private let state = Mutex(State())

    /// Begins at zero.
    package init() {}

    /// Counts.
    package func count(_ counter: Counter, by number: Int = 1) {
        state.withLock { $0.counters[counter.rawValue] += number }
    }

    /// What was counted.
    package func value(_ counter: Counter) -> Int {
        state.withLock { $0.counters[counter.rawValue] }
    }

    /// Takes an answered request; `route` is `nil` for an unknown path.
    func answered(_ route: Route?, status: Int, seconds: Double) {
        state.withLock { state in
            state.requests[RouteStatus(route: route, status: status), default: 0] += 1
            guard let route else { return }
            state.latency[route, default: Histogram(bounds: Self.latencyBounds)]
                .observe(seconds)
        }
    }

    /// Takes scores.
    func scored(_ scores: [ScoringEngine.Scored]) {
        state.withLock { state in
            state.counters[Counter.transactions.rawValue] += scores.count
            for score in scores {
                state.decisions[score.decision.action, default: 0] += 1
                state.probability.observe(score.parts.probability)
            }
        }
    }

    /// Takes verdicts.
    func received(_ receptions: [VerdictLedger.Reception]) {
        state.withLock { state in
            for reception in receptions { state.verdicts[reception, default: 0] += 1 }
        }
    }

    /// All figures.
    func families(
        engine: ScoringEngine, swaps: Int, inFlight: Int, openCases: Int?
    ) -> [MetricFamily] {
        let state = state.withLock { $0 }
        var families = [
            MetricFamily(
                "fed_http_requests_total", .counter, "Requests answered, by route and status.",
                state.requests.map { key, count in
                    MetricFamily.Sample(
                        Double(count),
                        labels: [
                            ("route", key.route?.path ?? "unknown"),
                            ("method", key.route?.method ?? ""), ("status", "\(key.status)"),
                        ])
                }.sorted { "\($0.labels)" < "\($1.labels)" }),
            MetricFamily(
                "fed_http_request_duration_seconds", .histogram,
                "Seconds from a request's head to its answer.",
                Route.allCases.flatMap { route in
                    state.latency[route]?.samples(
                        labels: [("route", route.path), ("method", route.method)]) ?? []
                }),
            MetricFamily(
                "fed_decisions_total", .counter, "Transactions scored, by decision.",
                PolicyAction.allCases.map {
                    MetricFamily.Sample(
                        Double(state.decisions[$0] ?? 0), labels: [("decision", $0.rawValue)])
                }),
            MetricFamily(
                "fed_verdicts_total", .counter, "Verdicts received, by what became of them.",
                VerdictLedger.Reception.allCases.map {
                    MetricFamily.Sample(
                        Double(state.verdicts[$0] ?? 0), labels: [("reception", $0.rawValue)])
                }),
            MetricFamily(
                "fed_score_probability", .histogram,
                "Calibrated probabilities of scored transactions; their shift is drift.",
                state.probability.samples()),
            MetricFamily(
                "fed_model_info", .gauge, "The model that scores.",
                [
                    MetricFamily.Sample(
                        1,
                        labels: [
                            ("sha256", engine.modelSHA256), ("version", "\(engine.model.version)"),
                        ])
                ]),
            MetricFamily(
                "fed_policy_info", .gauge, "The policy that decides.",
                [
                    MetricFamily.Sample(
                        1,
                        labels: [
                            ("sha256", engine.policySHA256),
                            ("version", "\(engine.policy.version)"),
                        ])
                ]),
            MetricFamily(
                "fed_engine_swaps_total", .counter, "Models and policies swapped while scoring.",
                [MetricFamily.Sample(Double(swaps))]),
            MetricFamily(
                "fed_requests_in_flight", .gauge, "Scoring requests worked on or waiting.",
                [MetricFamily.Sample(Double(inFlight))]),
        ]
        families += Counter.allCases.map {
            MetricFamily(
                $0.name, .counter, $0.help,
                [MetricFamily.Sample(Double(state.counters[$0.rawValue]))])
        }
        if let openCases {
            families.append(
                MetricFamily(
                    "fed_cases_open", .gauge, "Listed cases without a verdict.",
                    [MetricFamily.Sample(Double(openCases))]))
        }
        return families
    }
}
