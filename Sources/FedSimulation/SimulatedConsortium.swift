public import FedCore
public import FedCrypto

/// One run of the real state machines on a simulated network, disk and clock: the same seed gives
/// the same schedule, byte for byte.
///
/// What counts as failure: a sum that differs from the plaintext sum of the same vectors over its
/// roster; a group opened twice; a model that an undisturbed run would not give although every
/// roster was complete; banks that adopt different models.
public struct SimulatedConsortium {
    /// A bank of the simulation.
    public struct Bank {
        /// What it brings.
        public let configuration: NodeRun.Configuration
        /// Makes its learner, anew after every restart.
        public let learner: () -> any LocalLearner

        /// Wraps the parts.
        public init(
            configuration: NodeRun.Configuration, learner: @escaping () -> any LocalLearner
        ) {
            self.configuration = configuration
            self.learner = learner
        }
    }

    /// How a simulated run ended.
    public struct Result {
        /// The coordinator's outcome, or `nil` when the run was still held.
        public let outcome: CoordinatorRun.Outcome?
        /// Each bank's outcome, where it has one.
        public let bankOutcomes: [NodeID: NodeRun.Outcome]
        /// Slots whose sum was not the plaintext sum over the roster: must be empty.
        public let wrongSums: [UInt32]
        /// Slots that were opened with two different sums: must be empty.
        public let doubleOpenings: [UInt32]
        /// Models as adopted by banks.
        public let models: [NodeID: ModelDocument]
        /// Trees that ended early.
        public let truncations: Int
        /// Attempts beyond the first.
        public let retries: Int
        /// Times that shares were asked for.
        public let recoveries: Int
        /// Whether every group had all banks.
        public let hasFullRosters: Bool
        /// Messages delivered.
        public let deliveries: Int
        /// Where the coordinator stood last.
        public let progress: CoordinatorRun.Progress?
        /// The coordinator's journal.
        public let journal: [CoordinatorRun.JournalEntry]
        /// The coordinator's statements for all banks.
        public let statements: [[UInt8]]
        /// Each bank's journal.
        public let bankJournals: [NodeID: [NodeRun.JournalEntry]]
        /// What the banks sent, in order, as an eavesdropper on the coordinator's host sees it.
        public let sentByBanks: [(bank: NodeID, bytes: [UInt8])]
        /// Why banks were put out of the run, in roster order.
        public let exclusions: [AbortReason]
        /// Banks that were not in the last group.
        public let leftOut: [NodeID]
        /// How far each living bank saw the run come.
        public let progressOfBanks: [NodeID: NodeRun.Progress]

        /// Whether the plan's strike has come.
        public let hasStruck: Bool
        /// The size of the roster of each attempt of a group, in order.
        public let rosters: [Int]
        /// Moments at which the coordinator waited with no clock running, by phase: must be empty.
        public let unclocked: Set<String>
        /// Banks that were there, were waited for to the end, and did not answer: must be empty.
        public let silent: [NodeID]

        /// Whether the run waits for banks that did not come back.
        public var isHeld: Bool { outcome == nil }
        /// The coordinator's model.
        public var model: ModelDocument? {
            if case .model(let model, _) = outcome { model } else { nil }
        }
    }

    /// Rewrites what the coordinator sends to one bank: a lying coordinator or a hostile network.
    public typealias Tampering = (_ bytes: [UInt8], _ to: NodeID, _ index: Int) -> [[UInt8]]

    /// Rewrites what a bank sends: a lying or broken bank.
    public typealias Lying = (_ bytes: [UInt8], _ from: NodeID) -> [UInt8]

    enum Happening {
        case toBank(NodeID, link: Int, [UInt8])
        case toCoordinator(NodeID, link: Int, [UInt8])
        case computed(NodeID, life: Int, NodeRun.Event)
        case connect(NodeID)
        case deadline(UInt64, clock: Int)
        case hold(UInt64, clock: Int)
        case silence(NodeID, link: Int)
        case kill(NodeID)
        case refuse(NodeID)
        case late(NodeID, life: Int, [UInt8])
        case startBank(NodeID)
        case startCoordinator
    }

    struct Scheduled {
        let time: UInt64
        let order: UInt64
        let happening: Happening
    }

    /// A bank's process, disk and link.
    struct Node {
        let bank: Bank
        var machine: NodeRun?
        var learner: any LocalLearner
        var journal: [NodeRun.JournalEntry] = []
        var life = 0
        var link = 0
        var isConnected = false
        var isHalfOpen = false
        var isDead = false
        var sentTo = 0
        var sentBy = 0
    }

    let manifest: Manifest
    let charter: Charter
    let coordinatorKey: SigningKey
    let makeLearner: () -> any JointLearner
    var faults: FaultPlan
    let tamper: Tampering?
    let lie: Lying?
    let record = SumRecord()
    var coordinator: CoordinatorRun?
    var journal: [CoordinatorRun.JournalEntry] = []
    var life = 0
    var writes = 0
    var hasDiedAtWrite = false
    var nodes: [NodeID: Node] = [:]
    var generator: SeededGenerator
    var queue: [Scheduled] = []
    var now: UInt64 = 0
    var order: UInt64 = 0
    var lastArrival: [String: UInt64] = [:]
    var holds = 0
    /// The coordinator has one clock: setting it makes void what it was set to before.
    var clock = 0
    var isClockRunning = false
    var unclocked: Set<String> = []
    var inbox: [CoordinatorRun.Event] = []
    var isPerforming = false
    var vectors: [[UInt8]: [NodeID: EncodedVector]] = [:]
    var outcome: CoordinatorRun.Outcome?
    var bankOutcomes: [NodeID: NodeRun.Outcome] = [:]
    var models: [NodeID: ModelDocument] = [:]
    var deliveries = 0
    var progress: CoordinatorRun.Progress?
    var sentByBanks: [(bank: NodeID, bytes: [UInt8])] = []
    var lastStatements: [[UInt8]] = []
    /// Statements of the strike's kind that its bank was sent; the strike comes once.
    var strikesSeen: Set<[UInt8]> = []
    var hasStruck = false

    /// Prepares a world.
    public init(
        manifest: Manifest, charter: Charter, coordinatorKey: SigningKey,
        learner: @escaping () -> any JointLearner, banks: [Bank],
        faults: FaultPlan = FaultPlan(), seed: UInt64, tamper: Tampering? = nil,
        lie: Lying? = nil
    ) {
        self.manifest = manifest
        self.charter = charter
        self.coordinatorKey = coordinatorKey
        makeLearner = learner
        self.faults = faults
        self.tamper = tamper
        self.lie = lie
        generator = SeededGenerator(seed: seed)
        for bank in banks {
            var node = Node(bank: bank, machine: nil, learner: bank.learner())
            node.machine = NodeRun(run: manifest.run, configuration: bank.configuration)
            node.isConnected = true
            nodes[bank.configuration.bank] = node
        }
    }

    /// Runs until nothing is left to happen, or the run has been held in vain for long.
    public mutating func run(deliveriesMax: Int = 200_000, holdsMax: Int = 12) -> Result {
        for (bank, time) in faults.kills.sorted(by: { $0.key < $1.key }) {
            schedule(.kill(bank), in: time)
        }
        for (bank, time) in faults.refusals.sorted(by: { $0.key < $1.key }) {
            schedule(.refuse(bank), in: time)
        }
        coordinator = CoordinatorRun(
            manifest: manifest, charter: charter, key: coordinatorKey, learner: recording())
        giveCoordinator(.start)
        go(deliveriesMax: deliveriesMax, holdsMax: holdsMax)
        // Whoever is waited for in vain must be gone: in quiet, the others have time to answer.
        let held = (outcome, progress)
        faults.calm()
        if held.0 == nil { go(deliveriesMax: deliveries + 20_000, holdsMax: holds + 2) }
        return result(held: held)
    }

    private mutating func go(deliveriesMax: Int, holdsMax: Int) {
        while deliveries < deliveriesMax, holds < holdsMax, let next = popNext() {
            now = next.time
            deliveries += 1
            happen(next.happening)
            guard let coordinator, let progress, outcome == nil else { continue }
            if !isClockRunning, !coordinator.isEnded { unclocked.insert(progress.phase) }
        }
    }

    func recording() -> any JointLearner {
        RecordingLearner(learner: makeLearner(), record: record)
    }

    private mutating func happen(_ happening: Happening) {
        switch happening {
        case .toBank(let bank, let link, let bytes):
            guard let node = nodes[bank], node.isConnected, node.link == link else { return }
            if let strike = faults.strike, strike.bank == bank, isMoment(of: strike, bytes) {
                return befall(strike, bytes)
            }
            give(.received(bytes), to: bank)
        case .toCoordinator(let bank, let link, let bytes):
            guard let node = nodes[bank], node.isConnected, node.link == link else { return }
            giveCoordinator(.received(bytes, from: bank))
        case .computed(let bank, let life, let event):
            guard nodes[bank]?.life == life else { return }
            give(event, to: bank)
        case .connect(let bank): connect(bank)
        case .silence(let bank, let link):
            if nodes[bank]?.link == link, nodes[bank]?.isHalfOpen == true { disconnect(bank) }
        case .deadline(let phase, let clock):
            guard clock == self.clock else { return }
            isClockRunning = false
            giveCoordinator(.deadlinePassed(phase: phase))
        case .hold(let phase, let clock):
            guard clock == self.clock else { return }
            isClockRunning = false
            let effects = coordinator?.handle(.holdExpired(phase: phase)) ?? []
            // Only waiting in vain counts: most of these come when the phase is long over.
            if effects.contains(where: { if case .hold = $0 { true } else { false } }) {
                holds += 1
            }
            performCoordinator(effects)
            drainInbox()
        case .kill(let bank):
            nodes[bank]?.isDead = true
            die(bank)
        case .refuse(let bank): give(.stop, to: bank)
        case .late(let bank, let life, let bytes):
            if nodes[bank]?.life == life { give(.received(bytes), to: bank) }
        case .startBank(let bank): startBank(bank)
        case .startCoordinator: startCoordinator()
        }
    }

    // MARK: Processes

    mutating func give(_ event: NodeRun.Event, to bank: NodeID) {
        guard let effects = nodes[bank]?.machine?.handle(event) else { return }
        perform(effects, at: bank)
    }

    /// Events that arise while effects are being performed wait until these are done: a journal
    /// must have the order in which the machine decided.
    mutating func giveCoordinator(_ event: CoordinatorRun.Event) {
        inbox.append(event)
        guard !isPerforming else { return }
        drainInbox()
    }

    private mutating func drainInbox() {
        while !inbox.isEmpty {
            let next = inbox.removeFirst()
            performCoordinator(coordinator?.handle(next) ?? [])
        }
    }

    /// A bank's process is gone, with all that was not on its disk.
    mutating func die(_ bank: NodeID) {
        disconnect(bank)
        guard nodes[bank]?.machine != nil else { return }
        nodes[bank]?.machine = nil
        nodes[bank]?.life += 1
        if generator.unit() < faults.stateLossShare { nodes[bank]?.journal = [] }
        if nodes[bank]?.isDead == true || generator.unit() < faults.deathShare {
            nodes[bank]?.isDead = true
        } else {
            schedule(.startBank(bank), in: 1 + generator.next() % faults.restartMax)
        }
    }

    private mutating func startBank(_ bank: NodeID) {
        guard var node = nodes[bank], !node.isDead, node.machine == nil else { return }
        node.learner = node.bank.learner()
        // Through the bytes on disk, as a service does it.
        let entries = node.journal.compactMap { try? NodeRun.JournalEntry(bytes: $0.bytes) }
        do throws(RefusalReason) {
            let (machine, effects) = try NodeRun.restore(
                run: manifest.run, configuration: node.bank.configuration, journal: entries)
            node.machine = machine
            nodes[bank] = node
            perform(effects, at: bank)
        } catch {
            bankOutcomes[bank] = .refused(error)
            return
        }
        schedule(.connect(bank), in: 1 + generator.next() % 5)
    }

    mutating func dieCoordinator() {
        if let coordinator { lastStatements = coordinator.statements }
        coordinator = nil
        inbox = []
        life += 1
        clock += 1
        isClockRunning = false
        writes = 0
        for bank in nodes.keys.sorted() { disconnect(bank) }
        schedule(.startCoordinator, in: 1 + generator.next() % faults.restartMax)
    }

    private mutating func startCoordinator() {
        let entries = journal.compactMap { try? CoordinatorRun.JournalEntry(bytes: $0.bytes) }
        guard !entries.isEmpty else {
            coordinator = CoordinatorRun(
                manifest: manifest, charter: charter, key: coordinatorKey, learner: recording())
            for bank in nodes.keys.sorted() { connect(bank) }
            return giveCoordinator(.start)
        }
        let (machine, effects) = CoordinatorRun.restore(
            manifest: manifest, charter: charter, key: coordinatorKey, learner: recording(),
            journal: entries)
        coordinator = machine
        performCoordinator(effects)
        drainInbox()
        for bank in nodes.keys.sorted() {
            schedule(.connect(bank), in: 1 + generator.next() % 5)
        }
    }

    // MARK: Links

    mutating func connect(_ bank: NodeID) {
        guard let node = nodes[bank], !node.isConnected, let machine = node.machine,
            let coordinator
        else { return }
        nodes[bank]?.isConnected = true
        nodes[bank]?.isHalfOpen = false
        nodes[bank]?.link += 1
        let (has, said) = (machine.position, coordinator.position(of: bank))
        give(.connected(coordinatorHas: said), to: bank)
        guard nodes[bank]?.isConnected == true else { return }
        giveCoordinator(.connected(bank, has: has))
    }

    mutating func disconnect(_ bank: NodeID) {
        guard nodes[bank]?.isConnected == true else { return }
        nodes[bank]?.isConnected = false
        giveCoordinator(.lost(bank))
        schedule(.connect(bank), in: 1 + generator.next() % 20)
    }

    /// A bank's link carries nothing more; after a time the transport hangs up.
    mutating func stall(_ bank: NodeID) {
        guard let node = nodes[bank], !node.isHalfOpen else { return }
        nodes[bank]?.isHalfOpen = true
        schedule(.silence(bank, link: node.link), in: faults.silenceMax)
    }

    mutating func transmit(
        _ bytes: [UInt8], bank: NodeID, direction: String, _ happening: ([UInt8]) -> Happening
    ) {
        guard let node = nodes[bank], node.isConnected, !node.isHalfOpen else { return }
        if generator.unit() < faults.dropShare { return }
        if generator.unit() < faults.halfOpenShare { stall(bank) }
        var bytes = bytes
        if generator.unit() < faults.corruptShare, !bytes.isEmpty {
            bytes[Int(generator.next() % UInt64(bytes.count))] ^= 1 << UInt8(generator.next() % 8)
        }
        let copies = generator.unit() < faults.duplicateShare ? 2 : 1
        for _ in 0..<copies {
            var arrival = now + 1 + generator.next() % max(1, faults.delayMax)
            if !faults.reorders {
                let link = "\(bank) \(direction) \(node.link)"
                arrival = max(arrival, lastArrival[link] ?? 0)
                lastArrival[link] = arrival
            }
            schedule(happening(bytes), in: arrival - now)
        }
        if generator.unit() < faults.breakShare { disconnect(bank) }
    }

    mutating func schedule(_ happening: Happening, in ticks: UInt64) {
        queue.append(Scheduled(time: now + ticks, order: order, happening: happening))
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
}
