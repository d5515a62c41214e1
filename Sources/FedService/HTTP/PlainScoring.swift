internal import FedCore
internal import FedDecision
internal import NIOCore
internal import NIOHTTP1

/// What ``ScoreChannelHandler`` does with a request that it may answer: all but the connection.
struct PlainScoring: Sendable {
    /// The longest body that is answered on the event loop.
    static let bodyBytesMax = 1 << 16

    /// What a connection remembers from one request to the next.
    struct Memory {
        fileprivate var order: PlainScoreReader.Order?
        fileprivate var bytes: [UInt8] = []
    }

    /// The query of a request.
    struct Asked: Equatable {
        var reasons: Int
        var explanation = ScoringEngine.Explanation.flagged
    }

    let reference: EngineReference
    let metrics: ServiceMetrics
    let gate: Gate
    let drift: DriftMeter?
    let reasonsDefault: Int
    /// Fields of every answer.
    let fields: HTTPHeaders
    /// Fields of a refusal.
    let shedFields: HTTPHeaders
    /// The body of a refusal.
    let shedAnswer: ByteBuffer

    init(
        reference: EngineReference, metrics: ServiceMetrics, gate: Gate,
        configuration: ServiceConfiguration
    ) {
        self.reference = reference
        self.metrics = metrics
        self.gate = gate
        drift = configuration.drift
        reasonsDefault = configuration.reasonsDefault
        let fault = Fault.overloaded(configuration.limits)
        var fields = HTTPHeaders([
            ("content-type", "application/json"), ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ])
        self.fields = fields
        fields.add(name: "retry-after", value: String(fault.retryAfterSeconds ?? 1))
        shedFields = fields
        shedAnswer = ByteBuffer(bytes: fault.json.bytes)
    }

    /// Whether a request may be answered here: one whose head is plain and lets it in.
    func admits(_ head: HTTPRequestHead) -> Asked? {
        guard head.method == .POST, head.version == .http1_1, let asked = asked(head.uri) else {
            return nil
        }
        var (length, type, host, authorization, origin): (Int?, String?, String?, String?, String?)
        for (name, value) in head.headers {
            switch name.utf8.count {
            case 4 where Self.equal(name, "host"):
                guard host == nil else { return nil }
                host = value
            case 6 where Self.equal(name, "origin"): origin = value
            case 6 where Self.equal(name, "expect"): return nil
            case 7 where Self.equal(name, "upgrade"): return nil
            case 10 where Self.equal(name, "connection"):
                guard Self.equal(value, "keep-alive") else { return nil }
            case 12 where Self.equal(name, "content-type"): type = value
            case 13 where Self.equal(name, "authorization"):
                guard authorization == nil else { return nil }
                authorization = value
            case 14 where Self.equal(name, "content-length"):
                guard length == nil, let bytes = Int(value) else { return nil }
                length = bytes
            case 17 where Self.equal(name, "transfer-encoding"): return nil
            default: break
            }
        }
        guard let length, (1...Self.bodyBytesMax).contains(length), let type,
            Self.equal(type, "application/json")
        else { return nil }
        do throws(Fault) {
            try gate.check(
                .score, Gate.Caller(host: host, authorization: authorization, origin: origin))
        } catch {
            return nil
        }
        return asked
    }

    /// Whether a text is a word of ASCII letters, whatever their case.
    private static func equal(_ text: String, _ word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            text.utf8.count == word.count
                && zip(text.utf8, word).allSatisfy { $0 == $1 || ($0 | 0x20 == $1 && $1 >= 0x61) }
        }
    }

    private func asked(_ uri: String) -> Asked? {
        let path = Route.score.path
        var asked = Asked(reasons: reasonsDefault)
        if uri == path { return asked }
        guard uri.hasPrefix(path + "?") else { return nil }
        var seen: Set<Substring> = []
        for part in uri.dropFirst(path.utf8.count + 1).split(separator: "&") {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, seen.insert(pair[0]).inserted else { return nil }
            switch pair[0] {
            case "reasons":
                guard let count = Int(pair[1]), (0...ListOrder.reasonsMaxMax).contains(count)
                else { return nil }
                asked.reasons = count
            case "explain":
                guard let word = ScoringEngine.Explanation(rawValue: String(pair[1])) else {
                    return nil
                }
                asked.explanation = word
            default: return nil
            }
        }
        return asked
    }

    /// Scores one transaction.
    ///
    /// - Returns: `nil` for a body that has to be read with more care.
    func answer(
        _ body: ByteBuffer, _ asked: Asked, since start: ContinuousClock.Instant,
        _ memory: inout Memory
    ) -> [UInt8]? {
        let engine = reference.current
        var order = memory.order ?? engine.plainReader.order
        guard
            let transaction = body.withUnsafeReadableBytes({
                engine.plainReader.read($0, order: &order)
            })
        else {
            // Another standard, perhaps.
            memory.order = nil
            return nil
        }
        memory.order = order
        var scored = engine.score(transaction.row)
        if asked.explanation.covers(scored.decision) {
            scored.reasons = engine.reasons(for: transaction.row, count: asked.reasons)
        }
        memory.bytes.removeAll(keepingCapacity: true)
        ScoreAnswer.append(transaction.id, scored, naming: engine, to: &memory.bytes)
        metrics.scored([scored])
        drift?.count(
            transaction.row, probability: scored.parts.probability, model: engine.modelSHA256)
        metrics.answered(.score, status: 200, seconds: (WallClock.steady - start).seconds)
        return memory.bytes
    }

    /// Counts a refusal.
    func shed(since start: ContinuousClock.Instant) {
        metrics.count(.shed)
        metrics.answered(.score, status: 503, seconds: (WallClock.steady - start).seconds)
    }
}
