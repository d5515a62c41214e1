package import FedCore

/// What the lists of a period led to, as counts: of one bank, or summed over all.
///
/// "Local alone" is what the bank's own model, without the federation, would have listed in the
/// same period within the same capacity. Of each known fraud of the period, from verdicts and from
/// labels that came later, it is known whether either list had it.
package struct EffectCounts: Equatable, Sendable {
    /// Banks summed up.
    package var banks = 1
    /// Entities listed.
    package var listed = 0
    /// Listed ones that are confirmed frauds, false alarms, unclear; the others are open.
    package var confirmed = 0
    package var falseAlarms = 0
    package var unclear = 0
    /// Balance kept from fraudsters, in minor units.
    package var amountKept: Int64 = 0
    /// Known frauds that both lists have, only the list, only local alone, neither.
    package var byBoth = 0
    package var byListOnly = 0
    package var byLocalOnly = 0
    package var byNeither = 0

    /// Counts of nothing.
    package init() {}

    /// Lanes of the vector.
    package static let laneCount = 10

    /// The counts as integers, to be masked and summed.
    package var lanes: [Int64] {
        [banks, listed, confirmed, falseAlarms, unclear].map(Int64.init) + [amountKept]
            + [byBoth, byListOnly, byLocalOnly, byNeither].map(Int64.init)
    }

    /// Reads a sum over banks.
    ///
    /// - Throws: `LearningError.laneCount`, or `.numericalFailure` for counts that contradict each
    ///   other.
    package init(lanes: [Int64]) throws(LearningError) {
        guard lanes.count == Self.laneCount else {
            throw .laneCount(got: lanes.count, expected: Self.laneCount)
        }
        guard lanes.allSatisfy({ (0...Int64(1) << 53).contains($0) }), lanes[0] > 0,
            lanes[2] + lanes[3] + lanes[4] <= lanes[1]
        else { throw .numericalFailure(reason: "the counts of the effect disagree") }
        banks = Int(lanes[0])
        listed = Int(lanes[1])
        confirmed = Int(lanes[2])
        falseAlarms = Int(lanes[3])
        unclear = Int(lanes[4])
        amountKept = lanes[5]
        byBoth = Int(lanes[6])
        byListOnly = Int(lanes[7])
        byLocalOnly = Int(lanes[8])
        byNeither = Int(lanes[9])
    }

    /// Counts a bank's period.
    ///
    /// - Parameters:
    ///   - lists: the lists of the period.
    ///   - ledger: verdicts on them.
    ///   - localLists: the entities that local alone would have listed in the period.
    ///   - knownFrauds: entities known as frauds of the period, beside the confirmed ones.
    package init(
        lists: [RiskList], ledger: VerdictLedger, localLists: Set<String>,
        knownFrauds: Set<String>
    ) {
        var frauds = knownFrauds
        var listedEntities: Set<String> = []
        for list in lists {
            for entry in list.entries {
                listed += 1
                listedEntities.insert(entry.risk.entity)
                guard let standing = ledger.standing(of: list.caseID(entry)) else { continue }
                switch standing.outcome {
                case .confirmedFraud:
                    confirmed += 1
                    amountKept += standing.amountKept
                    frauds.insert(entry.risk.entity)
                case .falseAlarm: falseAlarms += 1
                case .unclear: unclear += 1
                }
            }
        }
        for entity in frauds {
            switch (listedEntities.contains(entity), localLists.contains(entity)) {
            case (true, true): byBoth += 1
            case (true, false): byListOnly += 1
            case (false, true): byLocalOnly += 1
            case (false, false): byNeither += 1
            }
        }
    }
}

extension EffectCounts {
    /// Adds up the steps of a period, of the same banks each.
    package init(summing steps: [EffectCounts]) {
        self.init()
        banks = steps.first?.banks ?? 1
        for step in steps {
            listed += step.listed
            confirmed += step.confirmed
            falseAlarms += step.falseAlarms
            unclear += step.unclear
            amountKept += step.amountKept
            byBoth += step.byBoth
            byListOnly += step.byListOnly
            byLocalOnly += step.byLocalOnly
            byNeither += step.byNeither
        }
    }

    /// Known frauds on the list.
    package var intercepted: Int { byBoth + byListOnly }
    /// Known frauds that local alone would have listed.
    package var interceptedByLocal: Int { byBoth + byLocalOnly }
    /// Listed cases without a verdict.
    package var open: Int { listed - confirmed - falseAlarms - unclear }
    /// Confirmed frauds among decided cases; `nil` while none is decided.
    package var precision: ShareInterval? {
        ShareInterval(confirmed, of: confirmed + falseAlarms)
    }

    /// The interception's gain over local alone: intercepted / by local - 1.
    ///
    /// Its 95 % interval is that of a ratio of paired counts: the variance of its logarithm is
    /// (byListOnly + byLocalOnly) / (intercepted · by local), as for matched pairs (Nam and
    /// Blackwelder 2002). `nil` where either caught nothing.
    package var gain: (gain: Double, low: Double, high: Double)? {
        guard intercepted > 0, interceptedByLocal > 0 else { return nil }
        let (mine, theirs) = (Double(intercepted), Double(interceptedByLocal))
        let deviation = (Double(byListOnly + byLocalOnly) / (mine * theirs)).squareRoot()
        let factor = ElementaryFunctions.exp(ShareInterval.normalQuantile * deviation)
        let ratio = mine / theirs
        return (ratio - 1, ratio / factor - 1, ratio * factor - 1)
    }
}
