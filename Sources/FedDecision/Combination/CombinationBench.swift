internal import FedCore

/// The candidates of one bank, ranked and measured on its validation rows.
struct CombinationBench {
    let local: [Double]
    let federated: [Double]
    let residual: [Double]?
    let labels: [UInt8]
    let options: CombinationChoice.Options

    private struct Candidate {
        let rule: CombinationRule
        let scores: [Double]
        let order: [Int]
        let caught: Int
    }

    /// Rows that reviewers can look at: as `RankedScores` counts them.
    private var reviewed: Int {
        min(max(Int(options.reviewShare * Double(labels.count)), 1), labels.count)
    }

    func choose() throws(LearningError) -> CombinationChoice {
        let evidence = evidence()
        let lenience = evidence.bearsOut ? options.leniencePossible : 0
        var candidates = [
            candidate(CombinationRule(kind: .federated)), candidate(CombinationRule(kind: .local)),
            candidate(try stacking(lenience: lenience)),
        ]
        if residual != nil {
            candidates.append(candidate(CombinationRule(kind: .boosted, lenience: lenience)))
        }
        let (alone, incumbent) = (1, 2)
        let bootstrap = PairedBootstrap(
            orders: candidates.map(\.order), labels: labels, reviewed: reviewed,
            resamples: options.resamples, seed: options.seed)
        let caughtAlone = Double(candidates[alone].caught)
        let premium =
            evidence.bearsOut
            ? 0 : max(options.premiumMax * caughtAlone, Double(options.premiumFrauds))
        let floor = Int((caughtAlone - premium).rounded(.up))
        func measure(
            _ candidate: Candidate, _ bootstrap: PairedBootstrap, _ index: Int
        ) -> CombinationChoice.Measured {
            let overLocal = bootstrap.difference(of: index, over: alone)
            return CombinationChoice.Measured(
                name: candidate.rule.kind.name, caught: candidate.caught,
                betterShare: bootstrap.difference(of: index, over: incumbent).betterShare,
                overLocalLow: overLocal.low, overLocalHigh: overLocal.high,
                passesGuard: candidate.caught >= floor)
        }
        var measured = candidates.indices.map { measure(candidates[$0], bootstrap, $0) }
        var (chosen, reason) = decide(measured, alone: alone, incumbent: incumbent)
        if chosen == alone,
            let drawn = drawn(
                candidates[incumbent].rule, isBorneOut: evidence.bearsOut, catching: floor)
        {
            let beside = PairedBootstrap(
                orders: [drawn.order, candidates[alone].order, candidates[incumbent].order],
                labels: labels, reviewed: reviewed, resamples: options.resamples,
                seed: options.seed)
            candidates[incumbent] = drawn
            measured[incumbent] = measure(drawn, beside, 0)
            chosen = incumbent
        }
        return CombinationChoice(
            rule: candidates[chosen].rule, reason: reason,
            calibration: Calibration(scores: candidates[chosen].scores, labels: labels),
            measured: measured, evidence: evidence)
    }

    /// The best challenger that is clearly better, else the incumbent, else what passes the guard.
    private func decide(
        _ measured: [CombinationChoice.Measured], alone: Int, incumbent: Int
    ) -> (Int, CombinationChoice.Reason) {
        let others = measured.indices.filter { $0 != alone && measured[$0].passesGuard }
        func better(_ left: Int, _ right: Int) -> Bool {
            (measured[left].betterShare, right) < (measured[right].betterShare, left)
        }
        if let best = others.filter({ $0 != incumbent }).max(by: better),
            measured[best].betterShare >= options.replaceShare
        {
            return (best, .better)
        }
        if others.contains(incumbent) { return (incumbent, .incumbent) }
        return (others.max(by: better) ?? alone, .guarded)
    }

    /// The stacked score drawn towards the local one by as little as passes the guard; `nil` where
    /// nothing short of the local score does.
    ///
    /// A bank with few frauds fails the guard by chance, by one of them or two. What the others
    /// know is then worth more than what the local score alone would keep. Where the bank's own
    /// frauds bear the federated model out, the floor may go too.
    private func drawn(
        _ rule: CombinationRule, isBorneOut: Bool, catching floor: Int
    ) -> Candidate? {
        var stacking = (intercept: 0.0, local: 0.0, federated: 1.0)
        if case .stacked(let intercept, let local, let federated) = rule.kind {
            stacking = (intercept, local, federated)
        }
        for share in options.drawShares {
            for lenience in isBorneOut ? [rule.lenience, CombinationRule.noFloor] : [rule.lenience]
            {
                let drawn = candidate(
                    CombinationRule(
                        kind: .stacked(
                            intercept: (1 - share) * stacking.intercept,
                            localWeight: (1 - share) * stacking.local + share,
                            federatedWeight: (1 - share) * stacking.federated),
                        lenience: lenience))
                if drawn.caught >= floor { return drawn }
            }
        }
        return nil
    }

    private func candidate(_ rule: CombinationRule) -> Candidate {
        let scores = rule.logOdds(local: local, federated: federated, residual: residual)
        let order = Self.order(scores)
        let caught = order.prefix(reviewed).reduce(0) { $0 + Int(labels[$1]) }
        return Candidate(rule: rule, scores: scores, order: order, caught: caught)
    }

    /// The stacking of FedCore, where both weights come out positive.
    ///
    /// Two scores that say much the same make one of the weights negative. Where it is that of the
    /// federated one, the calibrated local score stands on the floor. Where it is that of the local
    /// one, though that is not clearly the poorer, the mean of both hedges: on evidence without a
    /// floor, since then either may object to the other.
    private func stacking(lenience: Double) throws(LearningError) -> CombinationRule {
        let stack = try CombinedModel.fit(local: local, federated: federated, labels: labels)
        guard case .stacked(let intercept, let localWeight, let federatedWeight) = stack.rule
        else { return CombinationRule(kind: .federated) }
        if localWeight > 0, federatedWeight > 0 {
            return CombinationRule(
                kind: .stacked(
                    intercept: intercept, localWeight: localWeight,
                    federatedWeight: federatedWeight),
                lenience: lenience)
        }
        if localWeight > 0 {
            let own = Calibration(scores: local, labels: labels)
            return CombinationRule(
                kind: .stacked(
                    intercept: own.intercept, localWeight: own.slope, federatedWeight: 0),
                lenience: lenience)
        }
        let orders = [Self.order(local), Self.order(federated)]
        let rivals = PairedBootstrap(
            orders: orders, labels: labels, reviewed: reviewed, resamples: options.resamples,
            seed: options.seed)
        if rivals.difference(of: 0, over: 1).betterShare >= options.hedgeShare {
            return CombinationRule(
                kind: .stacked(intercept: 0, localWeight: 0.5, federatedWeight: 0.5),
                lenience: lenience > 0 ? CombinationRule.noFloor : 0)
        }
        let joint = Calibration(scores: federated, labels: labels)
        return CombinationRule(
            kind: .stacked(
                intercept: joint.intercept, localWeight: 0, federatedWeight: joint.slope),
            lenience: lenience)
    }

    private func evidence() -> CombinationChoice.Evidence {
        let known = Set(Self.order(local).prefix(reviewed))
        let silent = Self.order(federated).prefix(reviewed).filter { !known.contains($0) }
        return CombinationChoice.Evidence(
            rows: silent.count,
            expected: silent.reduce(0) { $0 + ElementaryFunctions.logistic(federated[$1]) },
            observed: silent.reduce(0) { $0 + Int(labels[$1]) })
    }

    private static func order(_ scores: [Double]) -> [Int] {
        scores.indices.sorted {
            scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1)
        }
    }
}
