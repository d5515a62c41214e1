internal import FedCore
internal import FedDecision

/// Scores what was asked for, whichever way it came: the one path behind HTTP and gRPC.
struct ScoreDesk: Sendable {
    /// Rows of a batch that are scored in one go, before others get their turn.
    static let rowsInOneGo = 32

    /// What is asked for besides the scores.
    struct Asked: Sendable {
        var reasons: Int
        var explanation = ScoringEngine.Explanation.flagged
        var isRecorded = false
    }

    /// Scores in the order of their transactions, and the engine that made them.
    struct Result: Sendable {
        let transactions: [ScoreTransaction]
        let scored: [ScoringEngine.Scored]
        let engine: ScoringEngine
    }

    let configuration: ServiceConfiguration
    let reference: EngineReference
    let store: ReviewStore
    let metrics: ServiceMetrics
    let deriver: RawDeriver?
    let requests: LoadGate
    let batches: LoadGate

    init(
        configuration: ServiceConfiguration, reference: EngineReference, store: ReviewStore,
        metrics: ServiceMetrics, deriver: RawDeriver?
    ) {
        self.configuration = configuration
        self.reference = reference
        self.store = store
        self.metrics = metrics
        self.deriver = deriver
        requests = LoadGate(bound: configuration.limits.requestsInFlightMax)
        batches = LoadGate(bound: configuration.limits.batchesInFlightMax)
    }

    /// Does work that counts as a request under way.
    ///
    /// - Throws: ``Fault`` with ``Fault/Code/overloaded`` where too many are.
    func counted<Value: Sendable>(
        isolation: isolated (any Actor)? = #isolation, _ work: () async throws -> Value
    ) async throws -> Value {
        guard requests.enter() else {
            metrics.count(.shed)
            throw Fault.overloaded(configuration.limits)
        }
        defer { requests.leave() }
        // Requests that came at once are all counted before the first is worked on; without this
        // they would wait uncounted in the executor's queue, and none would ever be too many.
        await Task.yield()
        return try await work()
    }

    /// Does work that counts as a batch under way, on the general pool.
    func countedBatch<Value: Sendable>(
        _ work: @Sendable () async throws -> Value
    ) async throws -> Value {
        guard batches.enter() else {
            metrics.count(.shed)
            throw Fault(
                .tooManyBatches, got: "more batches than are worked on at once",
                expected: "at most \(configuration.limits.batchesInFlightMax)")
        }
        defer { batches.leave() }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await work()
        }
    }

    /// Scores transactions and, where asked, records them for lists.
    func score(
        _ given: [ScoreTransaction], _ asked: Asked, by engine: ScoringEngine
    ) async throws -> Result {
        let transactions = try await derived(given, for: engine)
        var scored: [ScoringEngine.Scored] = []
        scored.reserveCapacity(transactions.count)
        for (index, transaction) in transactions.enumerated() {
            if index % Self.rowsInOneGo == Self.rowsInOneGo - 1 { await Task.yield() }
            var next = engine.score(transaction.row)
            if asked.explanation.covers(next.decision) {
                next.reasons = engine.reasons(for: transaction.row, count: asked.reasons)
            }
            scored.append(next)
        }
        if asked.isRecorded { try await record(transactions, scored, engine) }
        metrics.scored(scored)
        if let drift = configuration.drift {
            for (transaction, scored) in zip(transactions, scored) {
                drift.count(
                    transaction.row, probability: scored.parts.probability,
                    model: engine.modelSHA256)
            }
        }
        return Result(transactions: transactions, scored: scored, engine: engine)
    }

    /// The transactions with features: raw ones are taken in and derived.
    private func derived(
        _ given: [ScoreTransaction], for engine: ScoringEngine
    ) async throws -> [ScoreTransaction] {
        guard given.contains(where: { $0.raw != nil }) else { return given }
        guard let deriver else {
            throw Fault(
                .unknownField, field: "transaction", got: "this field",
                expected: "features: the service was started without a derivation")
        }
        func place(_ index: Int) -> String { given.count == 1 ? "" : "[\(index)]" }
        var asked: [RawDeriver.Asked] = []
        for (index, one) in given.enumerated() {
            guard let raw = one.raw else {
                throw Fault(
                    .missingField, field: "\(place(index)).transaction", got: "features",
                    expected: "a raw transaction, as the others of the list are")
            }
            asked.append(
                RawDeriver.Asked(id: one.id ?? "", document: raw, place: place(index)))
        }
        let rows = try await deriver.derive(asked)
        var transactions: [ScoreTransaction] = []
        transactions.reserveCapacity(given.count)
        for (index, (one, row)) in zip(given, rows).enumerated() {
            transactions.append(
                ScoreTransaction(
                    id: one.id, entity: one.entity, amount: one.amount,
                    row: try Self.held(row, to: engine.standard, place: place(index)), raw: nil))
        }
        return transactions
    }

    /// Derived values within the standard's ranges.
    ///
    /// Windows may reach beyond what the standard's authors thought of; a payment is scored all the
    /// same, as the nearest that the standard knows.
    private static func held(
        _ row: [Double], to standard: FeatureStandard, place: String
    ) throws(Fault) -> [Double] {
        var row = row
        for (index, feature) in standard.features.enumerated() {
            guard !row[index].isNaN else {
                guard feature.missing != .refuse else {
                    throw Fault(
                        .invalidValue, field: "\(place).\(feature.name)", got: "nothing derived",
                        expected: feature.expectation)
                }
                continue
            }
            row[index] = min(max(row[index], feature.range.lowerBound), feature.range.upperBound)
        }
        return row
    }

    private func record(
        _ transactions: [ScoreTransaction], _ scored: [ScoringEngine.Scored],
        _ engine: ScoringEngine
    ) async throws {
        let scores = zip(transactions, scored).compactMap { transaction, scored in
            RecordedScore(transaction, scored)
        }
        let new = try await store.record(
            scores, standardDigest: engine.standard.sha256, at: configuration.now(),
            retention: configuration.retentionSeconds)
        metrics.count(.recorded, by: new)
    }
}

extension RecordedScore {
    /// What lists are to know of a score; `nil` where the caller did not say whom it is about.
    package init?(_ transaction: ScoreTransaction, _ scored: ScoringEngine.Scored) {
        guard let id = transaction.id, let entity = transaction.entity,
            let amount = transaction.amount
        else { return nil }
        self.init(
            id: id, entity: entity, amount: amount, probability: scored.parts.probability,
            localProbability: ScoringEngine.localProbability(scored.parts), row: transaction.row)
    }
}
