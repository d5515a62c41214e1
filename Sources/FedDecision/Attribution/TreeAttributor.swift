internal import CFedKernels
package import FedCore

/// Exact Shapley values of boosted trees, path-dependent as in TreeSHAP, fast enough to answer a
/// request with.
///
/// What a set of features knows of a row is the mean over all ways down the tree that agree with
/// it, weighted by the children's share of their parent's cover (Lundberg, Erion, Lee, "Consistent
/// Individualized Feature Attribution for Tree Ensembles", arXiv 1802.03888). On the way to a leaf
/// of weight w a feature i has the share zᵢ of the cover that goes this way, and oᵢ, 1 where the row
/// does and else 0. Its Shapley value there is
///
///     w (oᵢ - zᵢ) ∫₀¹ Πⱼ≠ᵢ aⱼ(t) dt    with aⱼ(t) = oⱼ t + zⱼ (1 - t),
///
/// since ∫ tˢ (1 - t)ᵐ⁻ˢ dt are the weights of subsets. The integrand is a polynomial of a degree
/// below the number of features on the way, at most eight, so Gauss's four points give the
/// integral exactly. Products over a way are made once for all leaves below (as in Yu et al.,
/// "Linear TreeSHAP", arXiv 2209.08192): one pass down, one pass up, O(nodes) a row.
package struct TreeAttributor: Sendable {
    private let bins: BinTable
    private let base: Double
    private let splits: [fed_explain_split]
    /// Where each tree's splits begin; one more at the end.
    private let starts: [UInt32]
    private let nodesMax: Int

    /// Lays a model out.
    package init(_ model: GradientBoostingModel) {
        var layout = AttributionLayout(bins: model.bins)
        var starts: [UInt32] = [0]
        var base = Double(model.baseMargin) * GradientScale.marginUnit
        for tree in model.trees {
            base += layout.lay(tree)
            starts.append(UInt32(layout.splits.count))
        }
        bins = BinTable(model.bins)
        splits = layout.splits
        self.base = base
        self.starts = starts
        nodesMax = model.trees.map(\.nodes.count).max() ?? 1
    }

    /// Attributes the score of one row.
    ///
    /// - Parameter row: raw values in the model's order, NaN where missing; those that the standard
    ///   imputes are imputed already.
    package func attribution(of row: [Double]) -> Attribution {
        precondition(row.count == bins.count, "a row of \(row.count) values for \(bins.count)")
        var sums = [Double](repeating: 0, count: bins.count)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: row.count) { codes in
            bins.assign(row, to: codes)
            let scratchBytes = fed_explain_scratch_bytes(nodesMax, row.count)
            withUnsafeTemporaryAllocation(byteCount: scratchBytes, alignment: 64) { scratch in
                fed_explain_row(
                    splits, starts, starts.count - 1, nodesMax, codes.baseAddress, row.count,
                    scratch.baseAddress, &sums)
            }
        }
        return Attribution(base: base, contributions: sums.map { $0 * GradientScale.marginUnit })
    }
}

/// Lays trees out for the kernel.
private struct AttributionLayout {
    let bins: [FeatureBins]
    var splits: [fed_explain_split] = []

    init(bins: [FeatureBins]) { self.bins = bins }

    /// What is known of the way to a node.
    private struct Way {
        /// The node above; -1 for the root.
        var parent = -1
        /// What of the rows at the first split on the parent's feature that all such splits on the
        /// way let through.
        var share = 1.0
        /// Share of the tree's cover.
        var cover = 1.0
    }

    /// Appends a tree.
    ///
    /// - Returns: its mean over its covers.
    mutating func lay(_ tree: RegressionTree) -> Double {
        var ways = [Way](repeating: Way(), count: tree.nodes.count)
        var mean = 0.0
        for (index, node) in tree.nodes.enumerated() {
            let way = ways[index]
            guard let feature = node.feature else {
                mean += way.cover * Double(node.weight) * GradientScale.marginUnit
                continue
            }
            let shares = Self.shares(tree, node)
            let upper = Self.upper(of: index, feature, tree, ways)
            let before = upper.map { ways[$0].share } ?? 1
            for (child, share) in [(node.left, shares.left), (node.left + 1, shares.right)] {
                ways[child] = Way(parent: index, share: before * share, cover: way.cover * share)
            }
            append(tree, index, node, shares, upper: upper ?? 0, before: before)
        }
        return mean
    }

    /// The node behind the last edge above a split that asks for the same feature.
    private static func upper(
        of index: Int, _ feature: Int, _ tree: RegressionTree, _ ways: [Way]
    ) -> Int? {
        var node = index
        while ways[node].parent >= 0 {
            if tree.nodes[ways[node].parent].feature == feature { return node }
            node = ways[node].parent
        }
        return nil
    }

    private static func shares(
        _ tree: RegressionTree, _ node: RegressionTree.Node
    ) -> (left: Double, right: Double) {
        let covers = (tree.nodes[node.left].cover, tree.nodes[node.left + 1].cover)
        let whole = covers.0 + covers.1
        return whole > 0 ? (covers.0 / whole, covers.1 / whole) : (0.5, 0.5)
    }

    private mutating func append(
        _ tree: RegressionTree, _ index: Int, _ node: RegressionTree.Node,
        _ shares: (left: Double, right: Double), upper: Int, before: Double
    ) {
        let feature = node.feature ?? 0
        let test = BinTest(
            bin: node.bin, missingLeft: node.missingLeft, isCategorical: bins[feature].isCategorical
        )
        let (left, right) = (tree.nodes[node.left], tree.nodes[node.left + 1])
        var leaves: Int32 = 0
        if left.feature == nil { leaves |= FED_EXPLAIN_LEFT_IS_LEAF }
        if right.feature == nil { leaves |= FED_EXPLAIN_RIGHT_IS_LEAF }
        splits.append(
            fed_explain_split(
                share: shares, upper_share: before, weight: (left.weight, right.weight),
                feature: UInt16(feature), node: UInt16(index), left: UInt16(node.left),
                upper: UInt16(upper), low: test.low, width: test.width, leaves: UInt8(leaves)))
    }
}
