internal import CFedKernels

/// The fixed-point arithmetic of the trainer.
///
/// A row's gradient w·(p - y) and hessian w·p·(1 - p) are rounded to units of 2^-22, half to even,
/// the hessian to at least one unit. So |gradient| ≤ W·2^22 with W = max(1, fraud weight), and the
/// sums over all N rows stay within N·W·2^22. The ring width is chosen so that n banks' lanes, each
/// at that bound, cannot wrap around; the scale does not depend on n, hence neither does the model.
/// Margins and leaf weights have units of 2^-20 log-odds and are added as integers.
package enum GradientScale {
    /// Fraction bits of gradients and hessians.
    package static let gradientBits = 22
    /// One unit of a gradient or hessian.
    package static let gradientUnit = 1.0 / Double(1 << gradientBits)
    /// Fraction bits of margins and leaf weights.
    static let marginBits = Int(FED_MARGIN_BITS)
    /// One unit of a margin or leaf weight.
    package static let marginUnit = 1.0 / Double(1 << marginBits)
    /// The greatest base margin, in units: 20 log-odds.
    static let baseMarginMax: Int32 = 20 << 20

    /// The greatest leaf weight, in units: at most 16 log-odds, and so small that `treesMax` leaves
    /// and the base stay below 2^11 log-odds, the range of a 32-bit margin.
    package static func weightMax(treesMax: Int) -> Int32 {
        Int32(min(16 << 20, (2000 << 20) / treesMax))
    }

    /// The ring width in which `banks` banks' histograms over `rows` rows cannot wrap around.
    ///
    /// - Throws: ``LearningError/unusableData(reason:)`` for more rows than 64 bits hold.
    package static func ringBits(
        rows: Int64, banks: Int, fraudWeight: Double
    ) throws(LearningError) -> Int {
        let bound =
            Double(max(rows, 1)) * max(1, fraudWeight) * Double(1 << gradientBits) * Double(banks)
        for bits in [40, 48, 56, 64] where bound < Double(UInt64(1) << (bits - 1)) * 0.999 {
            return bits
        }
        throw .unusableData(
            reason: "\(rows) rows of \(banks) banks exceed the range of 64-bit sums")
    }

    /// The log-odds of the weighted share of frauds, in units.
    package static func baseMargin(rows: Int64, frauds: Int64, fraudWeight: Double) -> Int32 {
        let odds = Double(frauds) * fraudWeight / Double(rows - frauds)
        let units = (fed_log(odds) / marginUnit).rounded(.toNearestOrEven)
        return Int32(max(-Double(baseMarginMax), min(units, Double(baseMarginMax))))
    }

    /// Gradient and hessian of one row, in units.
    package static func gradient(
        margin: Int32, label: UInt8, fraudWeight: Double
    ) -> (gradient: Int64, hessian: Int64) {
        var packed: Int64 = 0
        fed_gradients([margin], [label], 1, Int32(gradientBits), fraudWeight, &packed)
        return (packed >> Int64(FED_PACKED_SHIFT), packed & (1 << Int64(FED_PACKED_SHIFT) - 1))
    }

    /// The fewest rows that can add up to a sum of gradients and one of hessians.
    ///
    /// With W = max(1, fraud weight) and x = |p - y|, a row has |g| ≤ W·x and h = W·x·(1 - x) or
    /// less, so |g| ≤ W, h ≤ W/4 and |g| + h ≤ W·(2·x - x²) ≤ W; rounding, and the least hessian of
    /// one unit, add less than two units.
    package static func rowsMin(gradient: Int64, hessian: Int64, fraudWeight: Double) -> Int64 {
        let most = Int64((max(1, fraudWeight) * Double(1 << gradientBits)).rounded(.up))
        func rows(_ sum: UInt64, _ row: Int64) -> Int64 {
            let row = UInt64(row) + 2
            return Int64((sum + row - 1) / row)
        }
        let h = UInt64(max(0, hessian))
        return max(
            rows(h, (most + 3) / 4),
            rows(h.addingReportingOverflow(gradient.magnitude).partialValue, most))
    }

    /// The weight of a leaf, -G/(H + λ) times the learning rate, in units and held to ±`limit`.
    package static func leafWeight(
        gradient: Int64, hessian: Int64, lambda: Double, learningRate: Double, limit: Int32
    ) -> Int32 {
        let step =
            -(Double(gradient) * gradientUnit) / (Double(hessian) * gradientUnit + lambda)
        guard step.isFinite else { return 0 }
        let units = (step * learningRate / marginUnit).rounded(.toNearestOrEven)
        return Int32(max(-Double(limit), min(units, Double(limit))))
    }
}

/// Samples that depend on the seed and on public numbers only.
package enum BoostingSample {
    /// SplitMix64, as published by Vigna.
    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The key of one tree's row sample.
    package static func rowKey(seed: UInt64, tree: Int) -> UInt64 { mix(mix(seed) &+ UInt64(tree)) }

    /// A row is sampled when its hash mixed with the key is at most this.
    package static func rowThreshold(share: Double) -> UInt64 {
        share >= 1 ? .max : UInt64(share * 18_446_744_073_709_551_616)
    }

    /// The features of one tree, rising: the `share` of `candidates` with the smallest hashes.
    package static func features(
        _ candidates: [Int], share: Double, seed: UInt64, tree: Int
    ) -> [Int] {
        let count = max(1, Int((Double(candidates.count) * share).rounded(.down)))
        let key = mix(mix(seed ^ 0xFEA7) &+ UInt64(tree))
        let ranked = candidates.map { (mix(key ^ UInt64($0)), $0) }.sorted { $0 < $1 }
        return ranked.prefix(count).map(\.1).sorted()
    }
}
