internal import FedCore
internal import FedCrypto
internal import FedFiles
internal import FedRuntime
internal import FedWire
internal import Logging

// What the state machine of a run wants done.
extension NodeService {
    /// A bank with at most so many rows trains on the thread of its connection.
    ///
    /// A query takes some tens of milliseconds, while signs of life are due every few seconds. Raw
    /// transactions are counted elsewhere, however few.
    private static let rowsAtOnceMax = 1 << 18

    func handle(_ event: NodeRun.Event) async throws {
        guard let run = active else { return }
        try await perform(run.machine.handle(event))
    }

    /// Performs effects in order.
    ///
    /// When the connection breaks on the way, the rest is still done, and the statement comes again
    /// on the next one.
    func perform(_ effects: [NodeRun.Effect]) async throws {
        var broken: TransportError?
        var journal: [NodeRun.JournalEntry] = []
        for effect in effects {
            switch effect {
            case .persist(let entries): journal += entries
            case .send(let bytes, let entry):
                try record(journal, sending: channel == nil || broken != nil ? nil : entry)
                journal = []
                guard let channel, broken == nil else { continue }
                do {
                    try await channel.send(bytes)
                } catch {
                    broken = error
                }
            case .compute(let query, let slot, let contributors):
                try record(journal, sending: nil)
                journal = []
                let event = await answer(query, slot: slot, contributors: contributors)
                do {
                    try await handle(event)
                } catch let error as TransportError {
                    broken = error
                }
            case .replay(let query):
                do {
                    try await replay(query)
                } catch let error as TransportError {
                    broken = error
                }
            case .reconnect: broken = .connectionLost(reason: "statements are missing")
            case .consented, .adopt, .note, .finish:
                try record(journal, sending: nil)
                journal = []
                try note(effect)
            }
        }
        try record(journal, sending: nil)
        if let broken { throw broken }
    }

    /// Writes what must be on disk before anything that follows, in one transaction.
    private func record(
        _ journal: [NodeRun.JournalEntry], sending entry: NodeRun.EgressEntry?
    ) throws(StoreError) {
        guard let run = active else { return }
        var safety: [[UInt8]] = []
        // A plain sum's upload can be forgotten: it would be the same again. What opens a gate, or
        // binds a group to a roster, cannot.
        var durability = Durability.processEnd
        for case .safety(let entry) in journal {
            safety.append(entry.bytes)
            if case .uploaded = entry { continue }
            durability = .powerCut
        }
        var egress: [EgressRecord] = []
        if let entry {
            egress.append(
                EgressRecord(
                    sentUnixMilliseconds: Timestamp.nowUnixMilliseconds(), run: run.machine.run,
                    kind: entry.kind, slot: entry.slot.map(UInt64.init), lanes: entry.laneCount,
                    byteCount: entry.byteCount, sha256: entry.digest.hexadecimal))
            run.bytesSent += entry.byteCount
        }
        try store.record(
            journal: journal.map(\.bytes), safety: safety, run: run.machine.run, egress: egress,
            progress: run.newProgress(), durability: durability)
    }

    private func note(_ effect: NodeRun.Effect) throws {
        guard let run = active else { return }
        switch effect {
        case .consented(let manifest, let charter):
            run.record.algorithm = manifest.algorithm.name
            run.record.manifest = manifest.bytes
            run.record.state = .running
            run.manifest = manifest
            try store.runs.save(run.record)
            try store.setCharter(charter)
            for member in manifest.roster.members {
                try store.pin(
                    member.identityKey, of: member.bank, at: Timestamp.nowUnixMilliseconds())
            }
            logger.info(
                "consented to a run",
                metadata: [
                    "run.id": "\(run.machine.run)", "algorithm": "\(manifest.algorithm.name)",
                    "banks": "\(manifest.roster.members.count)",
                    "charter.sha256": "\(charter.digest.hexadecimal)",
                ])
        case .adopt(let model):
            try store.runs.saveModel(
                model.bytes, sha256: model.digest.hexadecimal, run: run.machine.run,
                at: Timestamp.nowUnixMilliseconds())
            // Sums are no model: they are kept in the store.
            guard run.manifest?.algorithm.trainsModel != false else { break }
            try state.folder.write(model.bytes, to: "model.json")
            warnOfUnits(model)
        case .note(let notice):
            logger.log(
                level: notice.level.logLevel, "\(notice.text)",
                metadata: ["run.id": "\(run.machine.run)"])
        case .finish(let outcome): try finish(run, outcome)
        default: break
        }
    }

    /// Holds the bank's features against the model's grid, which comes from masked counts of all
    /// banks' rows: a bank with cents for yuan learns of it here.
    ///
    /// Beside what follows: the run does not wait for it.
    private func warnOfUnits(_ model: ModelDocument) {
        guard let fit = data.fit else { return }
        unitCheck = Task.detached { [standard, logger] in
            guard case .boosting(let trees)? = try? TrainedModel(bytes: model.bytes) else { return }
            let findings = TableProfile(of: fit, standard: standard).findings(
                standard: standard, quantiles: trees.consortiumQuantiles)
            for finding in findings {
                guard case .unit = finding.kind else { continue }
                logger.warning(
                    "a feature may be in another unit than the other banks'",
                    metadata: ["finding": "\(finding)"])
            }
        }
    }

    private func finish(_ run: ActiveNodeRun, _ outcome: NodeRun.Outcome) throws {
        switch outcome {
        case .model(let digest, let head):
            try setReceiptHead(head, of: run.machine.run)
            try end(run, state: .succeeded, reason: "", model: digest.hexadecimal)
        case .aborted(let reason):
            try end(
                run, state: reason == .byOperator ? .aborted : .failed,
                reason: reason.description, model: nil)
        case .refused(let reason):
            try end(run, state: .failed, reason: reason.description, model: nil)
        }
    }

    func end(_ run: ActiveNodeRun, state: RunState, reason: String, model: String?) throws {
        try end(run.record, state: state, reason: reason, model: model)
    }

    func end(_ record: RunRecord, state: RunState, reason: String, model: String?) throws {
        var record = record
        record.state = state
        record.reason = reason
        record.modelSHA256 = model ?? ""
        record.finishedUnixMilliseconds = Timestamp.nowUnixMilliseconds()
        var metadata: Logger.Metadata = ["run.id": "\(record.run)"]
        if let model { metadata["model.sha256"] = "\(model)" }
        if reason.isEmpty {
            logger.info("the run has ended with a model", metadata: metadata)
        } else {
            metadata["reason"] = "\(reason)"
            logger.error("the run has ended without a model", metadata: metadata)
        }
        try store.runs.save(record)
        try seeds.wipe(record.run)
        if active?.machine.run == record.run {
            active?.record = record
            // The machine stays for its last statement; the rows are not needed any more.
            active?.learner = nil
        }
    }

    // MARK: Learning

    /// Computes outside of the actor, so that the node stays responsive.
    private func answer(
        _ query: Query, slot: UInt32, contributors: Int
    ) async -> NodeRun.Event {
        logProgress(query, slot: slot)
        let result = await learn { learner throws(LearningError) in
            try learner.answer(query, contributors: contributors)
        }
        switch result {
        case .success(let vector): return .computed(vector, slot: slot)
        case .failure(let error): return .computationFailed(error)
        }
    }

    private func replay(_ query: Query) async throws {
        let result = await learn { learner throws(LearningError) in try learner.replay(query) }
        if case .failure(let error) = result { try await handle(.computationFailed(error)) }
    }

    private func learn<Value: Sendable>(
        _ body: @escaping @Sendable (inout any LocalLearner) throws(LearningError) -> Value
    ) async -> Result<Value, LearningError> {
        guard let run = active?.machine.run, let manifest = active?.manifest else {
            return .failure(
                .unexpectedQuery(kind: "query", reason: "no manifest was consented to"))
        }
        // Moved out and moved back: what it holds has one owner while it works.
        let learner = Handover(active?.learner.take())
        let isNew = learner.isEmpty
        let (standard, data, store, threads) = (standard, data, store, threads)
        var counts: (TallyConfiguration, [Int64])?
        if isNew, case .tally(let tally) = manifest.algorithm {
            do { counts = (tally, try await self.counts(tally)) } catch { return .failure(error) }
        }
        var findings: [Int64: RowFinding] = [:]
        if isNew, case .indicators = manifest.algorithm, let raw = data.indicators {
            do { findings = try await raw.findings() } catch {
                return .failure(.unusableData(reason: "the lists' store: \(error)"))
            }
        }
        let work = {
            @Sendable [counts, findings] () -> Result<(Value, any LocalLearner), LearningError> in
            do throws(LearningError) {
                var ready: any LocalLearner
                if let learner = learner.take() {
                    ready = learner
                } else if let counts {
                    ready = try LocalTallyLearner(configuration: counts.0, lanes: counts.1)
                } else {
                    ready = try data.learner(
                        of: manifest, standard: standard, store: store, findings: findings,
                        threads: threads)
                }
                let value = try body(&ready)
                return .success((value, ready))
            } catch {
                return .failure(error)
            }
        }
        // Of few rows, going to another thread and back takes longer than the answer.
        let isShort = manifest.algorithm.trainsModel && data.rowCount <= Self.rowsAtOnceMax
        let result = isShort ? work() : await Task.detached(operation: work).value
        switch result {
        case .success(let (value, learner)):
            if active?.machine.run == run { active?.learner = learner }
            return .success(value)
        case .failure(let error): return .failure(error)
        }
    }

    /// One line at the start of a round, at most every two seconds.
    private func logProgress(_ query: Query, slot: UInt32) {
        let now = ContinuousClock.now
        if active?.started == nil { active?.started = (now, query.round) }
        guard now - (active?.lastLogged ?? now - .seconds(3)) >= .seconds(2) else { return }
        active?.lastLogged = now
        guard let run = active, let manifest = run.manifest else { return }
        var metadata: Logger.Metadata = [
            "run.id": "\(run.machine.run)", "slot": "\(slot)", "bytes.sent": "\(run.bytesSent)",
        ]
        if case .boosting(let configuration) = manifest.algorithm {
            let trees = Int(configuration[.treesMax])
            metadata["tree"] = "\(query.round)/\(trees)"
            if let started = run.started, query.round > started.round {
                let perTree = (now - started.time) / (query.round - started.round)
                metadata["seconds.left"] =
                    "\((perTree * max(0, trees - query.round + 1)).components.seconds)"
            }
        } else {
            metadata["round"] = "\(query.round)"
        }
        if !query.note.isEmpty { metadata["merit"] = "\(query.note)" }
        logger.info("training", metadata: metadata)
    }
}

/// The run that a node takes part in, or has just taken part in.
///
/// A class, so that the machine's state is worked on where it is, never copied.
final class ActiveNodeRun {
    var machine: NodeRun
    var record: RunRecord
    var manifest: Manifest?
    var learner: (any LocalLearner)?
    var bytesSent = 0
    /// What the store knows of the run's progress.
    var progress = NodeRun.Progress()
    var started: (time: ContinuousClock.Instant, round: Int)?
    var lastLogged: ContinuousClock.Instant?

    init(machine: NodeRun, record: RunRecord) {
        self.machine = machine
        self.record = record
    }

    /// How far the run has come, once a round: for the metrics, which another process reads.
    fileprivate func newProgress() -> NodeRun.Progress? {
        let now = machine.progress
        record.slots = now.slots
        record.rounds = now.rounds
        guard now.rounds != progress.rounds || now.leftOut != progress.leftOut else { return nil }
        progress = now
        return now
    }
}
