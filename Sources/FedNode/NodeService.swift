package import FedCore
internal import FedCrypto
internal import FedRuntime
internal import FedWire
package import Logging
internal import ServiceLifecycle

/// A member bank's service: keeps one connection to the coordinator, takes part in runs, keeps
/// models.
///
/// All of a run's decisions are taken by ``NodeRun``; this actor performs its effects. A line of the
/// egress ledger is on disk before the bytes that it describes are sent.
package actor NodeService: Service {
    private let state: NodeState
    private let store: NodeStore
    private let standard: FeatureStandard
    private let data: NodeData
    private let logger: Logger
    private var active: ActiveNodeRun?

    /// Opens the store; runs that were under way when the process last ended are marked as failed.
    package init(
        state: NodeState, standard: FeatureStandard, data: NodeData, logger: Logger
    ) throws {
        self.state = state
        self.store = try NodeStore(in: state.folder)
        self.standard = standard
        self.data = data
        self.logger = logger
        for var record in try store.runs.unfinishedRuns() {
            record.state = .failed
            record.reason = "the node's process ended during the run"
            record.finishedUnixMilliseconds = Timestamp.nowUnixMilliseconds()
            try store.runs.save(record)
        }
        try store.pin(
            try state.identity().publicKey, of: state.bank, at: Timestamp.nowUnixMilliseconds())
    }

    /// Serves until a graceful shutdown, or until waiting cannot help any more.
    package nonisolated func run() async throws {
        let client = FederationClient(
            address: state.coordinator, credentials: try state.credentials())
        try await cancelWhenGracefulShutdown {
            try await Reconnect(client).run { error, wait in
                await self.report(error, nextAttempt: wait)
            } serve: { channel throws(TransportError) in
                try await self.serve(channel)
            }
        }
    }

    private func report(_ error: TransportError, nextAttempt: Duration?) {
        var metadata: Logger.Metadata = ["reason": "\(error.description)"]
        if let nextAttempt {
            let seconds =
                Double(nextAttempt.components.seconds)
                + Double(nextAttempt.components.attoseconds) * 1e-18
            metadata["retry.seconds"] = "\((seconds * 100).rounded() / 100)"
            logger.warning("waiting for the coordinator", metadata: metadata)
        } else {
            logger.error("the coordinator does not take this node", metadata: metadata)
        }
    }

    private func serve(_ channel: MessageChannel) async throws(TransportError) {
        logger.info("connected", metadata: ["coordinator": "\(state.coordinator)"])
        defer { connectionEnded() }
        do {
            for try await message in channel.incoming { try await receive(message, on: channel) }
        } catch let error as TransportError {
            throw error
        } catch {
            throw .connectionLost(reason: "\(error)")
        }
    }

    private func connectionEnded() {
        guard let run = active else { return }
        active = nil
        finish(
            run.record, state: .failed, reason: "the connection to the coordinator was lost",
            model: nil)
    }

    // MARK: Runs

    private func receive(_ message: [UInt8], on channel: MessageChannel) async throws {
        guard let id = SignedStatement.claimedRun(of: message) else {
            logger.warning("a message that is no statement was dropped")
            return
        }
        if active?.machine.run != id {
            guard try store.runs.run(id) == nil else {
                logger.debug("a message of an ended run", metadata: ["run.id": "\(id)"])
                return
            }
            if let abandoned = active {
                finish(
                    abandoned.record, state: .failed, reason: "another run has begun", model: nil)
            }
            active = try begin(id)
        }
        try await handle(.received(message), on: channel)
    }

    private func begin(_ id: RunID) throws -> ActiveNodeRun {
        let record = RunRecord(
            run: id, algorithm: "", manifest: [],
            startedUnixMilliseconds: Timestamp.nowUnixMilliseconds())
        try store.runs.save(record)
        let configuration = NodeRun.Configuration(
            bank: state.bank, identity: try state.identity(),
            coordinatorKey: state.coordinatorKey, knownKeys: try store.pinnedKeys(),
            standardDigest: standard.sha256, rowCount: data.fit.rowCount,
            epochSeed: try SystemEntropy.secret(32))
        return ActiveNodeRun(
            machine: NodeRun(run: id, configuration: configuration), record: record)
    }

    private func handle(_ event: NodeRun.Event, on channel: MessageChannel) async throws {
        guard var run = active else { return }
        let effects = run.machine.handle(event)
        active = run
        for effect in effects { try await perform(effect, on: channel) }
    }

    private func perform(_ effect: NodeRun.Effect, on channel: MessageChannel) async throws {
        guard var run = active else { return }
        switch effect {
        case .send(let bytes, let entry):
            try store.recordEgress([
                EgressRecord(
                    sentUnixMilliseconds: Timestamp.nowUnixMilliseconds(), run: run.machine.run,
                    kind: entry.kind, slot: entry.slot.map(UInt64.init), lanes: entry.laneCount,
                    byteCount: entry.byteCount, sha256: entry.digest.hexadecimal)
            ])
            try await channel.send(bytes)
        case .consented(let manifest):
            run.record.algorithm = manifest.algorithm.name
            run.record.manifest = manifest.bytes
            run.record.state = .running
            run.manifest = manifest
            try store.runs.save(run.record)
            for member in manifest.roster.members {
                try store.pin(
                    member.identityKey, of: member.bank, at: Timestamp.nowUnixMilliseconds())
            }
            active = run
            logger.info(
                "consented to a run",
                metadata: [
                    "run.id": "\(run.machine.run)", "algorithm": "\(manifest.algorithm.name)",
                    "banks": "\(manifest.roster.members.count)",
                ])
        case .compute(let query, let contributors):
            try await handle(
                await answer(query, contributors: contributors), on: channel)
        case .adopt(let model):
            try store.runs.saveModel(
                model.bytes, sha256: model.digest.hexadecimal, run: run.machine.run,
                at: Timestamp.nowUnixMilliseconds())
            try state.folder.write(model.bytes, to: "model.json")
        case .note(let notice):
            logger.log(
                level: notice.level == .error
                    ? .error : notice.level == .warning ? .warning : .info,
                "\(notice.text)", metadata: ["run.id": "\(run.machine.run)"])
        case .finish(let outcome):
            active = nil
            switch outcome {
            case .model(let digest, _):
                finish(run.record, state: .succeeded, reason: "", model: digest.hexadecimal)
            case .aborted(let reason):
                finish(
                    run.record, state: reason == .byOperator ? .aborted : .failed,
                    reason: reason.description, model: nil)
            case .refused(let reason):
                finish(run.record, state: .failed, reason: reason.description, model: nil)
            }
        }
    }

    /// Computes outside of the actor, so that the node stays responsive.
    private func answer(_ query: Query, contributors: Int) async -> NodeRun.Event {
        guard var run = active, let manifest = run.manifest else {
            return .computationFailed(
                .unexpectedQuery(kind: query.kind, reason: "no manifest was consented to"))
        }
        let learner = run.learner
        run.learner = nil
        active = run
        let (standard, data) = (standard, data)
        logger.debug(
            "computing", metadata: ["run.id": "\(run.machine.run)", "kind": "\(query.kind)"])
        let result = await Task.detached {
            () -> Result<(EncodedVector, any LocalLearner), LearningError> in
            do throws(LearningError) {
                var ready: any LocalLearner
                if let learner {
                    ready = learner
                } else {
                    ready = try manifest.algorithm.localLearner(
                        standard: standard, fit: data.fit, valid: data.valid)
                }
                let vector = try ready.answer(query, contributors: contributors)
                return .success((vector, ready))
            } catch {
                return .failure(error)
            }
        }.value
        switch result {
        case .success(let (vector, learner)):
            active?.learner = learner
            return .computed(vector)
        case .failure(let error): return .computationFailed(error)
        }
    }

    private func finish(_ record: RunRecord, state: RunState, reason: String, model: String?) {
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
        do {
            try store.runs.save(record)
        } catch {
            logger.error("the run is not recorded: \(error.description)")
        }
    }
}

/// The rows that a node brings.
package struct NodeData: Sendable {
    /// Rows to train on.
    package let fit: Dataset
    /// Rows to choose by; may be absent.
    package let valid: Dataset?

    /// Wraps data sets.
    package init(fit: Dataset, valid: Dataset?) {
        self.fit = fit
        self.valid = valid
    }
}

/// The run that a node takes part in.
private struct ActiveNodeRun {
    var machine: NodeRun
    var record: RunRecord
    var manifest: Manifest?
    var learner: (any LocalLearner)?

    init(machine: NodeRun, record: RunRecord) {
        self.machine = machine
        self.record = record
    }
}
