internal import FedCore
internal import FedCrypto
internal import FedDecision
package import FedRuntime
package import FedWire
internal import Logging

// The banks' vote on models: a proposal, votes, masked sums of their figures, a bundle.
extension CoordinatorService {
    /// How long a candidate may be activated by default: ninety days.
    static let validSecondsDefault: Int64 = 90 * 86_400

    package func consensus(_ order: ConsensusOrder) throws(OperatorError) -> [UInt8] {
        do {
            switch order {
            case .propose(let run, let seconds): try propose(run, validSeconds: seconds)
            case .status: break
            case .publish: try publishNow()
            }
            guard let proposal = try store.proposals.newest() else {
                throw OperatorError.notFound("a proposed model")
            }
            return try ConsensusStatus(proposal, of: store).bytes
        } catch let error as OperatorError {
            throw error
        } catch let error as any ExplainedError {
            throw .failed(reason: error.description)
        } catch {
            throw .failed(reason: "\(error)")
        }
    }

    // MARK: Proposing

    /// Remembers what a vote on a finished run's model has to name, and begins one where the
    /// coordinator is to do so by itself.
    func yieldCandidate(of run: RunID, head: [UInt8]) {
        do {
            try store.proposals.setHead(head, of: run)
            guard proposesModels else { return }
            try propose(run, validSeconds: nil)
        } catch {
            logger.error(
                "the model is not put to the vote: \(error)", metadata: ["run.id": "\(run)"])
        }
    }

    private func propose(_ run: RunID?, validSeconds: Int64?) throws {
        let records = try store.runs.runs().filter {
            !$0.modelSHA256.isEmpty && AlgorithmConfiguration.names.contains($0.algorithm)
        }
        guard let record = records.first(where: { run == nil || $0.run == run }),
            let head = try store.proposals.head(of: record.run),
            let model = try store.runs.model(sha256: record.modelSHA256)
        else {
            throw OperatorError.notFound(run.map { "a model of run \($0)" } ?? "a trained model")
        }
        let earlier = try store.proposals.newest()
        if var earlier, !earlier.state.isFinal {
            guard earlier.state == .voting else {
                throw OperatorError.conflict(
                    reason: "the figures of version \(earlier.version) are being summed",
                    hint: "fed-coordinator consensus status")
            }
            earlier.state = .superseded
            try store.proposals.save(earlier)
        }
        let manifest = try Manifest(bytes: record.manifest)
        let charter = try consensusCharter(of: record.run)
        let now = Timestamp.nowUnixMilliseconds() / 1000
        let candidate = ModelCandidate(
            charterDigest: charter.digest, version: (earlier?.version ?? 0) + 1,
            modelDigest: SHA256.hash(model), standardDigest: manifest.standardDigest,
            manifestDigest: manifest.digest, receiptHead: head,
            // Clocks of banks may be a little behind.
            validity: (now - 300)..<(now + max(1, validSeconds ?? Self.validSecondsDefault)))
        let proposal = ProposalRecord(
            version: candidate.version, run: record.run, candidate: candidate.bytes,
            modelSHA256: record.modelSHA256)
        try store.proposals.save(proposal)
        logger.info(
            "a model is put to the vote",
            metadata: [
                "model.version": "\(candidate.version)", "model.sha256": "\(record.modelSHA256)",
                "run.id": "\(record.run)", "quorum": "\(charter.quorum)",
            ])
        let message = ConsensusMessage.candidate(candidate.bytes, model: model).bytes
        for bank in charter.identityKeys.keys.sorted() { links[bank]?.send(message) }
    }

    private func consensusCharter(of run: RunID) throws -> ConsensusCharter {
        guard let documents = try store.documents(of: run),
            let charter = ConsensusCharter(try Charter(bytes: documents.charter))
        else { throw OperatorError.notFound("the charter of run \(run)") }
        return charter
    }

    // MARK: Hearing

    func hear(_ bytes: [UInt8], from bank: NodeID, over link: BankLink) {
        do {
            switch try ConsensusMessage(bytes: bytes) {
            case .standing(let version): try answer(bank, standingAt: version, over: link)
            case .vote(let vote): try count(vote, of: bank)
            case .outcome(let version, let standing, let reason):
                try store.proposals.save(
                    ActivationRecord(bank: bank, standing: standing.rawValue, reason: reason),
                    of: version)
                logger.info(
                    "a bank has taken or refused a model",
                    metadata: [
                        "node.id": "\(bank)", "model.version": "\(version)",
                        "standing": "\(standing.rawValue)", "reason": "\(reason)",
                    ])
            case .candidate, .bundle:
                logger.warning(
                    "a message about models that means nothing here",
                    metadata: ["node.id": "\(bank)"])
            }
        } catch {
            logger.error(
                "a message about models is of no use: \(error)", metadata: ["node.id": "\(bank)"])
        }
    }

    /// What a bank has missed while it was away.
    private func answer(_ bank: NodeID, standingAt version: UInt64, over link: BankLink) throws {
        if let published = try store.proposals.published(), published.version > version,
            try consensusCharter(of: published.run).identityKeys[bank] != nil,
            let model = try store.runs.model(sha256: published.modelSHA256)
        {
            link.send(ConsensusMessage.bundle(published.bundle, model: model).bytes)
        }
        guard let open = try store.proposals.newest(), open.state == .voting,
            try consensusCharter(of: open.run).identityKeys[bank] != nil
        else { return }
        let voted = try votes(on: open.version).contains { $0.bank == bank }
        if !voted, let model = try store.runs.model(sha256: open.modelSHA256) {
            link.send(ConsensusMessage.candidate(open.candidate, model: model).bytes)
        }
        settle()
    }

    private func votes(on version: UInt64) throws -> [ModelVote] {
        try store.proposals.votes(on: version).map { bytes in try ModelVote(bytes: bytes) }
    }

    private func count(_ bytes: [UInt8], of bank: NodeID) throws {
        guard let proposal = try store.proposals.newest(),
            let vote = try? ModelVote(bytes: bytes), vote.bank == bank,
            vote.candidate == (try ModelCandidate(bytes: proposal.candidate)).digest,
            let key = try consensusCharter(of: proposal.run).identityKeys[bank],
            vote.isSigned(by: key)
        else {
            return logger.warning(
                "a vote that is not the bank's on the open candidate was dropped",
                metadata: ["node.id": "\(bank)"])
        }
        guard try store.proposals.addVote(bytes, of: bank, on: proposal.version) else { return }
        logger.info(
            "a bank has voted",
            metadata: [
                "node.id": "\(bank)", "model.version": "\(proposal.version)",
                "vote": "\(vote.decision.name)",
                "reasons": "\(vote.reasons.map(\.name).joined(separator: ", "))",
            ])
        settle()
    }

    // MARK: Settling

    /// Goes on with the open vote where it can: once all banks have voted, are connected, and no
    /// run is under way, their figures are summed.
    func settle() {
        do {
            guard active == nil, var proposal = try store.proposals.newest(),
                !proposal.state.isFinal
            else { return }
            if proposal.state == .examining {
                // The process ended between the sums and the decision.
                let isOver = try proposal.examination.flatMap { try store.runs.run($0) }?
                    .state.isFinal
                return isOver == true ? try decide(proposal) : ()
            }
            let charter = try consensusCharter(of: proposal.run)
            let banks = charter.identityKeys.keys
            guard try votes(on: proposal.version).count == banks.count,
                banks.allSatisfy({ links[$0] != nil })
            else { return }
            let run = try examination(of: proposal)
            proposal.state = .examining
            proposal.examination = run.run.machine.manifest.run
            try store.proposals.save(proposal)
            _ = try begin(run.run, standard: run.standard)
        } catch {
            logger.error("the vote cannot go on: \(error)")
        }
    }

    private func examination(
        of proposal: ProposalRecord
    ) throws -> (run: ActiveRun, standard: [UInt8]) {
        guard let documents = try store.documents(of: proposal.run),
            let run = RunID(bytes: Entropy.bytes(16)),
            let trained = try store.runs.run(proposal.run)
        else { throw OperatorError.notFound("run \(proposal.run)") }
        let standard = try FeatureStandard(json: documents.standard)
        let algorithm = AlgorithmConfiguration.tally(
            try TallyConfiguration(.examination(version: proposal.version)))
        let charter = try Charter(bytes: documents.charter)
        let manifest = Manifest(
            run: run, algorithm: algorithm, standardDigest: standard.sha256,
            standardName: "\(standard.name) \(standard.version)",
            rowsMax: try Manifest(bytes: trained.manifest).rowsMax, charter: charter)
        let record = RunRecord(
            run: run, algorithm: algorithm.name, manifest: manifest.bytes,
            startedUnixMilliseconds: Timestamp.nowUnixMilliseconds())
        let machine = CoordinatorRun(
            manifest: manifest, charter: charter, key: identityKey,
            learner: try Self.learner(manifest, standard: standard))
        return (ActiveRun(machine: machine, record: record), documents.standard)
    }

    /// The run that summed the figures is over, with or without sums: the votes decide.
    func examinationEnded(_ run: RunID) {
        do {
            guard let proposal = try store.proposals.newest(), proposal.state == .examining,
                proposal.examination == run
            else { return }
            try decide(proposal)
        } catch {
            logger.error("the vote cannot be decided: \(error)")
        }
    }

    private func publishNow() throws {
        guard let proposal = try store.proposals.newest() else {
            throw OperatorError.notFound("a proposed model")
        }
        guard !proposal.state.isFinal else {
            throw OperatorError.conflict(
                reason: "version \(proposal.version) is \(proposal.state.rawValue) already",
                hint: "propose another model: fed-coordinator consensus propose")
        }
        let quorum = try consensusCharter(of: proposal.run).quorum
        let accepts = try votes(on: proposal.version).filter { $0.decision == .accept }.count
        guard accepts >= quorum else {
            throw OperatorError.conflict(
                reason: "\(accepts) banks have voted for it, the charter wants \(quorum)",
                hint: "wait for more votes: fed-coordinator consensus status")
        }
        try decide(proposal)
    }

    private func decide(_ proposal: ProposalRecord) throws {
        var proposal = proposal
        let charter = try consensusCharter(of: proposal.run)
        let bundle = ModelBundle(
            candidate: try ModelCandidate(bytes: proposal.candidate),
            votes: try votes(on: proposal.version))
        do throws(BundleRefusal) {
            try bundle.verify(charter)
            proposal.state = .published
            proposal.bundle = bundle.bytes
        } catch {
            proposal.state = .rejected
            proposal.reason = "\(error)"
        }
        try store.proposals.save(proposal)
        logger.info(
            proposal.state == .published ? "a model is published" : "a model is rejected",
            metadata: [
                "model.version": "\(proposal.version)",
                "model.sha256": "\(proposal.modelSHA256)", "reason": "\(proposal.reason)",
            ])
        guard proposal.state == .published,
            let model = try store.runs.model(sha256: proposal.modelSHA256)
        else { return }
        let message = ConsensusMessage.bundle(bundle.bytes, model: model).bytes
        for bank in charter.identityKeys.keys.sorted() { links[bank]?.send(message) }
    }
}
