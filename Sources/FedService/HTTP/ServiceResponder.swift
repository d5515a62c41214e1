internal import FedCore
internal import FedCrypto
internal import FedDecision
internal import HTTPTypes
package import Hummingbird
internal import Logging
internal import NIOCore

/// Answers the requests of ``Route``.
///
/// Single scores are worked on by the thread that read them, all else by the general pool.
package struct ServiceResponder: HTTPResponder {
    package typealias Context = BasicRequestContext

    let configuration: ServiceConfiguration
    let desk: ScoreDesk
    let gate: Gate
    let logger: Logger

    var reference: EngineReference { desk.reference }
    var store: ReviewStore { desk.store }
    var metrics: ServiceMetrics { desk.metrics }

    init(configuration: ServiceConfiguration, desk: ScoreDesk, logger: Logger) {
        self.configuration = configuration
        self.desk = desk
        self.logger = logger
        gate = Gate(
            token: configuration.token, hasCertificates: configuration.tls?.isMutual ?? false)
    }

    package func respond(to request: Request, context: BasicRequestContext) async -> Response {
        let start = WallClock.steady
        var route: Route?
        var answer: Answer
        do {
            let (found, argument) = try find(request)
            route = found
            try gate.check(found, request)
            answer =
                found == .score
                ? try await score(request, try Query(request, route: found))
                : try await withTaskExecutorPreference(globalConcurrentExecutor) {
                    try await self.answer(found, argument, request)
                }
        } catch let fault as Fault {
            answer = Answer(fault)
        } catch {
            logger.error("a request failed", metadata: ["reason": "\(error)"])
            answer = Answer(
                Fault(.internalFailure, got: "a failure of the service", expected: "see its log"))
        }
        metrics.answered(
            route, status: answer.status,
            seconds: (WallClock.steady - start).seconds)
        return answer.response
    }

    private func find(_ request: Request) throws(Fault) -> (Route, String) {
        guard let (routes, argument) = Route.matches(request.uri.path) else {
            throw Fault(
                .notFound, field: "path", got: "an unknown path",
                expected: "a path of Schemas/openapi.v1.json")
        }
        guard let route = routes.first(where: { $0.method == request.method.rawValue }) else {
            throw Fault(
                .methodNotAllowed, field: "method",
                got: String(request.method.rawValue.prefix(16)),
                expected: routes.map(\.method).joined(separator: " | "))
        }
        return (route, argument)
    }

    private func answer(
        _ route: Route, _ argument: String, _ request: Request
    ) async throws -> Answer {
        let query = try Query(request, route: route)
        switch route {
        case .page: return ReviewPage.answer
        case .health: return Answer(.object(["status": .string("alive")]))
        case .ready: return try await ready()
        case .metrics: return await metricsText()
        case .score: return try await score(request, query)
        case .model: return model()
        case .makeList: return try await makeList(request)
        case .lists: return Answer(try await store.lists())
        case .latestList: return try await list(nil, query)
        case .list: return try await list(argument, query)
        case .deliveries: return try await deliveries()
        case .cases: return try await cases(query)
        case .verdicts: return try await verdicts(request)
        case .labels: return try await labels(request)
        case .frauds: return try await frauds(request)
        case .effect: return try await effect(query)
        }
    }

    // MARK: Bodies

    /// The whole body, of a type that the route takes.
    func body(
        _ request: Request, types: [String] = ["application/json"]
    ) async throws -> (bytes: [UInt8], type: String) {
        let stated = request.headers[.contentType] ?? ""
        let type = stated.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard types.contains(type) else {
            throw Fault(
                .unsupportedType, field: "Content-Type",
                got: stated.isEmpty ? "nothing" : "\"\(stated.prefix(40))\"",
                expected: types.joined(separator: " | "))
        }
        let most = configuration.limits.bodyBytesMax
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > most {
            throw Fault(.tooLarge, got: "\(length) bytes", expected: "at most \(most) bytes")
        }
        do {
            let buffer = try await request.body.collect(upTo: most)
            return (Array(buffer.readableBytesView), type)
        } catch is NIOTooManyBytesError {
            throw Fault(.tooLarge, got: "more bytes", expected: "at most \(most) bytes")
        }
    }

    /// The caller's name of a request, under which it is carried out once.
    func onceKey(
        _ request: Request, _ route: Route, _ body: [UInt8]
    ) throws(Fault) -> OnceKey? {
        guard let key = HTTPFieldName.idempotencyKey.flatMap({ request.headers[$0] }) else {
            return nil
        }
        guard (1...OnceKey.byteCountMax).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw Fault(
                .invalidValue, field: "Idempotency-Key", got: "\(key.utf8.count) bytes",
                expected: "1...\(OnceKey.byteCountMax) visible ASCII characters")
        }
        return OnceKey(route: route.rawValue, key: key, bodyDigest: SHA256.hash(body))
    }

    // MARK: The process

    private func ready() async throws -> Answer {
        _ = try await store.openCaseCount()
        let engine = reference.current
        return Answer(
            .object([
                "status": .string("ready"), "model": engine.modelJSON,
                "policy": engine.policyJSON,
            ]))
    }

    private func metricsText() async -> Answer {
        let families = metrics.families(
            engine: reference.current, swaps: reference.swapCount, inFlight: desk.requests.inFlight,
            openCases: try? await store.openCaseCount())
        let text = MetricFamily.text(
            families + (configuration.drift?.families ?? [])
                + ShadowComparison.families(await configuration.shadow?.comparisons() ?? [])
                + configuration.otherMetrics())
        return Answer(Array(text.utf8), contentType: MetricFamily.contentType)
    }

    private func model() -> Answer {
        let engine = reference.current
        return Answer(
            .object([
                "bank": .string(configuration.bank),
                "model": engine.modelJSON,
                "policy": engine.policyJSON,
                "reason": .string(engine.model.choice.reason.rawValue),
                "federated_sha256": .string(
                    engine.model.federated.document.digest.hexadecimal),
                "local_sha256": engine.model.local.map {
                    .string($0.document.digest.hexadecimal)
                } ?? .null,
                "standard_sha256": .string(engine.standard.sha256.hexadecimal),
                "thresholds": .object([
                    "step_up": engine.policy.thresholds.stepUp.map { .number($0) } ?? .null,
                    "hold": engine.policy.thresholds.hold.map { .number($0) } ?? .null,
                    "block": engine.policy.thresholds.block.map { .number($0) } ?? .null,
                ]),
                "rules": .integer(Int64(engine.policy.rules.count)),
                "swaps": .integer(Int64(reference.swapCount)),
            ]))
    }
}
