internal import CFedKernels

/// The best split of a node, from its summed histogram.
package struct SplitCandidate: Equatable {
    package var feature: Int
    package var bin: UInt8
    package var missingLeft: Bool
    package var gain: Double
    package var leftGradient: Int64
    package var leftHessian: Int64

    package init(
        feature: Int, bin: UInt8, missingLeft: Bool, gain: Double, leftGradient: Int64 = 0,
        leftHessian: Int64 = 0
    ) {
        self.feature = feature
        self.bin = bin
        self.missingLeft = missingLeft
        self.gain = gain
        self.leftGradient = leftGradient
        self.leftHessian = leftHessian
    }
}

/// Scans histograms for the split of the greatest gain.
///
/// gain = GL²/(HL+λ) + GR²/(HR+λ) - G²/(H+λ), computed as
/// (GL²·(HR+λ) + GR²·(HL+λ)) / ((HL+λ)·(HR+λ)) in doubles from exact integers, in one fixed order.
/// Of equal gains the lower feature wins, then missing values on the right, then the lower bin.
package struct SplitFinder {
    let bins: [FeatureBins]
    private let lambda: Double
    private let gainMin: Double
    private let rule: fed_split_rule

    package init(bins: [FeatureBins], configuration: GradientBoostingConfiguration) {
        self.bins = bins
        lambda = configuration[.leafRegularisation]
        gainMin = configuration[.splitGainMin]
        let hessianMin = configuration[.childHessianMin] / GradientScale.gradientUnit
        rule = fed_split_rule(
            unit: GradientScale.gradientUnit, lambda: lambda,
            child_hessian_min: Int64(hessianMin.rounded(.up)))
    }

    /// Whether a node of this hessian can have two children at all.
    func canSplit(hessian: Int64) -> Bool { hessian >= 2 * rule.child_hessian_min }

    /// The best split on one feature, its gain still without the node's own score.
    ///
    /// - Parameter permitted: splits to choose from, as by ``SplitFloors``; nil: all.
    package func best(
        feature: Int, cells: UnsafePointer<Int64>, gradient: Int64, hessian: Int64,
        permitted: UnsafePointer<UInt8>? = nil
    ) -> SplitCandidate? {
        var found = fed_split()
        withUnsafePointer(to: rule) { rule in
            fed_find_split(
                cells, bins[feature].count, bins[feature].isCategorical ? 1 : 0, permitted,
                gradient, hessian, rule, &found)
        }
        guard found.score >= 0 else { return nil }
        let isEquality = bins[feature].isCategorical
        let bin = isEquality ? found.low : found.low &+ found.width
        var missingLeft = found.missing_left != 0
        if !isEquality, cells[1] == 0 {
            // No sampled row lacks this value: those to come go with the greater part.
            missingLeft = found.left_hessian >= hessian &- found.left_hessian
        }
        if !isEquality, bins[feature].missingBin != 0 {
            missingLeft = bins[feature].missingBin <= bin
        }
        return SplitCandidate(
            feature: feature, bin: bin, missingLeft: missingLeft, gain: found.score,
            leftGradient: found.left_gradient, leftHessian: found.left_hessian)
    }

    /// The best of the features' splits, in the order of features, or nil when none gains enough.
    package func choose(
        _ candidates: some Sequence<SplitCandidate?>, gradient: Int64, hessian: Int64
    ) -> SplitCandidate? {
        var best: SplitCandidate?
        for candidate in candidates {
            guard let candidate else { continue }
            if let current = best, candidate.gain <= current.gain { continue }
            best = candidate
        }
        guard var best else { return nil }
        let g = Double(gradient) * GradientScale.gradientUnit
        let h = Double(hessian) * GradientScale.gradientUnit
        best.gain -= g * g / (h + lambda)
        return best.gain > max(gainMin, 1e-6) ? best : nil
    }
}
