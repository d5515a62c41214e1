/// A share with its 95 % interval.
package struct ShareInterval: Equatable, Sendable {
    /// The share itself.
    package let share: Double
    /// The ends of the interval.
    package let low: Double
    package let high: Double

    /// The two-sided 95 % quantile of the normal distribution.
    static let normalQuantile = 1.959_963_984_540_054

    /// Wilson's score interval (1927) of a count among others.
    ///
    /// - Returns: `nil` for a count of nothing.
    package init?(_ count: Int, of total: Int) {
        guard total > 0, (0...total).contains(count) else { return nil }
        let (n, z) = (Double(total), Self.normalQuantile)
        let share = Double(count) / n
        let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        let half =
            z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        self.share = share
        low = count == 0 ? 0 : max(0, centre - half)
        high = count == total ? 1 : min(1, centre + half)
    }
}
