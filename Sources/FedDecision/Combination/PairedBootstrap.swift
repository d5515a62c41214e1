/// What reviewers catch by several scores of the same rows, resampled together.
///
/// A Poisson bootstrap (Hanley and MacGibbon 2006): in each resample every row counts k times with
/// k from Poisson(1), drawn from a hash of seed, resample and row. All scores see the same k, so
/// differences between them have their own, smaller, scatter. Rows are ranked once; a resample is a
/// walk down the ranking until the budget is spent.
package struct PairedBootstrap: Sendable {
    /// Caught frauds of a score in every resample.
    private let caught: [[Double]]

    /// Draws resamples.
    ///
    /// - Parameters:
    ///   - orders: row indices in falling order of each score.
    ///   - labels: 1 for a fraud, 0 else.
    ///   - reviewed: rows that reviewers can look at.
    package init(
        orders: [[Int]], labels: [UInt8], reviewed: Int, resamples: Int, seed: UInt64
    ) {
        caught = orders.map { order in
            (0..<resamples).map { resample in
                let key = Self.mix(seed ^ Self.mix(UInt64(resample)))
                var looked = 0
                var found = 0
                for row in order {
                    guard looked < reviewed else { break }
                    let count = min(
                        Self.poisson(Self.mix(key ^ UInt64(row))), reviewed - looked)
                    looked += count
                    found += count * Int(labels[row])
                }
                return Double(found)
            }
        }
    }

    /// How one score compares with another.
    package struct Difference: Equatable, Sendable {
        /// Mean over the resamples of the caught frauds, less those of the other.
        package let mean: Double
        /// Share of resamples in which it catches more, ties counted one half.
        package let betterShare: Double
        /// The 5th and the 95th percentile of the difference.
        package let low: Double
        package let high: Double
    }

    /// Compares scores by their positions in `orders`.
    package func difference(of score: Int, over other: Int) -> Difference {
        let differences = zip(caught[score], caught[other]).map { $0 - $1 }.sorted()
        let count = Double(differences.count)
        let better = differences.reduce(0.0) { $0 + ($1 > 0 ? 1 : $1 == 0 ? 0.5 : 0) }
        func percentile(_ share: Double) -> Double {
            differences[min(Int(share * count), differences.count - 1)]
        }
        return Difference(
            mean: differences.reduce(0, +) / count, betterShare: better / count,
            low: percentile(0.05), high: percentile(0.95))
    }

    /// Poisson(1) by inversion of the distribution function.
    static func poisson(_ word: UInt64) -> Int {
        let unit = Double(word >> 11) * 0x1p-53
        var term = 0.367_879_441_171_442_33  // exp(-1)
        var sum = term
        var count = 0
        while unit >= sum, count < 16 {
            count += 1
            term /= Double(count)
            sum += term
        }
        return count
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    static func mix(_ value: UInt64) -> UInt64 {
        var word = value &+ 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
