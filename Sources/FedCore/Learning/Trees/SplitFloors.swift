/// Which splits of a node leave enough banks and rows in both children for certain.
///
/// A child must have the configured number of banks and sampled rows, and it must be known from the
/// node's own sums: nothing more is asked. Banks are known by ``ContributorMarks``. A row is in one
/// bin of the split's feature, so the least rows of the bins
/// (``GradientScale/rowsMin(gradient:hessian:fraudWeight:)``) add up.
///
/// Both bounds are from below: a child never has fewer, and now and then a split is left out that
/// exact numbers would have allowed. Then the next best one is made.
package struct SplitFloors: Sendable {
    /// Cuts of a feature for one side of the missing values.
    package static let stride = 256

    private let banksMin: Int
    private let rowsMin: Int64
    private let fraudWeight: Double

    /// The floors of a configuration; nil when any child will do.
    package init?(_ configuration: GradientBoostingConfiguration) {
        guard configuration.hasChildFloors else { return nil }
        banksMin = Int(configuration.contributorsMin)
        rowsMin = configuration.childRowsMin
        fraudWeight = configuration[.fraudWeight]
    }

    /// Where the flag of a split stands among those of its feature.
    package static func flag(of split: SplitCandidate, isCategorical: Bool) -> Int {
        Int(split.bin) + (split.missingLeft && !isCategorical ? stride : 0)
    }

    /// Finds the splits on one feature that may be made.
    ///
    /// - Parameters:
    ///   - cells: gradient and hessian of each bin of the feature at the node.
    ///   - reach: where enough banks are; nil when one bank will do.
    ///   - permitted: for missing values on the right, and then on the left, ``stride`` flags, one
    ///     for each bin that ends the left child's values; of a categorical feature the first ones,
    ///     for each bin that goes left alone.
    package func permit(
        cells: UnsafePointer<Int64>, bins: FeatureBins, reach: BankReach?,
        into permitted: UnsafeMutablePointer<UInt8>
    ) {
        switch reach {
        case .bins(let reached):
            let banks = reached.count { $0 }
            permitAlone(cells, bins.count, into: permitted) { bin in
                reached[bin] && banks > 1
            }
        case .cuts(let missing, let values, let leftFrom, let rightTo):
            permitCuts(cells, bins.count, into: permitted) { bin, missingLeft in
                let left = bin >= leftFrom || (missingLeft && missing)
                let right = bin <= rightTo || (!missingLeft && missing) || (bin == 0 && values)
                return left && right
            }
        case nil where bins.isCategorical:
            permitAlone(cells, bins.count, into: permitted) { _ in true }
        case nil: permitCuts(cells, bins.count, into: permitted) { _, _ in true }
        }
    }

    private func leastRows(_ cells: UnsafePointer<Int64>, _ bin: Int) -> Int64 {
        GradientScale.rowsMin(
            gradient: cells[2 * bin], hessian: cells[2 * bin + 1], fraudWeight: fraudWeight)
    }

    /// Whether rows are to be proved apart: each bank that has rows proves one.
    private var asksForRows: Bool { rowsMin > Int64(banksMin) }

    private func permitAlone(
        _ cells: UnsafePointer<Int64>, _ count: Int, into permitted: UnsafeMutablePointer<UInt8>,
        _ hasBanks: (Int) -> Bool
    ) {
        let rows = (0..<count).map { asksForRows ? leastRows(cells, $0) : rowsMin }
        let all = rows.reduce(0, +)
        for bin in 0..<count {
            let isMet = hasBanks(bin) && rows[bin] >= rowsMin && all - rows[bin] >= rowsMin
            permitted[bin] = isMet ? 1 : 0
        }
    }

    private func permitCuts(
        _ cells: UnsafePointer<Int64>, _ count: Int, into permitted: UnsafeMutablePointer<UInt8>,
        _ hasBanks: (Int, Bool) -> Bool
    ) {
        let missing = asksForRows ? leastRows(cells, 0) : 0
        for missingLeft in [false, true] {
            // Cuts from `low` to `high` have the rows: from either end, as far as it takes.
            var (low, high) = (0, count - 2)
            if asksForRows {
                var left = missingLeft ? missing : 0
                while left < rowsMin, low < count - 1 {
                    low += 1
                    left += leastRows(cells, low)
                }
                var right = missingLeft ? 0 : missing
                var next = count - 1
                while right < rowsMin, next > 0 {
                    right += leastRows(cells, next)
                    next -= 1
                    high = next
                }
                if right < rowsMin { high = -1 }
            }
            let flags = permitted + (missingLeft ? Self.stride : 0)
            for bin in 0..<max(0, count - 1) {
                flags[bin] = bin >= low && bin <= high && hasBanks(bin, missingLeft) ? 1 : 0
            }
        }
    }
}
