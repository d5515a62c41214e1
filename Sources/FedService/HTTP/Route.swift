/// What the service answers; `Schemas/openapi.v1.json` describes each.
package enum Route: String, CaseIterable, Sendable {
    case page = "GET /"
    case health = "GET /healthz"
    case ready = "GET /readyz"
    case metrics = "GET /metrics"
    case score = "POST /v1/score"
    case model = "GET /v1/model"
    case makeList = "POST /v1/lists"
    case lists = "GET /v1/lists"
    case latestList = "GET /v1/lists/latest"
    case list = "GET /v1/lists/{list}"
    case deliveries = "GET /v1/deliveries"
    case cases = "GET /v1/cases"
    case verdicts = "POST /v1/verdicts"
    case labels = "POST /v1/labels"
    case frauds = "POST /v1/frauds"
    case effect = "GET /v1/effect"

    /// The HTTP method.
    package var method: String { rawValue.hasPrefix("GET ") ? "GET" : "POST" }

    /// The path, with places in braces.
    package var path: String { String(rawValue.drop { $0 != " " }.dropFirst()) }

    /// Whether it says nothing of the bank, so that it needs no token.
    package var isOpen: Bool { self == .page || self == .health || self == .ready }

    /// Finds a path's routes, with what stands in the place in braces.
    static func matches(_ path: String) -> (routes: [Route], argument: String)? {
        let exact = allCases.filter { $0.path == path }
        if !exact.isEmpty { return (exact, "") }
        let prefix = "/v1/lists/"
        guard path.hasPrefix(prefix) else { return nil }
        let argument = String(path.dropFirst(prefix.count))
        guard (1...32).contains(argument.utf8.count), !argument.contains("/") else { return nil }
        return ([.list], argument)
    }

    /// Names of query parameters that it knows.
    package var parameters: [String] {
        switch self {
        case .score: ["reasons", "explain", "record"]
        case .latestList, .list: ["format"]
        case .cases: ["state", "list", "limit"]
        case .effect: ["from", "until"]
        case .page, .health, .ready, .metrics, .model, .makeList, .lists, .deliveries, .verdicts,
            .labels, .frauds:
            []
        }
    }
}
