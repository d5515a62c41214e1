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
    typealias Points = SIMD4<Double>

    private let bins: [FeatureBins]
    private let base: Double
    private let splits: [AttributionSplit]
    /// Where each tree's splits begin; one more at the end.
    private let starts: [Int]
    private let tables: [Points]
    private let nodesMax: Int

    /// Lays a model out.
    package init(_ model: GradientBoostingModel) {
        var layout = AttributionLayout(bins: model.bins)
        var starts = [0]
        var base = Double(model.baseMargin) * GradientScale.marginUnit
        for tree in model.trees {
            base += layout.lay(tree)
            starts.append(layout.splits.count)
        }
        bins = model.bins
        splits = layout.splits
        tables = layout.tables
        self.base = base
        self.starts = starts
        nodesMax = model.trees.map(\.nodes.count).max() ?? 0
    }

    /// Attributes the score of one row.
    ///
    /// - Parameter row: raw values in the model's order, NaN where missing; those that the standard
    ///   imputes are imputed already.
    package func attribution(of row: [Double]) -> Attribution {
        precondition(row.count == bins.count, "a row of \(row.count) values for \(bins.count)")
        var sums = [Double](repeating: 0, count: bins.count)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: row.count) { codes in
            for feature in 0..<row.count { codes[feature] = bins[feature].bin(of: row[feature]) }
            withUnsafeTemporaryAllocation(of: Points.self, capacity: nodesMax) { ways in
                withUnsafeTemporaryAllocation(of: Bool.self, capacity: nodesMax) { isHot in
                    guard let codes = codes.baseAddress, let ways = ways.baseAddress,
                        let isHot = isHot.baseAddress
                    else { return }
                    add(codes: codes, ways: ways, isHot: isHot, to: &sums)
                }
            }
        }
        return Attribution(base: base, contributions: sums)
    }

    private func add(
        codes: UnsafeMutablePointer<UInt8>, ways: UnsafeMutablePointer<Points>,
        isHot: UnsafeMutablePointer<Bool>, to sums: inout [Double]
    ) {
        splits.withUnsafeBufferPointer { splits in
            tables.withUnsafeBufferPointer { tables in
                sums.withUnsafeMutableBufferPointer { sums in
                    guard let splits = splits.baseAddress, let tables = tables.baseAddress,
                        let sums = sums.baseAddress
                    else { return }
                    let walk = AttributionWalk(
                        splits: splits, tables: tables, codes: codes, ways: ways, isHot: isHot,
                        sums: sums)
                    for tree in 1..<starts.count { walk.add(starts[tree - 1]..<starts[tree]) }
                }
            }
        }
    }
}

/// A split as the walk needs it; indices of nodes count within the tree.
struct AttributionSplit: Sendable {
    var feature: Int32
    var node: Int32
    var left: Int32
    /// The node behind the last edge above that asks for the same feature; -1 for none.
    var upper: Int32
    /// Where its figures begin.
    var table: Int32
    var bin: UInt8
    var missingLeft: Bool
    var isCategorical: Bool
    /// Whether both children are leaves, whose figures are summed up beforehand.
    var endsHere: Bool
    var leftIsLeaf: Bool
    var rightIsLeaf: Bool
    /// Shares of the node's cover that each child has.
    var leftShare: Double
    var rightShare: Double

    func goesLeft(_ code: UInt8) -> Bool {
        isCategorical ? code == bin : code <= bin && (missingLeft || code > 0)
    }
}

/// One row's walk over a tree: down with the products of the ways, up with the sums over leaves.
private struct AttributionWalk {
    let splits: UnsafePointer<AttributionSplit>
    let tables: UnsafePointer<SIMD4<Double>>
    let codes: UnsafeMutablePointer<UInt8>
    /// Going down Π aⱼ of the way to a node, coming up Σ over its leaves.
    let ways: UnsafeMutablePointer<SIMD4<Double>>
    /// Whether the row agrees with all splits on the last edge's feature down to a node.
    let isHot: UnsafeMutablePointer<Bool>
    let sums: UnsafeMutablePointer<Double>

    func add(_ tree: Range<Int>) {
        ways[0] = SIMD4(repeating: 1)
        for index in tree {
            let split = splits + index
            let goesLeft = split.pointee.goesLeft(codes[Int(split.pointee.feature)])
            let upper = Int(split.pointee.upper)
            descend(split, isHot: upper < 0 || isHot[upper], goesLeft: goesLeft)
        }
        for index in tree.reversed() where !splits[index].endsHere { ascend(splits + index) }
    }

    private func descend(
        _ split: UnsafePointer<AttributionSplit>, isHot above: Bool, goesLeft: Bool
    ) {
        let (node, left) = (Int(split.pointee.node), Int(split.pointee.left))
        let figures = tables + Int(split.pointee.table)
        let way = ways[node]
        if split.pointee.endsHere {
            if above {
                let side = goesLeft ? 0 : 2
                ways[node] = way * figures[side]
                sums[Int(split.pointee.feature)] += (way * figures[side + 1]).sum()
            } else {
                ways[node] = way * figures[4]
            }
            return
        }
        isHot[left] = above && goesLeft
        isHot[left + 1] = above && !goesLeft
        if above {
            ways[left] = way * figures[goesLeft ? 0 : 2]
            ways[left + 1] = way * figures[goesLeft ? 6 : 4]
        } else {
            ways[left] = way * split.pointee.leftShare
            ways[left + 1] = way * split.pointee.rightShare
        }
        if split.pointee.leftIsLeaf { ways[left] *= figures[8] }
        if split.pointee.rightIsLeaf { ways[left + 1] *= figures[9] }
    }

    private func ascend(_ split: UnsafePointer<AttributionSplit>) {
        let (node, left) = (Int(split.pointee.node), Int(split.pointee.left))
        let figures = tables + Int(split.pointee.table)
        let (one, other) = (ways[left], ways[left + 1])
        ways[node] = one + other
        // Where the row left the feature's way above, the edge above has it all.
        guard isHot[left] || isHot[left + 1] else { return }
        let goesLeft = isHot[left]
        sums[Int(split.pointee.feature)] +=
            (one * figures[goesLeft ? 1 : 3] + other * figures[goesLeft ? 7 : 5]).sum()
    }
}

/// Lays trees out for ``AttributionWalk``.
///
/// A split's figures are, for each child with the row going its way, then for the same child with
/// the row going the other way: the factor of the way's product, and what the product weighs for
/// the feature, less what it weighs by the edge above that asks for the same feature. Then each
/// child's weight, if it is a leaf. A split of two leaves has the sums over both: product and
/// weight with the row going left, the same going right, product with the row gone before.
private struct AttributionLayout {
    private typealias Points = SIMD4<Double>

    let bins: [FeatureBins]
    var splits: [AttributionSplit] = []
    var tables: [SIMD4<Double>] = []

    /// Gauss's points for four, on 0...1.
    private static let points: Points = {
        let (inner, outer) = (0.339_981_043_584_856_26, 0.861_136_311_594_052_6)
        return (Points(-outer, -inner, inner, outer) + 1) / 2
    }()

    /// Their weights.
    private static let weights: Points = {
        let (inner, outer) = (0.652_145_154_862_546_1, 0.347_854_845_137_453_85)
        return Points(outer, inner, inner, outer) / 2
    }()

    init(bins: [FeatureBins]) { self.bins = bins }

    /// What is known of the way to a node.
    private struct Way {
        /// The last edge's node for each feature on the way, and its share.
        var edges: [Int: (node: Int, share: Double)] = [:]
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
                mean += way.cover * Self.logOdds(node)
                continue
            }
            let shares = Self.shares(tree, node)
            let upper = way.edges[feature]
            for (child, share) in [(node.left, shares.left), (node.left + 1, shares.right)] {
                ways[child] = way
                ways[child].cover *= share
                ways[child].edges[feature] = (child, (upper?.share ?? 1) * share)
            }
            append(tree, index, node, shares, upper)
        }
        return mean
    }

    private static func logOdds(_ node: RegressionTree.Node) -> Double {
        Double(node.weight) * GradientScale.marginUnit
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
        _ shares: (left: Double, right: Double), _ upper: (node: Int, share: Double)?
    ) {
        let feature = node.feature ?? 0
        let (left, right) = (tree.nodes[node.left], tree.nodes[node.left + 1])
        let (leftEnds, rightEnds) = (left.feature == nil, right.feature == nil)
        splits.append(
            AttributionSplit(
                feature: Int32(feature), node: Int32(index), left: Int32(node.left),
                upper: Int32(upper?.node ?? -1), table: Int32(tables.count), bin: node.bin,
                missingLeft: node.missingLeft, isCategorical: bins[feature].isCategorical,
                endsHere: leftEnds && rightEnds, leftIsLeaf: leftEnds, rightIsLeaf: rightEnds,
                leftShare: shares.left, rightShare: shares.right))
        let above = upper?.share ?? 1
        let one = Self.edge(share: above * shares.left, above: above)
        let other = Self.edge(share: above * shares.right, above: above)
        let leaves = (Self.weights * Self.logOdds(left), Self.weights * Self.logOdds(right))
        guard leftEnds, rightEnds else {
            tables += [
                one.hot.factor, one.hot.weight, one.cold.factor, one.cold.weight,
                other.hot.factor, other.hot.weight, other.cold.factor, other.cold.weight,
                leaves.0, leaves.1,
            ]
            return
        }
        for (first, second) in [(one.hot, other.cold), (one.cold, other.hot)] {
            let products = (leaves.0 * first.factor, leaves.1 * second.factor)
            tables.append(products.0 + products.1)
            tables.append(products.0 * first.weight + products.1 * second.weight)
        }
        tables.append(leaves.0 * shares.left + leaves.1 * shares.right)
    }

    private typealias Figures = (factor: SIMD4<Double>, weight: SIMD4<Double>)

    /// The figures of an edge: the row goes its way, or the other.
    ///
    /// - Parameters:
    ///   - share: z of the feature behind the edge.
    ///   - above: z of the feature before it, where the row went its way so far.
    private static func edge(share: Double, above: Double) -> (hot: Figures, cold: Figures) {
        let rest = 1 - points
        let before = points + above * rest
        let weightBefore = (1 - above) / before
        let hot = points + share * rest
        return (
            (hot / before, (1 - share) / hot - weightBefore),
            (share * rest / before, -1 / rest - weightBefore)
        )
    }
}
