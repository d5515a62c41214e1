import FedCore

extension SimulatedConsortium {
    mutating func performCoordinator(_ effects: [CoordinatorRun.Effect]) {
        let life = life
        isPerforming = true
        defer { isPerforming = false }
        for effect in effects {
            // A nested event may have ended this process.
            guard self.life == life, coordinator != nil else { return }
            if generator.unit() < faults.coordinatorKillShare { return dieCoordinator() }
            switch effect {
            case .persist(let entry):
                journal.append(entry)
                writes += 1
                if let last = faults.coordinatorKillAtWrite, writes == last + 1, !hasDiedAtWrite {
                    hasDiedAtWrite = true
                    return dieCoordinator()
                }
            case .broadcast(let bytes, _):
                holds = 0
                for bank in manifest.roster.banks { deliver(bytes, to: bank) }
            case .send(let bytes, let bank, _): deliver(bytes, to: bank)
            case .disconnect(let bank): disconnect(bank)
            case .setDeadline(let phase):
                schedule(.deadline(phase, clock: setClock()), in: faults.deadline)
            case .hold(let phase, _):
                schedule(.hold(phase, clock: setClock()), in: faults.holdTime)
            case .progress(let progress): self.progress = progress
            case .note: break
            case .finish(let outcome): self.outcome = outcome
            }
        }
    }

    private mutating func setClock() -> Int {
        clock += 1
        isClockRunning = true
        return clock
    }

    private mutating func deliver(_ bytes: [UInt8], to bank: NodeID) {
        guard let node = nodes[bank], coordinator?.isExcluded(bank) != true else { return }
        nodes[bank]?.sentTo += 1
        for copy in tamper?(bytes, bank, node.sentTo) ?? [bytes] {
            let link = nodes[bank]?.link ?? 0
            transmit(copy, bank: bank, direction: "down") { .toBank(bank, link: link, $0) }
        }
    }

    mutating func perform(_ effects: [NodeRun.Effect], at bank: NodeID) {
        guard let life = nodes[bank]?.life else { return }
        for effect in effects {
            guard nodes[bank]?.life == life else { return }
            if generator.unit() < faults.bankKillShare { return die(bank) }
            switch effect {
            case .persist(let entries): nodes[bank]?.journal += entries
            case .send(let honest, _):
                let bytes = garbled(lie?(honest, bank) ?? honest, from: bank)
                sentByBanks.append((bank, bytes))
                let link = nodes[bank]?.link ?? 0
                transmit(bytes, bank: bank, direction: "up") {
                    .toCoordinator(bank, link: link, $0)
                }
            case .compute(let query, let slot, let contributors):
                compute(query, slot: slot, contributors: contributors, at: bank)
            case .replay(let query): try? nodes[bank]?.learner.replay(query)
            case .adopt(let model): models[bank] = model
            case .reconnect: disconnect(bank)
            case .finish(let outcome): bankOutcomes[bank] = outcome
            case .consented, .note: break
            }
        }
    }

    /// One statement of the garbler, with its middle bit flipped.
    private mutating func garbled(_ bytes: [UInt8], from bank: NodeID) -> [UInt8] {
        guard let garbler = faults.garbler, garbler.bank == bank, let node = nodes[bank] else {
            return bytes
        }
        nodes[bank]?.sentBy += 1
        guard node.sentBy == garbler.statement, !bytes.isEmpty else { return bytes }
        var bytes = bytes
        bytes[bytes.count / 2] ^= 1
        return bytes
    }

    private mutating func compute(
        _ query: Query, slot: UInt32, contributors: Int, at bank: NodeID
    ) {
        guard var node = nodes[bank] else { return }
        let event: NodeRun.Event
        do throws(LearningError) {
            let vector = try node.learner.answer(query, contributors: contributors)
            vectors[Self.name(of: query), default: [:]][bank] = vector
            event = .computed(vector, slot: slot)
        } catch {
            event = .computationFailed(error)
        }
        nodes[bank]?.learner = node.learner
        node.life = nodes[bank]?.life ?? 0
        schedule(
            .computed(bank, life: node.life, event),
            in: generator.next() % max(1, faults.computationMax))
    }

    static func name(of query: Query) -> [UInt8] {
        Array("\(query.round) \(query.kind) ".utf8) + query.body
    }

    // MARK: Oracle

    /// Banks that the coordinator waits for although they are there; not for one that it has put out,
    /// whose gate the absent could help to recover.
    private var silent: [NodeID] {
        guard outcome == nil, let coordinator else { return [] }
        return coordinator.waitingFor.filter {
            guard let node = nodes[$0], let machine = node.machine else { return false }
            return node.isConnected && !node.isHalfOpen && !machine.isEnded
                && !coordinator.isExcluded($0)
        }
    }

    /// - Parameter held: how the run stood before the quiet at its end.
    func result(
        held: (outcome: CoordinatorRun.Outcome?, progress: CoordinatorRun.Progress?)
    ) -> Result {
        let statements = coordinator?.statements ?? lastStatements
        var asked: [[UInt8]: SlotQuery] = [:]
        var (retries, truncations, recoveries, isFull) = (0, 0, 0, true)
        var rosters: [Int] = []
        for bytes in statements {
            guard let statement = try? SignedStatement(bytes: bytes),
                let message = try? RunMessage(bytes: statement.body)
            else { continue }
            switch message {
            case .query(let query):
                asked[Self.name(of: query.query)] = query
                if query.attempt > 0, query.isGated { retries += 1 }
                if query.isGated { rosters.append(query.places.count) }
                if query.places.count < manifest.roster.banks.count { isFull = false }
            case .truncation: truncations += 1
            case .recover: recoveries += 1
            default: break
            }
        }
        var opened: [[UInt8]: Aggregate] = [:]
        var wrong: [UInt32] = []
        var double: [UInt32] = []
        for (name, aggregate) in record.openings {
            guard let query = asked[name] else {
                wrong.append(.max)
                continue
            }
            if let before = opened[name], before != aggregate { double.append(query.slot) }
            opened[name] = aggregate
            let inputs = query.places.compactMap { vectors[name]?[manifest.roster.banks[$0]] }
            if inputs.count != query.places.count
                || PlaintextAggregation.sum(inputs) != aggregate
            {
                wrong.append(query.slot)
            }
        }
        return Result(
            outcome: held.outcome, bankOutcomes: bankOutcomes, wrongSums: wrong,
            doubleOpenings: double, models: models, truncations: truncations, retries: retries,
            recoveries: recoveries, hasFullRosters: isFull, deliveries: deliveries,
            progress: held.progress, journal: journal, statements: statements,
            bankJournals: nodes.mapValues(\.journal), sentByBanks: sentByBanks,
            exclusions: coordinator?.exclusions ?? [], leftOut: coordinator?.leftOut ?? [],
            progressOfBanks: nodes.compactMapValues { $0.machine?.progress },
            hasStruck: hasStruck, rosters: rosters, unclocked: unclocked, silent: silent)
    }
}

/// Every sum that the coordinator's learner was given, in any of its lives.
final class SumRecord {
    var openings: [(name: [UInt8], aggregate: Aggregate)] = []
}

/// Passes everything on to the real learner and remembers the sums.
struct RecordingLearner: JointLearner {
    var learner: any JointLearner
    // One world is driven by one thread; the record never leaves it.
    nonisolated(unsafe) let record: SumRecord
    private var asked: [UInt8] = []

    init(learner: any JointLearner, record: SumRecord) {
        self.learner = learner
        self.record = record
    }

    var progress: LearnerProgress { learner.progress }

    mutating func next() throws(LearningError) -> JointStep {
        let step = try learner.next()
        if case .query(let query) = step { asked = SimulatedConsortium.name(of: query) }
        return step
    }

    mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
        record.openings.append((asked, aggregate))
        try learner.absorb(aggregate)
    }

    mutating func truncateGroup() throws(LearningError) { try learner.truncateGroup() }
}
