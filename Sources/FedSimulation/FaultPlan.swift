public import FedCore

/// What goes wrong in a simulated run.
///
/// Shares are probabilities per message; times are ticks of the simulated clock.
public struct FaultPlan: Sendable {
    /// A message takes 1 to this many ticks.
    public var delayMax: UInt64 = 1
    /// Share of messages that are delivered twice.
    public var duplicateShare = 0.0
    /// Share of messages that never arrive, while the connection stays up.
    public var dropShare = 0.0
    /// Share of messages in which one bit is flipped.
    public var corruptShare = 0.0
    /// Whether messages of one connection may overtake each other.
    public var reorders = false
    /// Banks whose process dies, each at a tick; their connection is lost.
    public var kills: [NodeID: UInt64] = [:]
    /// Ticks until the coordinator gives up on a phase.
    public var deadline: UInt64 = 10_000

    /// No faults.
    public init() {}
}
