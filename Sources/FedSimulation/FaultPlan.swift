public import FedCore

/// What goes wrong in a simulated run.
///
/// Shares are probabilities per message or per effect; times are ticks of the simulated clock.
public struct FaultPlan: Sendable {
    /// A message takes 1 to this many ticks.
    public var delayMax: UInt64 = 1
    /// An answer takes 1 to this many ticks to compute.
    public var computationMax: UInt64 = 1
    /// Share of messages that are delivered twice.
    public var duplicateShare = 0.0
    /// Share of messages that never arrive, while the connection stays up.
    public var dropShare = 0.0
    /// Share of messages in which one bit is flipped.
    public var corruptShare = 0.0
    /// Share of messages after which the link carries nothing more and nobody is told.
    public var halfOpenShare = 0.0
    /// Share of messages after which the connection breaks.
    public var breakShare = 0.0
    /// Whether messages of one connection may overtake each other.
    public var reorders = false
    /// Share of a bank's effects before which its process dies.
    public var bankKillShare = 0.0
    /// Share of the coordinator's effects before which its process dies.
    public var coordinatorKillShare = 0.0
    /// The coordinator's journal write, counted from 0 in each life, right after which it dies,
    /// once.
    public var coordinatorKillAtWrite: Int?
    /// Ticks until a dead process is started again, 1 to this many.
    public var restartMax: UInt64 = 50
    /// Share of a bank's deaths after which it never comes back.
    public var deathShare = 0.0
    /// Share of a bank's deaths that destroy its journal.
    public var stateLossShare = 0.0
    /// Banks whose process dies for good, each at a tick.
    public var kills: [NodeID: UInt64] = [:]
    /// Banks whose operator ends their part in the run, each at a tick.
    public var refusals: [NodeID: UInt64] = [:]
    /// A bank of which one statement, counted from 0, arrives with a flipped bit.
    public var garbler: (bank: NodeID, statement: Int)?
    /// One fault at one moment.
    public var strike: Strike?
    /// Ticks until the coordinator looks for silent banks in a phase.
    public var deadline: UInt64 = 1_000
    /// Ticks that it then waits for them.
    public var holdTime: UInt64 = 2_000
    /// Ticks after which the transport hangs up on a link that carries nothing more.
    public var silenceMax: UInt64 = 900

    /// No faults.
    public init() {}

    /// Nothing more goes wrong; delays stay.
    mutating func calm() {
        (duplicateShare, dropShare, corruptShare, halfOpenShare, breakShare) = (0, 0, 0, 0, 0)
        (bankKillShare, coordinatorKillShare) = (0, 0)
        (coordinatorKillAtWrite, garbler, strike) = (nil, nil, nil)
    }

    /// A plan in which a seed decides what goes wrong, and how much.
    public init(seed: UInt64, banks: [NodeID]) {
        var generator = SeededGenerator(seed: seed)
        func chance(_ share: Double, _ most: Double) -> Double {
            generator.unit() < share ? generator.unit() * most : 0
        }
        delayMax = 1 + generator.next() % 40
        computationMax = 1 + generator.next() % 100
        duplicateShare = chance(0.5, 0.2)
        dropShare = chance(0.4, 0.03)
        halfOpenShare = chance(0.3, 0.01)
        breakShare = chance(0.5, 0.03)
        reorders = generator.unit() < 0.2
        bankKillShare = chance(0.5, 0.02)
        coordinatorKillShare = chance(0.4, 0.01)
        restartMax = generator.unit() < 0.3 ? 8_000 : 100
        deathShare = generator.unit() < 0.2 ? 0.3 : 0
        stateLossShare = generator.unit() < 0.1 ? 0.3 : 0
        if generator.unit() < 0.3, !banks.isEmpty {
            let victim = banks[Int(generator.next() % UInt64(banks.count))]
            kills[victim] = generator.next() % 2_000
        }
        guard !banks.isEmpty else { return }
        let one = banks[Int(generator.next() % UInt64(banks.count))]
        if generator.unit() < 0.1 { refusals[one] = generator.next() % 2_000 }
        let other = banks[Int(generator.next() % UInt64(banks.count))]
        if generator.unit() < 0.1 { garbler = (other, Int(generator.next() % 16)) }
    }
}
