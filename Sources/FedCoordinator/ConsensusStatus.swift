internal import FedCore
internal import FedDecision
internal import FedRuntime

/// How a vote on a model stands, as a document: see `Schemas/consensus-status.v1.schema.json`.
struct ConsensusStatus {
    static let format = "fed-consensus-status/1"

    /// The canonical document.
    let bytes: [UInt8]

    /// Reads everything that the coordinator knows of a proposal.
    init(_ proposal: ProposalRecord, of store: CoordinatorStore) throws {
        let candidate = try ModelCandidate(bytes: proposal.candidate)
        var members: [CanonicalJSON] = []
        var quorum = 0
        if let documents = try store.documents(of: proposal.run) {
            let charter = try Charter(bytes: documents.charter)
            quorum = charter.votesMin
            members = charter.roster.banks.map { .string($0.name) }
        }
        let votes = try store.proposals.votes(on: proposal.version).map { bytes in
            try ModelVote(bytes: bytes)
        }
        bytes =
            CanonicalJSON.object([
                "format": .string(Self.format),
                "version": .integer(Int64(clamping: proposal.version)),
                "run": .string(proposal.run.description),
                "model_sha256": .string(proposal.modelSHA256),
                "state": .string(proposal.state.rawValue), "reason": .string(proposal.reason),
                "quorum": .integer(Int64(quorum)), "members": .array(members),
                "valid_until": .integer(candidate.validity.upperBound),
                "votes": .array(votes.map(Self.json)),
                "nodes": .array(
                    try store.proposals.activations(of: proposal.version).map {
                        .object([
                            "bank": .string($0.bank.name), "standing": .string($0.standing),
                            "reason": .string($0.reason),
                        ])
                    }),
                "sums": try Self.sums(proposal, store),
            ]).bytes
    }

    private static func json(_ vote: ModelVote) -> CanonicalJSON {
        .object([
            "bank": .string(vote.bank.name), "decision": .string(vote.decision.name),
            "reasons": .array(vote.reasons.map { .string($0.name) }),
            "cast_at": .integer(vote.castAt),
        ])
    }

    /// The figures over all banks; null until they are summed.
    private static func sums(
        _ proposal: ProposalRecord, _ store: CoordinatorStore
    ) throws -> CanonicalJSON {
        guard let run = proposal.examination, let record = try store.runs.run(run),
            !record.modelSHA256.isEmpty,
            let bytes = try store.runs.model(sha256: record.modelSHA256)
        else { return .null }
        let sums = try ConsensusSums(lanes: try TallyDocument(bytes: bytes).sums)
        func whole(_ value: Int) -> CanonicalJSON { .integer(Int64(value)) }
        return .object([
            "banks": whole(sums.banks), "accepts": whole(sums.accepts),
            "rejects": whole(sums.rejects), "abstains": whole(sums.abstains),
            "banks_with_worse_segment": whole(sums.banksWithWorseSegment),
            "rows": whole(sums.rowCount), "frauds": whole(sums.fraudCount),
            "reviewed": whole(sums.reviewed), "caught": whole(sums.caught),
            "caught_by_active": whole(sums.caughtByActive),
            "caught_by_local": whole(sums.caughtByLocal),
            "average_precision": sums.averagePrecision.map { .number($0) } ?? .null,
            "calibration_error": .number(sums.calibrationError),
        ])
    }
}
