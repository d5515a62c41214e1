package import FedCore
internal import FedCrypto
internal import FedDecision
package import FedRuntime
package import FedService
internal import FedWire
package import Logging
internal import ServiceLifecycle

/// A member bank's service: keeps one connection to the coordinator, takes part in runs, keeps
/// models.
///
/// All of a run's decisions are taken by ``NodeRun``; this actor performs its effects. What the
/// journal must hold, and the line of the egress ledger, are on disk before the bytes that they
/// stand for are sent; so a run survives the end of the process at any moment.
///
/// Four rules keep a bank from falling silent in a run that waits for it:
/// 1. One task, that of ``run()``, takes messages and touches ``active``, one message after the
///    other with all its effects; examinations in the background only send votes.
/// 2. A query that the machine has accepted is answered, whatever becomes of the connection: what
///    could not be sent comes again when the coordinator says what it has.
/// 3. Anything that fails but the connection drops the run in memory; the next connection takes it
///    up from the disk.
/// 4. The end of a connection, whoever brought it about, is followed by another one; only a refusal
///    that time does not cure ends the service.
package actor NodeService: Service {
    let state: NodeState
    let store: NodeStore
    let standard: FeatureStandard
    let data: NodeData
    let logger: Logger
    let seeds: RunSeeds
    let consensus: ConsensusOptions
    /// Lists and verdicts; `nil` where the node does not know them.
    let reviews: ReviewStore?
    /// Threads that compute a bank's answers.
    let threads: Int
    private let datasetDigest: [UInt8]
    private let settings: TransportSettings
    var active: ActiveNodeRun?
    var channel: MessageChannel?
    /// Holds the bank's rows against the newest model's grid.
    var unitCheck: Task<Void, Never>?
    /// Candidates in examination, each with a bundle that came meanwhile or nothing.
    var examining: [UInt64: [UInt8]] = [:]

    /// Opens the store.
    ///
    /// - Parameter threads: threads that compute a bank's answers; models do not depend on them.
    package init(
        state: NodeState, standard: FeatureStandard, data: NodeData, logger: Logger,
        settings: TransportSettings = TransportSettings(),
        consensus: ConsensusOptions = ConsensusOptions(), reviews: ReviewStore? = nil,
        threads: Int = 1
    ) throws {
        self.state = state
        self.store = try NodeStore(in: state.folder)
        self.standard = standard
        self.data = data
        self.logger = logger
        self.settings = settings
        self.consensus = consensus
        self.reviews = reviews
        self.threads = threads
        seeds = RunSeeds(store: store)
        datasetDigest = data.digest
        try store.pin(
            try state.identity().publicKey, of: state.bank, at: Timestamp.nowUnixMilliseconds())
    }

    /// Serves until a graceful shutdown, or until waiting cannot help any more.
    ///
    /// A run under way is not ended by a shutdown: the next start goes on with it.
    package nonisolated func run() async throws {
        let client = FederationClient(
            address: state.coordinator, credentials: try state.credentials(), settings: settings)
        let backoff = Backoff(max: settings.connectTimeout)
        try await cancelWhenGracefulShutdown {
            try await Reconnect(client, backoff: backoff).run { error, wait in
                await self.report(error, nextAttempt: wait)
            } serve: { channel throws(TransportError) in
                try await self.serve(channel)
            }
        }
        await unitCheck?.value
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

    // MARK: Connections

    private func serve(_ channel: MessageChannel) async throws(TransportError) {
        logger.info("connected", metadata: ["coordinator": "\(state.coordinator)"])
        self.channel = channel
        defer { self.channel = nil }
        do {
            if active == nil { try await resume() }
            let position = LinkPosition(
                run: active?.machine.run, count: active?.machine.position ?? 0)
            try await channel.send(position.bytes)
            try await sayStanding()
            for try await message in channel.incoming { try await receive(message) }
        } catch let error as TransportError {
            throw error
        } catch {
            // What is in memory may be ahead of what is on disk: the disk counts.
            active = nil
            let known = error as? StoreError
            let reason = known?.description ?? "\(error)"
            logger.error("\(reason)", metadata: ["hint": "\(known?.hint ?? "")"])
            throw .connectionLost(reason: reason)
        }
    }

    private func receive(_ message: [UInt8]) async throws {
        if let greeting = Greeting(bytes: message) { return check(greeting) }
        if let position = LinkPosition(bytes: message) {
            guard let run = position.run, active?.machine.run == run else {
                guard position.count > 0 else { return }
                return logger.error(
                    "this node has lost its state of a run; the run goes on without it",
                    metadata: ["run.id": "\(position.run?.description ?? "")"])
            }
            return try await handle(.connected(coordinatorHas: position.count))
        }
        if ConsensusMessage.claims(message) { return try await hear(message) }
        guard let id = SignedStatement.claimedRun(of: message) else {
            return logger.warning("a message that is no statement was dropped")
        }
        if active?.machine.run != id {
            guard try store.runs.run(id) == nil else {
                return logger.debug("a message of an ended run", metadata: ["run.id": "\(id)"])
            }
            if let abandoned = active, !abandoned.machine.isEnded {
                try end(abandoned, state: .failed, reason: "another run has begun", model: nil)
            }
            active = try begin(id)
        }
        try await handle(.received(message))
    }

    /// A clock that is wrong makes certificates expire early or late: say so in time.
    private func check(_ greeting: Greeting) {
        let ahead = (Timestamp.nowUnixMilliseconds() - greeting.unixMilliseconds) / 1000
        guard Double(abs(ahead)) > NodeDiagnosis.Limit.clockWarningSeconds else { return }
        logger.warning(
            "this node's clock is not the coordinator's",
            metadata: ["ahead.seconds": "\(ahead)", "hint": "fed-node doctor"])
    }

    // MARK: Beginning and resuming

    private func begin(_ id: RunID) throws -> ActiveNodeRun {
        let record = RunRecord(
            run: id, algorithm: "", manifest: [],
            startedUnixMilliseconds: Timestamp.nowUnixMilliseconds())
        let configuration = try configuration(of: id, seed: try seeds.make(for: id))
        try store.runs.save(record)
        return ActiveNodeRun(
            machine: NodeRun(run: id, configuration: configuration), record: record)
    }

    private func configuration(
        of run: RunID, seed: SecretBytes
    ) throws -> NodeRun.Configuration {
        var safety: [SafetyEntry] = []
        for bytes in try store.safetyEntries(besides: run) {
            safety.append(try SafetyEntry(bytes: bytes))
        }
        return NodeRun.Configuration(
            bank: state.bank, identity: try state.identity(),
            coordinatorKey: state.coordinatorKey, knownKeys: try store.pinnedKeys(),
            knownCharter: try store.charter(), standardDigest: standard.sha256,
            rowCount: data.rowCount, datasetDigest: datasetDigest, safetyEntries: safety,
            runSeed: seed)
    }

    /// Goes on with the run that was under way when the process last ended.
    private func resume() async throws {
        for record in try store.runs.unfinishedRuns() {
            guard let seed = try seeds.seed(of: record.run) else {
                try close(record, "its secrets are gone")
                continue
            }
            do {
                var journal: [NodeRun.JournalEntry] = []
                for bytes in try store.journal.entries(of: record.run) {
                    journal.append(try NodeRun.JournalEntry(bytes: bytes))
                }
                let (machine, effects) = try NodeRun.restore(
                    run: record.run, configuration: try configuration(of: record.run, seed: seed),
                    journal: journal)
                active = ActiveNodeRun(machine: machine, record: record)
                logger.info(
                    "going on with a run",
                    metadata: [
                        "run.id": "\(record.run)", "statements": "\(machine.position)",
                    ])
                try await perform(effects)
                return
            } catch let reason as RefusalReason {
                try close(record, reason.description)
            } catch let failure as DecodingFailure {
                try close(record, "its journal is damaged: \(failure)")
            }
        }
    }

    private func close(_ record: RunRecord, _ reason: String) throws {
        active = nil
        try end(record, state: .failed, reason: "cannot go on with the run: \(reason)", model: nil)
    }
}

/// The rows that a node brings.
package struct NodeData: Sendable {
    /// Rows to train on; may be absent where indicators are counted.
    package let fit: Dataset?
    /// Rows to choose by; may be absent.
    package let valid: Dataset?
    /// Raw transactions to count; may be absent.
    package let indicators: NodeIndicators?
    /// Rows of the larger of the two.
    package let rowCount: Int

    /// Wraps the parts.
    package init(
        fit: Dataset?, valid: Dataset?, indicators: NodeIndicators? = nil, rawRowCount: Int = 0
    ) {
        self.fit = fit
        self.valid = valid
        self.indicators = indicators
        rowCount = max(fit?.rowCount ?? 0, rawRowCount)
    }

    /// A bank's learner of a run.
    ///
    /// - Parameter findings: reviewers' findings on raw transactions, by the rows' numbers.
    func learner(
        of manifest: Manifest, standard: FeatureStandard, store: NodeStore,
        findings: [Int64: RowFinding], threads: Int
    ) throws(LearningError) -> any LocalLearner {
        if case .indicators(let plan) = manifest.algorithm, let indicators {
            return try indicators.learner(
                of: plan, in: manifest, standard: standard, store: store, findings: findings)
        }
        return try manifest.algorithm.localLearner(
            standard: standard, data: LocalData(fit: fit, valid: valid), threads: threads)
    }
}
