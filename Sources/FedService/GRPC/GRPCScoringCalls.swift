internal import FedCore
internal import FedDecision
internal import FedWire
internal import GRPCCore

/// The calls of `Schemas/fed/v1/scoring.proto`.
struct GRPCScoringCalls: Fed_V1_Scoring.SimpleServiceProtocol {
    let desk: ScoreDesk

    func score(
        request: Fed_V1_ScoreRequest, context: ServerContext
    ) async throws -> Fed_V1_ScoreReply {
        try await answered {
            let asked = asked(request.options)
            let engine = desk.reference.current
            let transaction = try read(
                request.transaction, place: "transaction", asked, engine)
            let result = try await desk.score([transaction], asked, by: engine)
            var reply = Fed_V1_ScoreReply()
            reply.score = Fed_V1_Score(result.transactions[0], result.scored[0])
            reply.version = Fed_V1_ScoringVersion(engine)
            return reply
        }
    }

    func scoreBatch(
        request: Fed_V1_ScoreBatchRequest, context: ServerContext
    ) async throws -> Fed_V1_ScoreBatchReply {
        try await answered {
            let most = desk.configuration.limits.batchRowsMax
            guard (1...most).contains(request.transactions.count) else {
                throw Fault(
                    request.transactions.isEmpty ? .invalidValue : .tooLarge,
                    field: "transactions", got: "\(request.transactions.count) transactions",
                    expected: "1...\(most)")
            }
            return try await desk.countedBatch {
                let asked = asked(request.options)
                let engine = desk.reference.current
                var transactions: [ScoreTransaction] = []
                transactions.reserveCapacity(request.transactions.count)
                for (index, transaction) in request.transactions.enumerated() {
                    transactions.append(
                        try read(transaction, place: "transactions[\(index)]", asked, engine))
                }
                if asked.isRecorded { try ScoreRequestReader.checkNames(transactions) }
                let result = try await desk.score(transactions, asked, by: engine)
                var reply = Fed_V1_ScoreBatchReply()
                reply.scores = zip(result.transactions, result.scored).map(Fed_V1_Score.init)
                reply.version = Fed_V1_ScoringVersion(engine)
                return reply
            }
        }
    }

    /// Counts a call as a request under way, and says what is wrong as gRPC does.
    private func answered<Reply: Sendable>(
        _ work: () async throws -> Reply
    ) async throws -> Reply {
        let start = WallClock.steady
        var status = 200
        defer {
            desk.metrics.answered(
                .score, status: status, seconds: (WallClock.steady - start).seconds)
        }
        do {
            return try await desk.counted(work)
        } catch let fault as Fault {
            status = fault.code.status
            throw RPCError(fault)
        } catch is CancellationError {
            status = 499
            throw RPCError(code: .cancelled, message: "cancelled")
        } catch {
            status = 500
            throw RPCError(code: .internalError, message: "a failure of the service: see its log")
        }
    }

    private func asked(_ options: Fed_V1_ScoreOptions) -> ScoreDesk.Asked {
        var asked = ScoreDesk.Asked(
            reasons: options.reasons == 0
                ? desk.configuration.reasonsDefault
                : min(Int(options.reasons), ListOrder.reasonsMaxMax))
        switch options.explain {
        case .none: asked.explanation = .none
        case .all: asked.explanation = .all
        case .unspecified, .UNRECOGNIZED: asked.explanation = .flagged
        }
        asked.isRecorded = options.record
        return asked
    }

    /// Reads a transaction by the rules of the HTTP service: as the JSON that it stands for.
    private func read(
        _ given: Fed_V1_ScoredTransaction, place: String, _ asked: ScoreDesk.Asked,
        _ engine: ScoringEngine
    ) throws(Fault) -> ScoreTransaction {
        var members: [String: CanonicalJSON] = [:]
        if !given.id.isEmpty { members["id"] = .string(given.id) }
        if !given.entity.isEmpty { members["entity"] = .string(given.entity) }
        if given.hasAmount {
            members["amount"] =
                given.amount.magnitude < 1 << 53
                ? .integer(given.amount) : .number(Double(given.amount))
        }
        if given.transactionJson.isEmpty {
            var features: [String: CanonicalJSON] = [:]
            for (name, value) in given.features {
                guard value.isFinite else {
                    throw Fault(
                        .invalidValue, field: "\(place).features.\(name.prefix(64))",
                        got: "\(value)", expected: "a finite number, or nothing where missing")
                }
                features[name] = .number(value)
            }
            for feature in engine.standard.features where feature.missing != .refuse {
                if features[feature.name] == nil { features[feature.name] = .null }
            }
            members["features"] = .object(features)
        } else {
            do {
                members["transaction"] = try StrictJSON.parse(
                    Array(given.transactionJson.utf8), bytesMax: 1 << 16)
            } catch {
                throw Fault(error)
            }
        }
        return try engine.reader.transaction(
            .object(members), place: place, isRecorded: asked.isRecorded,
            takesRaw: desk.deriver != nil)
    }
}

extension RPCError {
    /// A refused request: the fault's JSON is the message, so that programs read one form.
    init(_ fault: Fault) {
        let code: RPCError.Code =
            switch fault.code {
            case .invalidJSON, .invalidValue, .missingField, .unknownField, .wrongType,
                .unknownParameter, .unsupportedType, .tooLarge:
                .invalidArgument
            case .unauthorised: .unauthenticated
            case .forbidden: .permissionDenied
            case .notFound, .methodNotAllowed: .notFound
            case .conflict: .alreadyExists
            case .tooManyBatches: .resourceExhausted
            case .overloaded: .unavailable
            case .internalFailure: .internalError
            }
        var metadata = Metadata()
        if let seconds = fault.retryAfterSeconds {
            metadata.addString(String(seconds), forKey: "retry-after")
        }
        self.init(
            code: code, message: String(decoding: fault.json.bytes, as: UTF8.self),
            metadata: metadata)
    }
}

extension Fed_V1_Score {
    init(_ transaction: ScoreTransaction, _ scored: ScoringEngine.Scored) {
        self.init()
        id = transaction.id ?? ""
        score = scored.parts.combined
        if let local = scored.parts.local { localScore = local }
        federatedScore = scored.parts.federated
        federatedFloor = scored.parts.isFloor
        probability = scored.parts.probability
        decision = Fed_V1_Decision(scored.decision.action)
        modelDecision = Fed_V1_Decision(scored.decision.byModel)
        rules = scored.decision.rules.map(\.id)
        reasons = (scored.reasons ?? []).map { reason in
            var wire = Fed_V1_Reason()
            wire.feature = reason.feature
            wire.contribution = reason.contribution
            if let value = reason.value { wire.value = value }
            wire.description_p = reason.description
            wire.descriptionZh = reason.descriptionChinese
            return wire
        }
    }
}

extension Fed_V1_Decision {
    init(_ action: PolicyAction) {
        switch action {
        case .pass: self = .pass
        case .stepUp: self = .stepUp
        case .hold: self = .hold
        case .block: self = .block
        }
    }
}

extension Fed_V1_ScoringVersion {
    init(_ engine: ScoringEngine) {
        self.init()
        modelSha256 = engine.modelSHA256
        modelVersion = UInt32(clamping: engine.model.version)
        policySha256 = engine.policySHA256
        policyVersion = UInt32(clamping: engine.policy.version)
    }
}
