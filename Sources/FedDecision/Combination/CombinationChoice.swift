package import FedCore

/// The choice of a ``CombinationRule`` on a bank's validation rows, with what it rests on.
///
/// 1. Fewer than ``CombinedModel/fraudCountMin`` labelled frauds, or no local model: federated.
/// 2. Else the stacked score is the incumbent, or where stacking cannot tell two scores apart the
///    mean of both; federated alone, or trees on top of it, replace it when they catch more
///    within the budget in ``Options/replaceShare`` of the paired resamples. All stand on the
///    federated floor.
/// 3. The floor is lowered by ``Options/leniencePossible`` where the bank's own frauds bear the
///    federated model out: among the rows that it would have reviewed and the local model would
///    not, at least as many frauds as it expects, less one standard deviation.
/// 4. Guard: the choice catches no less than the local model alone. Where step 3 found no such
///    evidence, ``Options/premiumMax`` of the local model's catch may be missing, or
///    ``Options/premiumFrauds``: that is what insurance against kinds of fraud unknown to the bank
///    may cost on rows that cannot show its use.
///    A choice that fails gives way to the next best that does not; where only the local model
///    does not, to the stacked score drawn towards it by as little as passes, at last to the local
///    model.
package struct CombinationChoice: Equatable, Sendable {
    /// Settings with their defaults.
    package struct Options: Equatable, Sendable {
        /// The review budget as a share of rows.
        package var reviewShare = 0.005
        /// Resamples of the paired bootstrap.
        package var resamples = 400
        /// The seed of the resamples.
        package var seed: UInt64 = 1
        /// Share of resamples that a candidate needs to replace the incumbent.
        package var replaceShare = 0.95
        /// How far the floor is lowered on evidence, in log-odds.
        package var leniencePossible = 0.5
        /// Share of resamples in which the local score must catch more than the federated one to be
        /// hedged with where stacking cannot tell them apart.
        package var hedgeShare = 0.25
        /// Share of the local model's catch that the guard lets go without evidence.
        package var premiumMax = 0.2
        /// So many frauds it lets go without evidence, where that is more.
        package var premiumFrauds = 2
        /// The shares of the way to the local score by which the stacked one is drawn where nothing
        /// else passes the guard.
        package var drawShares = [0.25, 0.5, 0.75]

        /// The defaults.
        package init() {}
    }

    /// Why a rule stands.
    package enum Reason: String, CaseIterable, Sendable {
        /// The bank has no local model.
        case noLocalModel = "no-local-model"
        /// Its validation rows have too few frauds to fit or measure anything.
        case fewFrauds = "few-frauds"
        /// They have no normal rows.
        case noNormalRows = "no-normal-rows"
        /// It stands unless another is better, and none is.
        case incumbent
        /// It caught more than the incumbent.
        case better
        /// The others failed the guard.
        case guarded
    }

    /// What a candidate catches on the validation rows.
    package struct Measured: Equatable, Sendable {
        /// Which candidate.
        package let name: CombinationRule.Name
        /// Frauds caught within the budget.
        package let caught: Int
        /// Share of resamples in which it catches more than the incumbent.
        package let betterShare: Double
        /// The 5th and the 95th percentile of caught less the local model's.
        package let overLocalLow: Double
        package let overLocalHigh: Double
        /// Whether it passes the guard.
        package let passesGuard: Bool

        /// Wraps figures.
        package init(
            name: CombinationRule.Name, caught: Int, betterShare: Double, overLocalLow: Double,
            overLocalHigh: Double, passesGuard: Bool
        ) {
            self.name = name
            self.caught = caught
            self.betterShare = betterShare
            self.overLocalLow = overLocalLow
            self.overLocalHigh = overLocalHigh
            self.passesGuard = passesGuard
        }
    }

    /// What the federated model expects where the local one is silent, and what was there.
    package struct Evidence: Equatable, Sendable {
        /// Rows that the federated model would have reviewed and the local one would not.
        package let rows: Int
        /// The frauds that the federated model expects among them.
        package let expected: Double
        /// The frauds among them.
        package let observed: Int

        /// Wraps figures.
        package init(rows: Int, expected: Double, observed: Int) {
            self.rows = rows
            self.expected = expected
            self.observed = observed
        }

        /// Whether the bank's own frauds bear the federated model out.
        package var bearsOut: Bool {
            expected >= 1 && Double(observed) >= expected - expected.squareRoot()
        }
    }

    /// The rule.
    package let rule: CombinationRule
    /// Why it stands.
    package let reason: Reason
    /// From the combined log-odds to calibrated ones.
    package let calibration: Calibration
    /// The candidates, in the order of ``CombinationRule/Name``; none where nothing was measured.
    package let measured: [Measured]
    /// The evidence for lowering the floor; `nil` where nothing was measured.
    package let evidence: Evidence?

    /// Wraps a choice.
    package init(
        rule: CombinationRule, reason: Reason, calibration: Calibration, measured: [Measured] = [],
        evidence: Evidence? = nil
    ) {
        self.rule = rule
        self.reason = reason
        self.calibration = calibration
        self.measured = measured
        self.evidence = evidence
    }
}

extension CombinationChoice {
    /// Chooses on a bank's validation rows.
    ///
    /// - Parameters:
    ///   - local: the local model's log-odds, one a row; `nil` without a local model.
    ///   - federated: the federated model's.
    ///   - residual: what the bank's trees add to the latter, or `nil`.
    ///   - labels: 1 for a fraud, 0 else.
    /// - Throws: ``LearningError/unusableData(reason:)`` when a score is not a number;
    ///   ``LearningError/numericalFailure(reason:)`` when the stacking fails.
    package static func choose(
        local: [Double]?, federated: [Double], residual: [Double]? = nil, labels: [UInt8],
        options: Options = Options()
    ) throws(LearningError) -> CombinationChoice {
        precondition(federated.count == labels.count, "scores and labels differ in number")
        guard !(local ?? []).contains(where: \.isNaN), !federated.contains(where: \.isNaN),
            !(residual ?? []).contains(where: \.isNaN)
        else { throw .unusableData(reason: "a score is not a number") }
        let frauds = labels.reduce(0) { $0 + Int($1) }
        func alone(_ reason: Reason) -> CombinationChoice {
            let calibration =
                frauds < CombinedModel.fraudCountMin
                ? .identity : Calibration(scores: federated, labels: labels)
            return CombinationChoice(
                rule: CombinationRule(kind: .federated), reason: reason, calibration: calibration)
        }
        guard frauds >= CombinedModel.fraudCountMin else {
            return alone(local == nil ? .noLocalModel : .fewFrauds)
        }
        guard frauds < labels.count else { return alone(.noNormalRows) }
        guard let local else { return alone(.noLocalModel) }
        let bench = CombinationBench(
            local: local, federated: federated, residual: residual, labels: labels,
            options: options)
        return try bench.choose()
    }
}
