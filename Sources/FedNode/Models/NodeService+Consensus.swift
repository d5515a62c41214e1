internal import FedCore
internal import FedCrypto
internal import FedDecision
internal import FedRuntime
internal import FedService
internal import Logging

/// How a node judges candidates.
package struct ConsensusOptions: Sendable {
    /// Whether an admitted model scores at once; else a person activates it.
    package var activatesAtOnce = true
    /// The review budget as a share of rows.
    package var reviewShare = CombinationChoice.Options().reviewShare
    /// The feature whose values are the segments; `nil` for one segment.
    package var segmentFeature: String?

    /// The defaults.
    package init() {}
}

// The banks' vote on models.
extension NodeService {
    var models: NodeModels { NodeModels(store: store, folder: state.folder) }

    private static func headKey(_ run: RunID) -> String { "receipt-head/\(run)" }

    /// Remembers the head of the chain of a run that ended with a model.
    func setReceiptHead(_ head: [UInt8], of run: RunID) throws(StoreError) {
        try store.setFact(head, for: Self.headKey(run))
    }

    /// Says on a new connection which models are here.
    func sayStanding() async throws {
        try models.writeActive()
        let version = try models.registry().highestVersion
        try await say(.standing(highestVersion: version), kind: "standing")
    }

    func hear(_ bytes: [UInt8]) async throws {
        switch try? ConsensusMessage(bytes: bytes) {
        case .candidate(let candidate, let model):
            try await consider(candidate, model: model, bundle: nil)
        case .bundle(let bundle, let model): try await take(bundle, model: model)
        case .standing, .vote, .outcome, nil:
            logger.warning("a message about models that means nothing here was dropped")
        }
    }

    /// Sends a message after it has its line in the ledger.
    private func say(_ message: ConsensusMessage, kind: String) async throws {
        guard let channel else { return }
        let bytes = message.bytes
        try store.recordEgress([
            EgressRecord(
                sentUnixMilliseconds: Timestamp.nowUnixMilliseconds(), run: nil, kind: kind,
                slot: nil, lanes: 0, byteCount: bytes.count,
                sha256: SHA256.hash(bytes).hexadecimal)
        ])
        try await channel.send(bytes)
    }

    // MARK: Voting

    /// Examines a candidate in the background and votes; or says again how it voted.
    private func consider(
        _ bytes: [UInt8], model: [UInt8], bundle: [UInt8]?
    ) async throws {
        guard let candidate = try? ModelCandidate(bytes: bytes) else {
            return logger.warning("a candidate that cannot be read was dropped")
        }
        let version = candidate.version
        if let known = try store.models.candidate(version) {
            guard known.candidate == bytes else {
                return logger.error(
                    "another candidate bears a version that this bank has voted on",
                    metadata: ["model.version": "\(version)"])
            }
            if let bundle { return try await admit(bundle, of: known) }
            return try await say(.vote(known.vote), kind: "vote")
        }
        guard examining[version] == nil else {
            if let bundle { examining[version] = bundle }
            return
        }
        let federated: TrainedModel
        do {
            federated = try acceptable(candidate, ModelDocument(bytes: model))
        } catch {
            logger.error(
                "this bank does not vote on a candidate",
                metadata: [
                    "model.version": "\(version)", "reason": "\(error.name)",
                    "detail": "\(error)",
                ])
            return try await refuse(error, version: version)
        }
        let (algorithm, objection) = try provenance(of: candidate, federated)
        let job = ExaminationJob(
            candidate: candidate, federated: federated, algorithm: algorithm,
            objection: objection, active: try models.active(), fit: data.fit ?? .empty(standard),
            recent: data.valid, standard: standard, options: consensus)
        examining[version] = bundle ?? []
        logger.info("examining a candidate", metadata: ["model.version": "\(version)"])
        Task.detached {
            let result = job.run()
            await self.conclude(job, result)
        }
    }

    /// What cannot be right with any candidate of this consortium.
    private func acceptable(
        _ candidate: ModelCandidate, _ model: ModelDocument
    ) throws(BundleRefusal) -> TrainedModel {
        guard let charter = consensusCharter, candidate.charterDigest == charter.digest else {
            throw .foreignCharter
        }
        guard candidate.standardDigest == standard.sha256 else { throw .foreignStandard }
        guard candidate.modelDigest == model.digest,
            let trained = try? TrainedModel(bytes: model.bytes)
        else { throw .modelMismatch }
        return trained
    }

    private var consensusCharter: ConsensusCharter? {
        guard let charter = try? store.charter() else { return nil }
        return ConsensusCharter(charter)
    }

    /// How the candidate was trained by this bank's own record of the run, and what speaks against
    /// it there.
    private func provenance(
        of candidate: ModelCandidate, _ model: TrainedModel
    ) throws -> (AlgorithmConfiguration, VoteReason?) {
        for record in try store.runs.runs() where !record.manifest.isEmpty {
            guard SHA256.hash(record.manifest) == candidate.manifestDigest,
                let manifest = try? Manifest(bytes: record.manifest)
            else { continue }
            guard !record.modelSHA256.isEmpty,
                let head = try store.fact(Self.headKey(record.run))
            else { return (manifest.algorithm, .unknownRun) }
            let agrees =
                record.modelSHA256 == candidate.modelDigest.hexadecimal
                && head == candidate.receiptHead
            return (manifest.algorithm, agrees ? nil : .recordDiffers)
        }
        return (try AlgorithmConfiguration(name: model.algorithm), .unknownRun)
    }

    private func conclude(
        _ job: ExaminationJob, _ result: Result<CandidateExamination, LearningError>
    ) async {
        let version = job.candidate.version
        let bundle = examining.removeValue(forKey: version) ?? []
        do {
            let examination = try result.get()
            let finding = job.finding(examination)
            let vote = ModelVote(
                candidate: job.candidate, bank: state.bank, decision: finding.decision,
                reasons: finding.reasons, castAt: Timestamp.nowUnixMilliseconds() / 1000,
                key: try state.identity())
            let record = CandidateRecord(
                version: version, candidate: job.candidate.bytes,
                model: job.federated.document.bytes, bankModel: examination.model.bytes,
                lanes: examination.lanes(for: finding), vote: vote.bytes,
                examinedUnixMilliseconds: Timestamp.nowUnixMilliseconds())
            let reasons = vote.reasons.map(\.name).joined(separator: ", ")
            try store.models.save(
                record,
                log: ModelLogLine(
                    unixMilliseconds: record.examinedUnixMilliseconds, version: version,
                    event: "voted", reason: "\(vote.decision.name): \(reasons)"))
            log(vote, examination)
            try await say(.vote(vote.bytes), kind: "vote")
            if !bundle.isEmpty { try await admit(bundle, of: record) }
        } catch let error as TransportError {
            logger.debug("the vote waits for the next connection: \(error.description)")
        } catch {
            logger.error(
                "a candidate could not be examined",
                metadata: ["model.version": "\(version)", "reason": "\(error)"])
        }
    }

    private func log(_ vote: ModelVote, _ examination: CandidateExamination) {
        var metadata: Logger.Metadata = [
            "model.version": "\(examination.model.version)", "vote": "\(vote.decision.name)",
            "reasons": "\(vote.reasons.map(\.name).joined(separator: ", "))",
        ]
        if let measured = examination.measurement {
            metadata["frauds"] = "\(measured.fraudCount)"
            metadata["caught"] = "\(measured.candidate.caught)"
            if let active = measured.active { metadata["caught.active"] = "\(active.caught)" }
            if let local = measured.local { metadata["caught.local"] = "\(local.caught)" }
        }
        logger.info("voted on a candidate", metadata: metadata)
    }

    // MARK: Bundles

    /// Verifies a bundle before anything is computed for it.
    private func take(_ bundle: [UInt8], model: [UInt8]) async throws {
        guard let read = try? ModelBundle(bytes: bundle), read.bytes == bundle else {
            return try await refuse(.malformed, version: 0)
        }
        let version = read.candidate.version
        do throws(BundleRefusal) {
            guard let charter = consensusCharter else { throw .foreignCharter }
            try read.verify(charter)
        } catch {
            return try await refuse(error, version: version)
        }
        try await consider(read.candidate.bytes, model: model, bundle: bundle)
    }

    private func admit(_ bundle: [UInt8], of record: CandidateRecord) async throws {
        guard let charter = consensusCharter else {
            return try await refuse(.foreignCharter, version: record.version)
        }
        let result = try models.admit(
            bundle, of: record, charter: charter, standardDigest: standard.sha256,
            activates: consensus.activatesAtOnce, now: Timestamp.nowUnixMilliseconds())
        switch result {
        case .success(let standing):
            logger.info(
                standing == .champion ? "a model is active" : "a model waits to be activated",
                metadata: ["model.version": "\(record.version)"])
            try await say(
                .outcome(version: record.version, standing: standing, reason: ""),
                kind: "model-outcome")
        case .failure(let refusal): try await tell(refusal, version: record.version)
        }
    }

    private func refuse(_ refusal: BundleRefusal, version: UInt64) async throws {
        try models.refuse(refusal, version: version, now: Timestamp.nowUnixMilliseconds())
        try await tell(refusal, version: version)
    }

    private func tell(_ refusal: BundleRefusal, version: UInt64) async throws {
        logger.error(
            "a model bundle was refused",
            metadata: [
                "model.version": "\(version)", "reason": "\(refusal.name)",
                "detail": "\(refusal)",
            ])
        // What the bank measured is its own: the coordinator learns the word only.
        try await say(
            .outcome(version: version, standing: .refused, reason: refusal.name),
            kind: "model-outcome")
    }

    // MARK: Sums

    /// What this bank counts in a run that adds up counts.
    func counts(_ configuration: TallyConfiguration) async throws(LearningError) -> [Int64] {
        switch configuration.subject {
        case .examination(let version):
            guard let record = try? store.models.candidate(version) else {
                throw .unexpectedQuery(
                    kind: configuration.name, reason: "this bank has not voted on \(version)")
            }
            return record.lanes
        case .effect(let days, _):
            guard let reviews else {
                throw .unexpectedQuery(
                    kind: configuration.name, reason: "this bank's node serves without --reviews")
            }
            let first = EffectReport.seconds(days).lowerBound
            do {
                var lanes: [Int64] = []
                for step in configuration.steps {
                    lanes += try await reviews.effect(
                        EffectReport.seconds(step), listedSince: first
                    ).counts.lanes
                }
                return lanes
            } catch {
                throw .unusableData(reason: "the lists' store: \(error)")
            }
        }
    }
}

extension Dataset {
    /// No rows of a standard.
    static func empty(_ standard: FeatureStandard) -> Dataset {
        Dataset(columns: [[Double]](repeating: [], count: standard.features.count), labels: [])
    }
}

/// One examination, to be run outside of the actor.
struct ExaminationJob: Sendable {
    let candidate: ModelCandidate
    let federated: TrainedModel
    let algorithm: AlgorithmConfiguration
    let objection: VoteReason?
    let active: BankModel?
    let fit: Dataset
    let recent: Dataset?
    let standard: FeatureStandard
    let options: ConsensusOptions

    func run() -> Result<CandidateExamination, LearningError> {
        do throws(LearningError) {
            return .success(
                try CandidateExamination(
                    version: candidate.version, federated: federated, algorithm: algorithm,
                    active: active, fit: fit, recent: recent, standard: standard,
                    segments: segments, reviewShare: options.reviewShare))
        } catch {
            return .failure(error)
        }
    }

    private var segments: [String]? {
        guard let recent, let name = options.segmentFeature,
            let index = standard.features.firstIndex(where: { $0.name == name })
        else { return nil }
        return recent.columns[index].map { $0.isNaN ? "missing" : "\($0)" }
    }

    /// The examination's finding, overruled where the bank's own record of the run objects.
    func finding(_ examination: CandidateExamination) -> CandidateFinding {
        guard let objection else { return examination.finding }
        return CandidateFinding(
            decision: objection == .unknownRun ? .abstain : .reject, reasons: [objection],
            worstSegment: examination.finding.worstSegment)
    }
}
