internal import FedCore

/// How much each feature moved a score away from what the model says on average.
package struct Attribution: Equatable, Sendable {
    /// The score before any feature is known, in log-odds.
    package let base: Double
    /// One a feature, in log-odds; they and ``base`` add up to the score.
    package let contributions: [Double]

    /// Wraps figures.
    package init(base: Double, contributions: [Double]) {
        self.base = base
        self.contributions = contributions
    }

    /// The score.
    package var total: Double { contributions.reduce(base, +) }

    /// The attribution of a weighted sum of scores, exact because Shapley values are linear.
    package static func weighted(
        _ parts: [(weight: Double, attribution: Attribution)], intercept: Double = 0
    ) -> Attribution {
        var base = intercept
        var sums = [Double](
            repeating: 0, count: parts.first?.attribution.contributions.count ?? 0)
        for (weight, attribution) in parts {
            precondition(attribution.contributions.count == sums.count, "features differ")
            base += weight * attribution.base
            for index in sums.indices { sums[index] += weight * attribution.contributions[index] }
        }
        return Attribution(base: base, contributions: sums)
    }
}
