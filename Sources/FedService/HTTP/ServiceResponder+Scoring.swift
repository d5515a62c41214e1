internal import FedCore
internal import FedDecision
internal import Hummingbird

extension ServiceResponder {
    /// Rows of a batch that are scored in one go, before others get their turn.
    private static let rowsInOneGo = 32

    /// `POST /v1/score`.
    func score(_ request: Request, _ query: Query) async throws -> Answer {
        guard requests.enter() else {
            metrics.count(.shed)
            throw Fault.overloaded(configuration.limits)
        }
        defer { requests.leave() }
        // Requests that came at once are all counted before the first is worked on; without this
        // they would wait uncounted in the executor's queue, and none would ever be too many.
        await Task.yield()
        let reasons = try query.integer(
            "reasons", in: 0...ListOrder.reasonsMaxMax, default: configuration.reasonsDefault)
        let explanation: ScoringEngine.Explanation = try query.word("explain", default: .flagged)
        let isRecorded = try query.word("record", default: Choice.false) == .true
        let (bytes, _) = try await body(request)
        let engine = reference.current
        let limits = configuration.limits
        guard Self.isList(bytes) else {
            let asked = try engine.reader.read(
                bytes, rowsMax: limits.batchRowsMax, bytesMax: limits.bodyBytesMax,
                isRecorded: isRecorded)
            let transaction = asked.transactions[0]
            var scored = engine.score(transaction.row)
            if explanation.covers(scored.decision) {
                scored.reasons = engine.reasons(for: transaction.row, count: reasons)
            }
            if isRecorded { try await record([transaction], [scored], engine) }
            metrics.scored([scored])
            return Self.single(transaction, scored, engine)
        }
        guard batches.enter() else {
            metrics.count(.shed)
            throw Fault(
                .tooManyBatches, got: "more batches than are worked on at once",
                expected: "at most \(limits.batchesInFlightMax)")
        }
        defer { batches.leave() }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            let asked = try engine.reader.read(
                bytes, rowsMax: limits.batchRowsMax, bytesMax: limits.bodyBytesMax,
                isRecorded: isRecorded)
            let scored = await self.score(
                asked.transactions, engine, reasonsMax: reasons, explanation: explanation)
            if isRecorded { try await self.record(asked.transactions, scored, engine) }
            metrics.scored(scored)
            return await self.batch(asked.transactions, scored, engine)
        }
    }

    /// Whether a body begins as a list.
    private static func isList(_ bytes: [UInt8]) -> Bool {
        bytes.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D } == 0x5B
    }

    private func score(
        _ transactions: [ScoreTransaction], _ engine: ScoringEngine, reasonsMax: Int,
        explanation: ScoringEngine.Explanation
    ) async -> [ScoringEngine.Scored] {
        var scored: [ScoringEngine.Scored] = []
        scored.reserveCapacity(transactions.count)
        for (index, transaction) in transactions.enumerated() {
            if index % Self.rowsInOneGo == Self.rowsInOneGo - 1 { await Task.yield() }
            var next = engine.score(transaction.row)
            if explanation.covers(next.decision) {
                next.reasons = engine.reasons(for: transaction.row, count: reasonsMax)
                await Task.yield()
            }
            scored.append(next)
        }
        return scored
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

    private static func single(
        _ transaction: ScoreTransaction, _ scored: ScoringEngine.Scored, _ engine: ScoringEngine
    ) -> Answer {
        var body: [UInt8] = []
        ScoreAnswer.append(transaction.id, scored, naming: engine, to: &body)
        return Answer(body)
    }

    private func batch(
        _ transactions: [ScoreTransaction], _ scored: [ScoringEngine.Scored],
        _ engine: ScoringEngine
    ) async -> Answer {
        var body = Array("{\"model\":".utf8)
        body += engine.modelBytes
        body += Array(",\"policy\":".utf8)
        body += engine.policyBytes
        body += Array(",\"results\":[".utf8)
        for (index, transaction) in transactions.enumerated() {
            if index > 0 { body.append(0x2C) }
            ScoreAnswer.append(transaction.id, scored[index], naming: nil, to: &body)
            if index % Self.rowsInOneGo == Self.rowsInOneGo - 1 { await Task.yield() }
        }
        body += Array("]}".utf8)
        return Answer(body)
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
