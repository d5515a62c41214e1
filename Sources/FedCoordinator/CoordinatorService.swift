package import FedCore
internal import FedCrypto
internal import FedDecision
package import FedRuntime
internal import FedWire
package import Logging

/// The coordinator: admits banks' connections, starts runs, drives one at a time, tells watchers.
///
/// All of a run's decisions are taken by ``CoordinatorRun``; this actor performs its effects. What
/// the journal must hold is on disk before the statement that follows from it is sent; so a run
/// survives the end of the process at any moment.
package actor CoordinatorService: FederationDelegate {
    /// How long a missing bank is waited for before a run goes on without it.
    package static let holdSecondsDefault = 120

    /// Ended runs of which all is kept: for banks that missed the end, and for replays.
    package static let runsKeptDefault = 10

    let store: CoordinatorStore
    let state: CoordinatorState
    let runsKept: Int
    /// In place of the charter's terms, where it is set.
    let holdSeconds: Int?
    private let phaseTimeoutSet: Duration?
    /// Whether a finished run's model is put to the vote at once.
    let proposesModels: Bool
    let logger: Logger
    private let identity: SigningKey
    var links: [NodeID: BankLink] = [:]
    var active: ActiveRun?
    /// The run that ended last, or of which a bank last asked how it ended.
    var ended: CoordinatorRun?
    var timer: Task<Void, Never>?
    var lastPublished = ContinuousClock.now
    var watchers: [RunID: [AsyncStream<RunStatus>.Continuation]] = [:]

    /// Opens the store, and the run that was under way when the process last ended.
    package init(
        state: CoordinatorState, logger: Logger,
        phaseTimeout: Duration? = nil, holdSeconds: Int? = nil,
        runsKept: Int = CoordinatorService.runsKeptDefault, proposesModels: Bool = false
    ) throws {
        self.state = state
        self.store = try CoordinatorStore(in: state.folder)
        self.identity = try state.identity()
        self.phaseTimeoutSet = phaseTimeout
        self.holdSeconds = holdSeconds
        self.runsKept = runsKept
        self.proposesModels = proposesModels
        self.logger = logger
    }

    var identityKey: SigningKey { identity }

    /// How long banks have for one phase of a run before they count as missing: who can be waited
    /// for that long can take two and a half times as long to answer.
    var phaseTimeout: Duration {
        let hold = active?.machine.charter.holdSeconds ?? Self.holdSecondsDefault
        return phaseTimeoutSet ?? .milliseconds(2500 * hold)
    }

    // MARK: Connections

    package func admission(of bank: NodeID, serial: String) -> Refusal? {
        do {
            return try store.members.admission(of: bank, serial: serial)
        } catch {
            // Time may cure it, and a bank that is told that it is no member gives up for good.
            logger.error(
                "admission cannot be decided",
                metadata: ["node.id": "\(bank)", "reason": "\(error)", "hint": "\(error.hint)"])
            return .undecided
        }
    }

    package func serve(_ bank: NodeID, over channel: MessageChannel) async {
        // A newer connection may have been served first: it must not lose its place to this one.
        guard !channel.isEnded else { return }
        let link = BankLink(channel)
        links[bank] = link
        logger.info("a bank is connected", metadata: ["node.id": "\(bank)"])
        link.send(greeting().bytes)
        var reason = "closed by the bank"
        do {
            for try await message in channel.incoming {
                // A newer connection of the same bank may have taken the place already.
                guard links[bank] === link else { break }
                receive(message, from: bank, over: link)
            }
        } catch {
            reason = error.description
        }
        link.finish()
        guard links[bank] === link else { return }
        links[bank] = nil
        logger.info(
            "a bank is disconnected", metadata: ["node.id": "\(bank)", "reason": "\(reason)"])
        guard let active, active.isStarted else { return publish() }
        handle(.lost(bank))
    }

    /// What a bank may want to know before a run.
    private func greeting() -> Greeting {
        let members = (try? roster(of: [])).flatMap { try? charter(of: $0) }
        let newest = (try? store.runs.runs(limit: 1))?.first
        let manifest = newest.flatMap { try? Manifest(bytes: $0.manifest) }
        return Greeting(
            unixMilliseconds: Timestamp.nowUnixMilliseconds(), charter: members?.bytes ?? [],
            standardDigest: manifest?.standardDigest ?? [])
    }

    private func receive(_ message: [UInt8], from bank: NodeID, over link: BankLink) {
        if let position = LinkPosition(bytes: message) {
            return place(bank, at: position, over: link)
        }
        if ConsensusMessage.claims(message) { return hear(message, from: bank, over: link) }
        guard let active, link.run == active.record.run,
            SignedStatement.claimedRun(of: message) == active.record.run
        else {
            return logger.debug(
                "a message of no run under way", metadata: ["node.id": "\(bank)"])
        }
        active.bytesReceived[bank, default: 0] += UInt64(message.count)
        handle(.received(message, from: bank))
    }

    /// A bank says which run it is in and how much of it it has; what is missing follows.
    private func place(_ bank: NodeID, at position: LinkPosition, over link: BankLink) {
        if let active, active.machine.manifest.roster.index(of: bank) != nil {
            let run = active.machine.manifest.run
            guard !active.machine.isExcluded(bank) else { return }
            link.run = run
            let count = position.run == run ? position.count : 0
            link.send(
                LinkPosition(run: run, count: active.machine.position(of: bank)).bytes)
            if active.isStarted { handle(.connected(bank, has: count)) } else { startIfComplete() }
        } else {
            link.run = position.run
        }
        // A run that has ended meanwhile: the bank learns how.
        guard let run = position.run, run != active?.machine.manifest.run else { return }
        tell(bank, theEndOf: run, after: position.count, over: link)
    }

    private func tell(
        _ bank: NodeID, theEndOf run: RunID, after count: UInt64, over link: BankLink
    ) {
        do {
            if ended?.manifest.run != run {
                guard let record = try store.runs.run(run), record.state.isFinal,
                    let restored = try restored(record)?.run, restored.isStarted
                else { return }
                ended = restored.machine
            }
            guard var machine = ended else { return }
            link.send(LinkPosition(run: run, count: machine.position(of: bank)).bytes)
            for effect in machine.handle(.connected(bank, has: count)) {
                if case .send(let bytes, bank, _) = effect { link.send(bytes) }
            }
        } catch {
            logger.error("an ended run cannot be read: \(error)")
        }
    }

    // MARK: Runs

    /// Begins a run; it starts as soon as all its banks are connected.
    func begin(_ run: ActiveRun, standard: [UInt8]) throws(OperatorError) -> RunStatus {
        if let active {
            throw .conflict(
                reason: "run \(active.machine.manifest.run) is under way",
                hint: "watch it, or end it: fed-coordinator run abort")
        }
        do {
            try store.begin(run.record, standard: standard, charter: run.machine.charter.bytes)
        } catch {
            throw .failed(reason: error.description)
        }
        active = run
        for (bank, link) in links where run.machine.manifest.roster.index(of: bank) != nil {
            link.run = run.machine.manifest.run
        }
        log("the run is asked for: \(run.status.algorithm)", level: .info)
        startIfComplete()
        publish()
        return active?.status ?? run.status
    }

    var activeStatus: RunStatus? { active.map { decorated($0) } }

    /// Ends the run under way without a model.
    func abortActive(_ reason: AbortReason) {
        guard let active else { return }
        if active.isStarted {
            handle(.abort(reason))
        } else {
            finish(.aborted(reason))
        }
    }

    func startIfComplete() {
        guard let run = active, !run.isStarted else { return }
        let roster = run.machine.manifest.roster
        let missing = roster.banks.filter { links[$0]?.run != run.machine.manifest.run }
        guard missing.isEmpty else {
            active?.status.note = "waiting for \(list(missing)) to connect"
            return publish()
        }
        active?.isStarted = true
        active?.status.state = .running
        log("all \(roster.members.count) banks are connected", level: .info)
        for bank in roster.banks { handle(.connected(bank, has: 0)) }
        handle(.start)
    }

    /// Goes on with the run that was under way when the process last ended, or its disk was full.
    ///
    /// - Returns: `false` when that may go better later.
    @discardableResult
    package func resume() -> Bool {
        guard active == nil else { return true }
        do {
            for record in try store.runs.unfinishedRuns() {
                guard let (run, effects) = try restored(record) else { continue }
                active = run
                logger.info("going on with a run", metadata: ["run.id": "\(record.run)"])
                perform(effects)
                // Who came while there was no run said where it is to nobody: on a new connection
                // it says so again.
                for link in links.values { link.close() }
                return true
            }
        } catch let error as StoreError {
            logger.error("a run cannot be gone on with: \(error.description)")
            return false
        } catch {
            logger.error("a run cannot be gone on with: \(error)")
        }
        return true
    }

    /// A run as its journal tells it; `nil` for one whose documents are not there.
    private func restored(
        _ record: RunRecord
    ) throws -> (run: ActiveRun, effects: [CoordinatorRun.Effect])? {
        guard let documents = try store.documents(of: record.run) else { return nil }
        let manifest = try Manifest(bytes: record.manifest)
        var journal: [CoordinatorRun.JournalEntry] = []
        for bytes in try store.journal.entries(of: record.run) {
            journal.append(try CoordinatorRun.JournalEntry(bytes: bytes))
        }
        let (machine, effects) = CoordinatorRun.restore(
            manifest: manifest, charter: try Charter(bytes: documents.charter), key: identity,
            learner: try Self.learner(
                manifest, standard: try FeatureStandard(json: documents.standard)),
            journal: journal)
        let run = ActiveRun(machine: machine, record: record)
        run.isStarted = !journal.isEmpty
        run.status.state = run.isStarted ? .running : .waiting
        return (run, effects)
    }

    static func learner(
        _ manifest: Manifest, standard: FeatureStandard
    ) throws(LearningError) -> any JointLearner {
        try manifest.algorithm.jointLearner(
            standard: standard, contributors: manifest.roster.members.count,
            manifestDigest: manifest.digest)
    }
}

/// A bank's connection: messages go out in order, and sending never blocks the coordinator.
final class BankLink {
    /// The run in which the bank's place is known.
    var run: RunID?
    private let channel: MessageChannel
    private var isFinished = false

    init(_ channel: MessageChannel) { self.channel = channel }

    func send(_ message: [UInt8]) {
        if !isFinished { channel.post(message) }
    }

    /// Takes no more messages.
    func finish() { isFinished = true }

    /// Ends the connection; the bank makes a new one.
    func close() {
        finish()
        channel.close()
    }
}
