package import FedCore
internal import FedCrypto
package import FedRuntime
internal import FedWire
package import Logging

/// The coordinator: admits banks' connections, starts runs, drives one at a time, tells watchers.
///
/// All of a run's decisions are taken by ``CoordinatorRun``; this actor performs its effects.
package actor CoordinatorService: FederationDelegate {
    /// How long banks have for one phase of a run.
    package static let phaseTimeoutDefault = Duration.seconds(300)

    let store: CoordinatorStore
    let state: CoordinatorState
    private let identity: SigningKey
    private let phaseTimeout: Duration
    private let logger: Logger
    private var outboxes: [NodeID: Outbox] = [:]
    private var active: ActiveRun?
    private var deadline: Task<Void, Never>?
    private var lastPublished = ContinuousClock.now
    private var watchers: [RunID: [AsyncStream<RunStatus>.Continuation]] = [:]

    /// Opens the store; runs that were under way when the process last ended are marked as failed.
    package init(
        state: CoordinatorState, logger: Logger,
        phaseTimeout: Duration = CoordinatorService.phaseTimeoutDefault
    ) throws {
        self.state = state
        self.store = try CoordinatorStore(in: state.folder)
        self.identity = try state.identity()
        self.phaseTimeout = phaseTimeout
        self.logger = logger
        for var record in try store.runs.unfinishedRuns() {
            record.state = .failed
            record.reason = "the coordinator's process ended during the run"
            record.finishedUnixMilliseconds = Timestamp.nowUnixMilliseconds()
            try store.runs.save(record)
            logger.warning("a run was cut off", metadata: ["run.id": "\(record.run)"])
        }
    }

    // MARK: Connections

    package func admission(of bank: NodeID, serial: String) -> Refusal? {
        do {
            return try store.members.admission(of: bank, serial: serial)
        } catch {
            logger.error("admission cannot be decided: \(error)")
            return .notAMember
        }
    }

    package func serve(_ bank: NodeID, over channel: MessageChannel) async {
        let outbox = Outbox(channel)
        outboxes[bank] = outbox
        logger.info("a bank is connected", metadata: ["node.id": "\(bank)"])
        startIfComplete()
        var reason = "closed by the bank"
        do {
            for try await message in channel.incoming { receive(message, from: bank) }
        } catch {
            reason = error.description
        }
        outbox.finish()
        // A newer connection of the same bank may have taken the place already.
        guard outboxes[bank] === outbox else { return }
        outboxes[bank] = nil
        logger.info(
            "a bank is disconnected", metadata: ["node.id": "\(bank)", "reason": "\(reason)"])
        guard let active, active.isStarted else { return publish() }
        handle(.lost(bank))
    }

    private func receive(_ message: [UInt8], from bank: NodeID) {
        guard var run = active, SignedStatement.claimedRun(of: message) == run.machine.manifest.run
        else {
            logger.debug("a message of no run under way", metadata: ["node.id": "\(bank)"])
            return
        }
        run.bytesReceived[bank, default: 0] += UInt64(message.count)
        active = run
        handle(.received(message, from: bank))
    }

    // MARK: Runs

    /// Begins a run; it starts as soon as all its banks are connected.
    func begin(_ run: ActiveRun) throws(OperatorError) -> RunStatus {
        if let active {
            throw .conflict(
                reason: "run \(active.machine.manifest.run) is under way",
                hint: "watch it, or end it: fed-coordinator run abort")
        }
        active = run
        save(run.status)
        log("the run is asked for: \(run.status.algorithm)", level: .info)
        startIfComplete()
        publish()
        return active?.status ?? run.status
    }

    var identityKey: SigningKey { identity }

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

    /// The status now and at each change.
    func watch(_ run: RunID, now: RunStatus) -> AsyncStream<RunStatus> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: RunStatus.self, bufferingPolicy: .bufferingNewest(64))
        continuation.yield(now)
        if now.state.isFinal {
            continuation.finish()
        } else {
            watchers[run, default: []].append(continuation)
        }
        return stream
    }

    private func startIfComplete() {
        guard let run = active, !run.isStarted else { return }
        let missing = run.machine.manifest.roster.banks.filter { outboxes[$0] == nil }
        guard missing.isEmpty else {
            active?.status.note = "waiting for \(list(missing)) to connect"
            return publish()
        }
        active?.isStarted = true
        active?.status.state = .running
        log("all \(run.machine.manifest.roster.members.count) banks are connected", level: .info)
        handle(.start)
    }

    private func handle(_ event: CoordinatorRun.Event) {
        guard var run = active else { return }
        // The machine is moved out and back, so that its sums are not copied.
        active = nil
        let effects = run.machine.handle(event)
        active = run
        for effect in effects { perform(effect) }
    }

    private func perform(_ effect: CoordinatorRun.Effect) {
        guard let run = active else { return }
        switch effect {
        case .broadcast(let bytes, _):
            for bank in run.machine.manifest.roster.banks {
                active?.bytesSent[bank, default: 0] += UInt64(bytes.count)
                outboxes[bank]?.send(bytes)
            }
        case .setDeadline(let phase):
            deadline?.cancel()
            deadline = Task { [phaseTimeout] in
                try? await Task.sleep(for: phaseTimeout)
                guard !Task.isCancelled else { return }
                self.handle(.deadlinePassed(phase: phase))
            }
        case .progress(let progress):
            active?.update(progress)
            publishNowAndThen()
        case .note(let notice): log(notice.text, level: notice.level)
        case .finish(let outcome): finish(outcome)
        }
    }

    private func finish(_ outcome: CoordinatorRun.Outcome) {
        guard var run = active else { return }
        deadline?.cancel()
        let now = Timestamp.nowUnixMilliseconds()
        switch outcome {
        case .model(let model, let slots):
            let digest = model.digest.hexadecimal
            do {
                try store.runs.saveModel(
                    model.bytes, sha256: digest, run: run.machine.manifest.run, at: now)
                run.status.state = .succeeded
                run.status.modelSHA256 = digest
                run.status.note = "\(slots) masked sums, model \(digest)"
            } catch {
                run.status.state = .failed
                run.status.reason = error.description
                run.status.hint = error.hint
            }
        case .aborted(let reason):
            run.status.state = reason == .byOperator ? .aborted : .failed
            run.status.reason = reason.description
            run.status.note = ""
        }
        run.status.finishedUnixMilliseconds = now
        active = run
        log(
            run.status.reason.isEmpty ? "the model is trained" : run.status.reason,
            level: run.status.reason.isEmpty ? .info : .error)
        let final = decorated(run)
        save(final)
        for bank in run.machine.manifest.roster.banks {
            do {
                try store.addTraffic(
                    run: run.machine.manifest.run, bank: bank,
                    bytesReceived: run.bytesReceived[bank] ?? 0,
                    bytesSent: run.bytesSent[bank] ?? 0)
            } catch {
                logger.error("traffic is not recorded: \(error.description)")
            }
        }
        active = nil
        for watcher in watchers.removeValue(forKey: final.run) ?? [] {
            watcher.yield(final)
            watcher.finish()
        }
    }

    /// A run has thousands of steps; people and scripts need ten lines a second at most.
    private func publishNowAndThen() {
        guard let run = active, watchers[run.status.run] != nil else { return }
        let now = ContinuousClock.now
        guard now - lastPublished >= .milliseconds(100) else { return }
        lastPublished = now
        publish()
    }

    private func publish() {
        guard let run = active else { return }
        let status = decorated(run)
        for watcher in watchers[status.run] ?? [] { watcher.yield(status) }
    }

    private func decorated(_ run: ActiveRun) -> RunStatus {
        var status = run.status
        let end = status.finishedUnixMilliseconds ?? Timestamp.nowUnixMilliseconds()
        status.seconds = Double(end - status.startedUnixMilliseconds) / 1000
        status.banks = run.machine.manifest.roster.banks.map {
            BankTraffic(
                bank: $0, bytesReceived: run.bytesReceived[$0] ?? 0,
                bytesSent: run.bytesSent[$0] ?? 0, isConnected: outboxes[$0] != nil)
        }
        return status
    }

    private func save(_ status: RunStatus) {
        guard let run = active else { return }
        var record = RunRecord(
            run: status.run, algorithm: status.algorithm, manifest: run.machine.manifest.bytes,
            startedUnixMilliseconds: status.startedUnixMilliseconds, state: status.state)
        record.reason = status.reason
        record.modelSHA256 = status.modelSHA256
        record.finishedUnixMilliseconds = status.finishedUnixMilliseconds
        do {
            try store.runs.save(record)
        } catch {
            logger.error("the run is not recorded: \(error.description)")
        }
    }

    private func log(_ text: String, level: Notice.Level) {
        guard let run = active?.machine.manifest.run else { return }
        logger.log(level: level.logLevel, "\(text)", metadata: ["run.id": "\(run)"])
        guard level != .debug else { return }
        do {
            try store.log(
                text, run: run, level: level.logLevel.rawValue,
                at: Timestamp.nowUnixMilliseconds())
        } catch {
            logger.error("the run's log is not recorded: \(error.description)")
        }
    }

    private func list(_ banks: [NodeID]) -> String {
        (banks.count == 1 ? "bank " : "banks ") + banks.map(\.name).joined(separator: ", ")
    }
}

/// The run that a coordinator drives.
struct ActiveRun: Sendable {
    var machine: CoordinatorRun
    var status: RunStatus
    var isStarted = false
    var bytesReceived: [NodeID: UInt64] = [:]
    var bytesSent: [NodeID: UInt64] = [:]

    mutating func update(_ progress: CoordinatorRun.Progress) {
        status.round = UInt32(clamping: progress.learner.roundsDone)
        status.roundsMax = UInt32(clamping: progress.learner.roundsMax)
        status.slot = UInt64(progress.slots)
        let merit = progress.learner.note.isEmpty ? "" : " · \(progress.learner.note)"
        let missing = progress.waitingFor.count
        status.note = progress.phase + merit + (missing == 0 ? "" : " · \(missing) to answer")
    }
}

/// Messages to one bank, in order; sending never blocks the coordinator.
final class Outbox: Sendable {
    private let continuation: AsyncStream<[UInt8]>.Continuation
    private let task: Task<Void, Never>

    init(_ channel: MessageChannel) {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        self.continuation = continuation
        task = Task {
            for await message in stream {
                // When the channel has ended, its reader says why; the rest is dropped.
                guard (try? await channel.send(message)) != nil else { return }
            }
        }
    }

    func send(_ message: [UInt8]) { continuation.yield(message) }

    func finish() { continuation.finish() }
}

extension Notice.Level {
    /// The level of the logging library.
    package var logLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
