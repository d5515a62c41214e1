/// Plain statistics over lanes; each gives the distance from uniform in standard deviations unless
/// said otherwise.
enum MaskStatistics {
    /// Chi-square of the counts of all 256 byte values, as deviations from its mean of 255.
    static func byteChiSquare(_ bytes: [UInt8]) -> Double {
        var counts = [Int](repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] += 1 }
        let expected = Double(bytes.count) / 256
        let sum = counts.reduce(0.0) {
            $0 + (Double($1) - expected) * (Double($1) - expected) / expected
        }
        return (sum - 255) / (2 * 255).squareRoot()
    }

    /// Largest distance of the empirical distribution of fractions from the uniform one, times the
    /// square root of the count (Kolmogorov): above 1.95 once in a thousand uniform samples, above
    /// 2.5 once in a hundred thousand.
    static func kolmogorov(_ fractions: [Double]) -> Double {
        let count = Double(fractions.count)
        var distance = 0.0
        for (rank, value) in fractions.sorted().enumerated() {
            distance = max(distance, value - Double(rank) / count, Double(rank + 1) / count - value)
        }
        return distance * count.squareRoot()
    }

    /// Correlation of two vectors of fractions, in standard deviations of independent ones.
    static func correlation(_ left: ArraySlice<Double>, _ right: ArraySlice<Double>) -> Double {
        let sum = zip(left, right).reduce(0.0) { $0 + ($1.0 - 0.5) * ($1.1 - 0.5) }
        return sum * 12 / Double(min(left.count, right.count)).squareRoot()
    }

    /// Mean of fractions, as deviations from 1/2.
    static func meanDeviation(_ fractions: [Double]) -> Double {
        let mean = fractions.reduce(0, +) / Double(fractions.count)
        return (mean - 0.5) * (12 * Double(fractions.count)).squareRoot()
    }

    /// How often a fair coin shows heads, as deviations from half of the tosses.
    static func coinDeviation(heads: Int, of tosses: Int) -> Double {
        (Double(heads) - Double(tosses) / 2) / (Double(tosses) / 4).squareRoot()
    }
}
