internal import FedCore
internal import FedDecision
internal import Hummingbird

extension ServiceResponder {
    /// `POST /v1/score`.
    func score(_ request: Request, _ query: Query) async throws -> Answer {
        try await desk.counted {
            let asked = ScoreDesk.Asked(
                reasons: try query.integer(
                    "reasons", in: 0...ListOrder.reasonsMaxMax,
                    default: configuration.reasonsDefault),
                explanation: try query.word("explain", default: .flagged),
                isRecorded: try query.word("record", default: Choice.false) == .true)
            let (bytes, _) = try await body(request)
            let engine = desk.reference.current
            guard Self.isList(bytes) else {
                let read = try read(bytes, asked, engine)
                let result = try await desk.score(read.transactions, asked, by: engine)
                var body: [UInt8] = []
                ScoreAnswer.append(
                    result.transactions[0].id, result.scored[0], naming: engine, to: &body)
                return Answer(body)
            }
            return try await desk.countedBatch {
                let read = try self.read(bytes, asked, engine)
                return await Self.batch(
                    try await self.desk.score(read.transactions, asked, by: engine))
            }
        }
    }

    private func read(
        _ bytes: [UInt8], _ asked: ScoreDesk.Asked, _ engine: ScoringEngine
    ) throws(Fault) -> ScoreRequest {
        let limits = configuration.limits
        return try engine.reader.read(
            bytes, rowsMax: limits.batchRowsMax, bytesMax: limits.bodyBytesMax,
            isRecorded: asked.isRecorded, takesRaw: desk.deriver != nil)
    }

    /// Whether a body begins as a list.
    private static func isList(_ bytes: [UInt8]) -> Bool {
        bytes.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D } == 0x5B
    }

    private static func batch(_ result: ScoreDesk.Result) async -> Answer {
        var body = Array("{\"model\":".utf8)
        body += result.engine.modelBytes
        body += Array(",\"policy\":".utf8)
        body += result.engine.policyBytes
        body += Array(",\"results\":[".utf8)
        for (index, transaction) in result.transactions.enumerated() {
            if index > 0 { body.append(0x2C) }
            ScoreAnswer.append(transaction.id, result.scored[index], naming: nil, to: &body)
            if index % ScoreDesk.rowsInOneGo == ScoreDesk.rowsInOneGo - 1 { await Task.yield() }
        }
        body += Array("]}".utf8)
        return Answer(body)
    }

    /// `POST /v1/labels`.
    func labels(_ request: Request) async throws -> Answer {
        let (bytes, _) = try await body(request)
        guard let deriver = desk.deriver else {
            throw Fault(
                .conflict, field: "path", got: "a service without a derivation",
                expected: "labels where features are derived from raw transactions")
        }
        let labels = try Self.records(bytes, bytesMax: configuration.limits.bodyBytesMax) {
            (value, place) throws(Fault) -> (id: String, isFraud: Bool) in
            do throws(DocumentError) {
                let members = try DocumentObject(value, place: place, allowed: ["id", "fraud"])
                return (
                    try members.string("id", bytes: 1...ScoreRequestReader.nameBytesMax),
                    try members.bool("fraud")
                )
            } catch {
                throw Fault(error)
            }
        }
        var unknown: [CanonicalJSON] = []
        for label in labels {
            let isKnown = try await deriver.learn(label.id, isFraud: label.isFraud)
            if !isKnown { unknown.append(.string(label.id)) }
        }
        return Answer(
            .object([
                "learnt": .integer(Int64(labels.count - unknown.count)),
                "unknown": .array(unknown),
            ]))
    }
}
