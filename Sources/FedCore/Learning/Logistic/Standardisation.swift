/// The shift and scale of each input: z = (t - mean) / deviation, as scikit-learn's
/// `StandardScaler` computes them (population deviation, no degrees of freedom taken off).
public struct Standardisation: Equatable, Sendable {
    /// Means of the transformed values, one a feature.
    public let means: [Double]
    /// Deviations, one a feature, positive; 1 for a constant feature.
    public let deviations: [Double]
    /// Whether a feature varies; the coefficient of one that does not is 0.
    public let varies: [Bool]

    /// Wraps given figures.
    package init(means: [Double], deviations: [Double], varies: [Bool]) {
        precondition(
            means.count == deviations.count && means.count == varies.count,
            "\(means.count) means, \(deviations.count) deviations, \(varies.count) flags")
        self.means = means
        self.deviations = deviations
        self.varies = varies
    }

    /// z = t for each of `count` features.
    static func identity(count: Int) -> Self {
        Self(
            means: [Double](repeating: 0, count: count),
            deviations: [Double](repeating: 1, count: count),
            varies: [Bool](repeating: true, count: count))
    }

    /// Computes the figures from sums about a provisional centre.
    ///
    /// This is the corrected two-pass algorithm (Chan, Golub, LeVeque 1983, equation 1.7).
    ///
    /// - Parameters:
    ///   - rows: rows in all, positive.
    ///   - centres: the provisional means.
    ///   - first: sums of t - centre, one a feature.
    ///   - second: sums of (t - centre)², one a feature.
    ///   - secondErrors: how far each of the second sums may be off, by rounding to fixed point.
    init(
        rows: Int, centres: [Double], first: [Double], second: [Double], secondErrors: [Double]
    ) {
        var means: [Double] = []
        var deviations: [Double] = []
        var varies: [Bool] = []
        let count = Double(rows)
        for index in centres.indices {
            let shift = first[index] / count
            let mean = centres[index] + shift
            let squares = max(second[index] - count * shift * shift, 0)
            let variance = squares / count
            // scikit-learn's bound for what rounding leaves of a constant column.
            let noise = count * Double.ulpOfOne
            let floor = noise * variance + (noise * mean) * (noise * mean)
            let moves = variance > floor && squares > 16 * secondErrors[index]
            means.append(mean)
            deviations.append(moves ? variance.squareRoot() : 1)
            varies.append(moves)
        }
        self.init(means: means, deviations: deviations, varies: varies)
    }
}
