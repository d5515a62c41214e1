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
    /// Runs that put a bank out for good.
    public private(set) var excluding = 0
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

    /// Adds the runs of another sweep.
    public mutating func add(_ other: ScheduleSweep) {
        schedules += other.schedules
        wrongSums += other.wrongSums
        doubleOpenings += other.doubleOpenings
        sameHash += other.sameHash
        reduced += other.reduced
        truncated += other.truncated
        held += other.held
        aborted += other.aborted
        excluding += other.excluding
        retries += other.retries
        recoveries += other.recoveries
        reasons.merge(other.reasons) { min($0, $1) }
        if let theirs = other.failure, theirs.seed < failure?.seed ?? .max { failure = theirs }
    }

    /// Runs the schedules of many seeds over the processors.
    public static func run(
        _ consortium: ToyConsortium, seeds: [UInt64], reference: ModelDocument?,
        workers: Int, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> ScheduleSweep {
        try await withThrowingTaskGroup(of: ScheduleSweep.self) { group in
            // In small portions, so that a slow one does not make the others wait.
            var next = 0
            func begin() {
                guard next < seeds.count else { return }
                let portion = Array(seeds[next..<min(next + 16, seeds.count)])
                next += portion.count
                group.addTask {
                    var sweep = ScheduleSweep()
                    for seed in portion {
                        let faults = FaultPlan(seed: seed, banks: consortium.banks)
                        sweep.add(
                            try consortium.run(faults: faults, schedule: seed), seed: seed,
                            reference: reference)
                    }
                    return sweep
                }
            }
            for _ in 0..<max(1, workers) { begin() }
            var total = ScheduleSweep()
            while let sweep = try await group.next() {
                total.add(sweep)
                progress(total.schedules)
                begin()
            }
            return total
        }
    }

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
        if !result.exclusions.isEmpty { excluding += 1 }
        func fail(_ what: String) { if failure == nil { failure = (seed, what) } }
        if !result.wrongSums.isEmpty { fail("a wrong sum") }
        if !result.doubleOpenings.isEmpty { fail("a group opened twice") }
        if let phase = result.unclocked.min() { fail("no clock ran in phase \(phase)") }
        if let bank = result.silent.first { fail("bank \(bank) was there and did not answer") }
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
