public import FedCore
public import FedCrypto

/// One run of the real state machines on a simulated network and clock: the same seed gives the
/// same schedule, byte for byte.
///
/// What counts as failure: a sum that differs from the plaintext sum of the same vectors; a model
/// that an undisturbed run would not give; a bank and the coordinator that end with different
/// models; a run that does not end.
public struct SimulatedRun {
    /// A bank of the simulation.
    public struct Bank {
        /// What it brings.
        public let configuration: NodeRun.Configuration
        /// Its learner.
        public let learner: any LocalLearner

        /// Wraps the parts.
        public init(configuration: NodeRun.Configuration, learner: any LocalLearner) {
            self.configuration = configuration
            self.learner = learner
        }
    }

    /// How a simulated run ended.
    public struct Result {
        /// The coordinator's outcome, or `nil` when the run did not end.
        public let outcome: CoordinatorRun.Outcome?
        /// Each bank's outcome, where it has one.
        public let bankOutcomes: [NodeID: NodeRun.Outcome]
        /// Slots whose sum was not the plaintext sum: must be empty.
        public let wrongSums: [Int]
        /// Models as adopted by banks.
        public let models: [NodeID: ModelDocument]
        /// Messages delivered.
        public let deliveries: Int
        /// What the banks sent, in order, as an eavesdropper on the coordinator's host sees it.
        public let sentByBanks: [(bank: NodeID, bytes: [UInt8])]
    }

    /// Rewrites what the coordinator sends to one bank: a lying coordinator or a hostile network.
    public typealias Tampering = (_ bytes: [UInt8], _ to: NodeID, _ index: Int) -> [[UInt8]]

    private enum Happening {
        case toBank(NodeID, [UInt8])
        case toCoordinator(NodeID, [UInt8])
        case deadline(UInt64)
        case kill(NodeID)
    }

    private struct Scheduled {
        let time: UInt64
        let order: UInt64
        let happening: Happening
    }

    private var coordinator: CoordinatorRun
    private var nodes: [NodeID: NodeRun]
    private var learners: [NodeID: any LocalLearner]
    private let faults: FaultPlan
    private let tamper: Tampering?
    private var generator: SeededGenerator
    private var queue: [Scheduled] = []
    private var now: UInt64 = 0
    private var order: UInt64 = 0
    private var lastArrival: [String: UInt64] = [:]
    private var killed: Set<NodeID> = []
    private var sentToBank: [NodeID: Int] = [:]
    private let record: SumRecord
    private var vectors: [Int: [NodeID: EncodedVector]] = [:]
    private var slotOfBank: [NodeID: Int] = [:]

    private var outcome: CoordinatorRun.Outcome?
    private var bankOutcomes: [NodeID: NodeRun.Outcome] = [:]
    private var models: [NodeID: ModelDocument] = [:]
    private var deliveries = 0
    private var sentByBanks: [(bank: NodeID, bytes: [UInt8])] = []

    /// Prepares a world.
    public init(
        manifest: Manifest, coordinatorKey: SigningKey, learner: any JointLearner, banks: [Bank],
        faults: FaultPlan = FaultPlan(), seed: UInt64, tamper: Tampering? = nil
    ) {
        record = SumRecord()
        coordinator = CoordinatorRun(
            manifest: manifest, key: coordinatorKey,
            learner: RecordingLearner(learner: learner, record: record))
        nodes = [:]
        learners = [:]
        for bank in banks {
            let name = bank.configuration.bank
            nodes[name] = NodeRun(run: manifest.run, configuration: bank.configuration)
            learners[name] = bank.learner
        }
        self.faults = faults
        self.tamper = tamper
        generator = SeededGenerator(seed: seed)
    }

    /// Runs until nothing is left to happen, at most `deliveriesMax` deliveries.
    public mutating func run(deliveriesMax: Int = 100_000) -> Result {
        for (bank, time) in faults.kills.sorted(by: { $0.key < $1.key }) {
            schedule(.kill(bank), at: time)
        }
        perform(coordinator.handle(.start))
        while deliveries < deliveriesMax, let next = popNext() {
            now = next.time
            deliveries += 1
            happen(next.happening)
        }
        return Result(
            outcome: outcome, bankOutcomes: bankOutcomes, wrongSums: wrongSums(), models: models,
            deliveries: deliveries, sentByBanks: sentByBanks)
    }

    private mutating func happen(_ happening: Happening) {
        switch happening {
        case .toBank(let bank, let bytes):
            guard !killed.contains(bank), var node = nodes[bank] else { return }
            let effects = node.handle(.received(bytes))
            nodes[bank] = node
            perform(effects, at: bank)
        case .toCoordinator(let bank, let bytes):
            guard !killed.contains(bank) else { return }
            perform(coordinator.handle(.received(bytes, from: bank)))
        case .deadline(let phase): perform(coordinator.handle(.deadlinePassed(phase: phase)))
        case .kill(let bank):
            killed.insert(bank)
            perform(coordinator.handle(.lost(bank)))
        }
    }

    private mutating func perform(_ effects: [CoordinatorRun.Effect]) {
        for effect in effects {
            switch effect {
            case .broadcast(let bytes, _):
                for bank in coordinator.manifest.roster.banks {
                    let index = sentToBank[bank, default: 0]
                    sentToBank[bank] = index + 1
                    for copy in tamper?(bytes, bank, index) ?? [bytes] {
                        transmit(copy, link: "c>\(bank)") { .toBank(bank, $0) }
                    }
                }
            case .setDeadline(let phase): schedule(.deadline(phase), at: now + faults.deadline)
            case .progress, .note: break
            case .finish(let outcome): self.outcome = outcome
            }
        }
    }

    private mutating func perform(_ effects: [NodeRun.Effect], at bank: NodeID) {
        for effect in effects {
            switch effect {
            case .send(let bytes, _):
                sentByBanks.append((bank, bytes))
                transmit(bytes, link: "\(bank)>c") { .toCoordinator(bank, $0) }
            case .compute(let query, let contributors):
                guard var learner = learners[bank], var node = nodes[bank] else { continue }
                let event: NodeRun.Event
                do throws(LearningError) {
                    let vector = try learner.answer(query, contributors: contributors)
                    vectors[slotOfBank[bank, default: 0], default: [:]][bank] = vector
                    event = .computed(vector)
                } catch {
                    event = .computationFailed(error)
                }
                slotOfBank[bank, default: 0] += 1
                let effects = node.handle(event)
                learners[bank] = learner
                nodes[bank] = node
                perform(effects, at: bank)
            case .adopt(let model): models[bank] = model
            case .finish(let outcome): bankOutcomes[bank] = outcome
            case .consented, .note: break
            }
        }
    }

    private mutating func transmit(
        _ bytes: [UInt8], link: String, _ happening: ([UInt8]) -> Happening
    ) {
        if generator.unit() < faults.dropShare { return }
        var bytes = bytes
        if generator.unit() < faults.corruptShare, !bytes.isEmpty {
            bytes[Int(generator.next() % UInt64(bytes.count))] ^= 1 << UInt8(generator.next() % 8)
        }
        let copies = generator.unit() < faults.duplicateShare ? 2 : 1
        for _ in 0..<copies {
            var arrival = now + 1 + generator.next() % max(1, faults.delayMax)
            if !faults.reorders {
                arrival = max(arrival, lastArrival[link] ?? 0)
                lastArrival[link] = arrival
            }
            schedule(happening(bytes), at: arrival)
        }
    }

    private mutating func schedule(_ happening: Happening, at time: UInt64) {
        queue.append(Scheduled(time: time, order: order, happening: happening))
        order += 1
    }

    private mutating func popNext() -> Scheduled? {
        guard
            let index = queue.indices.min(by: {
                (queue[$0].time, queue[$0].order) < (queue[$1].time, queue[$1].order)
            })
        else { return nil }
        return queue.remove(at: index)
    }

    private func wrongSums() -> [Int] {
        record.aggregates.enumerated().compactMap { slot, aggregate in
            let inputs = coordinator.manifest.roster.banks.compactMap { vectors[slot]?[$0] }
            let complete = inputs.count == coordinator.manifest.roster.banks.count
            return complete && PlaintextAggregation.sum(inputs) == aggregate ? nil : slot
        }
    }
}

/// Every sum that the coordinator's learner was given; read after the run by the oracle.
private final class SumRecord {
    var aggregates: [Aggregate] = []
}

/// Passes everything on to the real learner and remembers the sums.
private struct RecordingLearner: JointLearner {
    var learner: any JointLearner
    // One world is driven by one thread; the record never leaves it.
    nonisolated(unsafe) let record: SumRecord

    var progress: LearnerProgress { learner.progress }

    mutating func next() throws(LearningError) -> JointStep { try learner.next() }

    mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
        record.aggregates.append(aggregate)
        try learner.absorb(aggregate)
    }
}
