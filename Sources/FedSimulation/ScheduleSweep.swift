public import FedCore
internal import FedCrypto

/// Many seeded schedules of one consortium, and what became of them.
public struct ScheduleSweep: Sendable {
    /// Schedules that were run.
    public private(set) var schedules = 0
    /// Sums that were not the plaintext sum over their roster: must be 0.
    public private(set) var wrongSums = 0
    /// Slots opened twice with different sums: must be 0.
    public private(set) var doubleOpenings = 0
    /// Runs that ended with the very model of an undisturbed run.
    public private(set) var sameHash = 0
    /// Runs that ended with a model of fewer banks, or with trees that ended early.
    public private(set) var reduced = 0
    /// Runs with a tree that ended early.
    public private(set) var truncated = 0
    /// Runs that were still waiting for a bank.
    public private(set) var held = 0
    /// Runs that ended with a reason.
    public private(set) var aborted = 0
    /// The reasons, with the first seed of each.
    public private(set) var reasons: [String: UInt64] = [:]
    /// Attempts beyond the first, of all runs.
    public private(set) var retries = 0
    /// Recoveries of a vanished bank's gate, of all runs.
    public private(set) var recoveries = 0
    /// The first seed whose run broke a rule, with the rule.
    public private(set) var failure: (seed: UInt64, what: String)?

    /// Nothing yet.
    public init() {}

    /// Adds one run.
    ///
    /// - Parameter reference: the model of the undisturbed run.
    public mutating func add(
        _ result: SimulatedConsortium.Result, seed: UInt64, reference: ModelDocument?
    ) {
        schedules += 1
        wrongSums += result.wrongSums.count
        doubleOpenings += result.doubleOpenings.count
        retries += result.retries
        recoveries += result.recoveries
        if result.truncations > 0 { truncated += 1 }
        func fail(_ what: String) { if failure == nil { failure = (seed, what) } }
        if !result.wrongSums.isEmpty { fail("a wrong sum") }
        if !result.doubleOpenings.isEmpty { fail("a group opened twice") }
        switch result.outcome {
        case .model(let model, _):
            let isComplete = result.hasFullRosters && result.truncations == 0
            if model == reference { sameHash += 1 } else { reduced += 1 }
            if isComplete, model != reference { fail("another model over full rosters") }
            if result.models.values.contains(where: { $0 != model }) {
                fail("a bank adopted another model")
            }
        case .aborted(let reason):
            aborted += 1
            if reasons[reason.description] == nil { reasons[reason.description] = seed }
        case nil: held += 1
        }
    }
}
