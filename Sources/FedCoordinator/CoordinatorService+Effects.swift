internal import FedCore
internal import FedRuntime
internal import FedWire
internal import Logging

// What the state machine of a run wants done, and what is told of it.
extension CoordinatorService {
    /// Journal entries that wait for the next statement are written at this size at the latest.
    private static let journalBytesMax = 1 << 22

    func handle(_ event: CoordinatorRun.Event) {
        guard let run = active else { return }
        perform(run.machine.handle(event))
    }

    func perform(_ effects: [CoordinatorRun.Effect]) {
        for effect in effects {
            guard active != nil else { return }
            switch effect {
            case .persist(let entry):
                guard remember(entry) else { return }
                if active?.journalBytes ?? 0 > Self.journalBytesMax { writeJournal() }
            case .broadcast(let bytes, _):
                guard writeJournal() else { return }
                for bank in active?.machine.manifest.roster.banks ?? [] { send(bytes, to: bank) }
            case .send(let bytes, let bank, _):
                guard writeJournal() else { return }
                send(bytes, to: bank)
            case .disconnect(let bank): links[bank]?.close()
            case .setDeadline(let phase):
                active?.hold = nil
                setTimer(phaseTimeout, .deadlinePassed(phase: phase))
            case .hold(let phase, let missing): hold(phase: phase, missing: missing)
            case .progress(let progress):
                if !progress.isHeld { active?.hold = nil }
                active?.progress = progress
                publishNowAndThen()
            case .note(let notice): log(notice.text, level: notice.level)
            case .finish(let outcome):
                guard writeJournal() else { return }
                finish(outcome)
            }
        }
    }

    private func send(_ bytes: [UInt8], to bank: NodeID) {
        guard let run = active, let link = links[bank], link.run == run.record.run,
            !run.machine.isExcluded(bank)
        else { return }
        run.bytesSent[bank, default: 0] += UInt64(bytes.count)
        link.send(bytes)
    }

    /// Gets an entry ready for the journal; large ones while other banks are still at work.
    private func remember(_ entry: CoordinatorRun.JournalEntry) -> Bool {
        guard let run = active else { return false }
        do {
            run.remember(try store.journal.stage(entry.bytes, run: run.record.run))
            return true
        } catch {
            dropRun(error)
            return false
        }
    }

    /// Writes what was accepted and decided, before anything that follows from it is said.
    @discardableResult
    private func writeJournal() -> Bool {
        guard let run = active else { return true }
        do {
            // If a power cut takes the last of it, the run ends, without harm to anybody.
            try store.journal.append(
                run.takeJournal(), run: run.record.run, durability: .processEnd)
            return true
        } catch {
            dropRun(error)
            return false
        }
    }

    /// When the journal cannot be written, nothing is said: the run in memory is dropped, the banks
    /// are let go, and the run is taken up again from the disk later.
    private func dropRun(_ error: StoreError) {
        logger.error(
            "the run's journal cannot be written: \(error.description)",
            metadata: [
                "run.id": "\(active?.record.run.description ?? "")", "hint": "\(error.hint)",
            ])
        timer?.cancel()
        active = nil
        for link in links.values { link.close() }
        Task {
            repeat { try? await Task.sleep(for: .seconds(5)) } while !self.resume()
        }
    }

    private func setTimer(_ time: Duration, _ event: CoordinatorRun.Event) {
        timer?.cancel()
        timer = Task {
            try? await Task.sleep(for: time)
            guard !Task.isCancelled else { return }
            self.handle(event)
        }
    }

    private func hold(phase: UInt64, missing: [NodeID]) {
        let seconds = active?.machine.charter.holdSeconds ?? Self.holdSecondsDefault
        active?.hold = "held for \(list(missing)), for \(seconds) s"
        log("the run is held for \(list(missing)); waiting \(seconds) s", level: .warning)
        setTimer(.seconds(seconds), .holdExpired(phase: phase))
        publish()
    }

    func finish(_ outcome: CoordinatorRun.Outcome) {
        guard let run = active else { return }
        timer?.cancel()
        run.takeProgress()
        let now = Timestamp.nowUnixMilliseconds()
        switch outcome {
        case .model(let model, let slots):
            let digest = model.digest.hexadecimal
            do {
                try store.runs.saveModel(model.bytes, sha256: digest, run: run.record.run, at: now)
                run.status.state = .succeeded
                run.status.modelSHA256 = digest
                run.status.slot = UInt64(clamping: slots)
                run.status.note = "\(slots) masked sums, model \(digest)"
                run.status.reason = whoIsLeftOut(of: run.machine)
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
        if run.status.state == .succeeded { log(run.success, level: .info) }
        if !run.status.reason.isEmpty {
            log(run.status.reason, level: run.status.state == .succeeded ? .warning : .error)
        }
        let final = decorated(run)
        save(final, of: run)
        ended = run.machine
        active = nil
        for watcher in watchers.removeValue(forKey: final.run) ?? [] {
            watcher.yield(final)
            watcher.finish()
        }
        if case .tally = run.machine.manifest.algorithm {
            examinationEnded(final.run)
        } else if final.state == .succeeded, run.machine.manifest.algorithm.trainsModel {
            yieldCandidate(of: final.run, head: run.machine.transcriptHead)
        }
        settle()
    }

    /// The banks whose rows are not in the end of the training, and why.
    private func whoIsLeftOut(of machine: CoordinatorRun) -> String {
        guard !machine.leftOut.isEmpty else { return "" }
        let reasons = machine.exclusions.map(\.description)
        return "ended without \(list(machine.leftOut)): "
            + (reasons.isEmpty ? "away for the hold time" : reasons.joined(separator: "; "))
    }

    private func save(_ status: RunStatus, of run: ActiveRun) {
        var record = run.record
        record.state = status.state
        record.reason = status.reason
        record.modelSHA256 = status.modelSHA256
        record.slots = Int(clamping: status.slot)
        record.rounds = Int(status.round)
        record.finishedUnixMilliseconds = status.finishedUnixMilliseconds
        do {
            try store.runs.save(record)
            for bank in run.machine.manifest.roster.banks {
                try store.addTraffic(
                    run: record.run, bank: bank, bytesReceived: run.bytesReceived[bank] ?? 0,
                    bytesSent: run.bytesSent[bank] ?? 0)
            }
        } catch {
            logger.error("the run is not recorded: \(error.description)")
        }
        do {
            try store.journal.confirm(record.run)
            for old in try store.journal.prune(keeping: runsKept) {
                logger.info(
                    "the masked vectors of an old run are forgotten",
                    metadata: ["run.id": "\(old)", "runs.kept": "\(runsKept)"])
            }
        } catch {
            logger.error("old runs are not pruned: \(error.description)")
        }
    }

    // MARK: Telling

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

    /// A run has thousands of steps; people and scripts need ten lines a second at most.
    private func publishNowAndThen() {
        guard let run = active?.status.run, watchers[run] != nil else { return }
        let now = ContinuousClock.now
        guard now - lastPublished >= .milliseconds(100) else { return }
        lastPublished = now
        publish()
    }

    func publish() {
        guard let run = active else { return }
        let status = decorated(run)
        for watcher in watchers[status.run] ?? [] { watcher.yield(status) }
    }

    func decorated(_ run: ActiveRun) -> RunStatus {
        run.takeProgress()
        var status = run.status
        if let hold = run.hold { status.note = hold }
        let end = status.finishedUnixMilliseconds ?? Timestamp.nowUnixMilliseconds()
        status.seconds = Double(end - status.startedUnixMilliseconds) / 1000
        status.banks = run.machine.manifest.roster.banks.map {
            BankTraffic(
                bank: $0, bytesReceived: run.bytesReceived[$0] ?? 0,
                bytesSent: run.bytesSent[$0] ?? 0, isConnected: links[$0] != nil)
        }
        return status
    }

    func log(_ text: String, level: Notice.Level) {
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

    func list(_ banks: [NodeID]) -> String {
        (banks.count == 1 ? "bank " : "banks ") + banks.map(\.name).joined(separator: ", ")
    }
}

/// The run that a coordinator drives.
///
/// A class, so that the machine's sums are worked on where they are, never copied.
final class ActiveRun {
    var machine: CoordinatorRun
    var record: RunRecord
    var status: RunStatus
    var isStarted = false
    /// Where the machine stands, if it has moved since the status was made.
    var progress: CoordinatorRun.Progress?
    /// Why the run waits, while it does.
    var hold: String?
    /// Entries that are not in the journal yet.
    private(set) var journal: [JournalStore.Staged] = []
    private(set) var journalBytes = 0
    var bytesReceived: [NodeID: UInt64] = [:]
    var bytesSent: [NodeID: UInt64] = [:]

    init(machine: CoordinatorRun, record: RunRecord) {
        self.machine = machine
        self.record = record
        status = RunStatus(
            run: record.run, algorithm: record.algorithm,
            startedUnixMilliseconds: record.startedUnixMilliseconds)
    }

    func remember(_ entry: JournalStore.Staged) {
        journal.append(entry)
        journalBytes += entry.byteCount
    }

    /// Gives the entries away.
    func takeJournal() -> [JournalStore.Staged] {
        defer {
            journal = []
            journalBytes = 0
        }
        return journal
    }

    /// What is said of a run that ended well.
    var success: String {
        switch machine.manifest.algorithm {
        case .logistic, .boosting: "the model is trained"
        case .indicators, .tally: "the counts are summed"
        }
    }

    /// Puts where the machine stands into words.
    func takeProgress() {
        guard let progress = progress.take() else { return }
        status.round = UInt32(clamping: progress.learner.roundsDone)
        status.roundsMax = UInt32(clamping: progress.learner.roundsMax)
        status.slot = UInt64(progress.slots)
        let merit = progress.learner.note.isEmpty ? "" : " · \(progress.learner.note)"
        let missing = progress.waitingFor.count
        status.note = progress.phase + merit + (missing == 0 ? "" : " · \(missing) to answer")
    }
}
