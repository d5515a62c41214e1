import FedCore
import FedDecision

/// Exact Shapley values of boosted trees as the paper's listing computes them: the oracle of
/// ``TreeAttributor``.
///
/// Algorithm 2 of Lundberg, Erion, Lee, "Consistent Individualized Feature Attribution for Tree
/// Ensembles" (arXiv 1802.03888), with the sums of hessians as covers, as XGBoost takes them: what
/// a set of features knows of a row is the mean over all ways down the tree that agree with it,
/// weighted by the children's share of their parent's cover. O(trees · leaves · depth²) a row.
struct PathAttributor: Sendable {
    /// A node as the walk needs it.
    private struct Node {
        var feature = -1
        var bin: UInt8 = 0
        var missingLeft = false
        var isCategorical = false
        var left = 0
        /// Share of the node's cover that each child has.
        var leftShare = 0.5
        var rightShare = 0.5
        /// Log-odds of a leaf.
        var weight = 0.0

        func goesLeft(_ code: UInt8) -> Bool {
            if isCategorical { return code == bin }
            return code <= bin && (missingLeft || code > 0)
        }
    }

    /// A step of the unique path: a feature, the shares of the ways with it unknown and known, and
    /// the sum of permutation weights of subsets of this size.
    private struct Step {
        var feature = -1
        var zero = 1.0
        var one = 1.0
        var weight = 1.0
    }

    private let bins: [FeatureBins]
    private let trees: [[Node]]
    private let depthMax: Int
    private let base: Double

    /// Lays a model out.
    init(_ model: GradientBoostingModel) {
        bins = model.bins
        trees = model.trees.map { tree in
            tree.nodes.map { node in
                var laid = Node(weight: Double(node.weight) * GradientScale.marginUnit)
                guard let feature = node.feature else { return laid }
                laid.feature = feature
                laid.bin = node.bin
                laid.missingLeft = node.missingLeft
                laid.isCategorical = model.bins[feature].isCategorical
                laid.left = node.left
                let covers = (tree.nodes[node.left].cover, tree.nodes[node.left + 1].cover)
                if covers.0 + covers.1 > 0 {
                    laid.leftShare = covers.0 / (covers.0 + covers.1)
                    laid.rightShare = covers.1 / (covers.0 + covers.1)
                }
                return laid
            }
        }
        depthMax = model.trees.map(\.depth).max() ?? 0
        base = trees.reduce(Double(model.baseMargin) * GradientScale.marginUnit) {
            $0 + Self.mean($1, at: 0)
        }
    }

    /// The mean of a tree over its covers, below a node.
    private static func mean(_ tree: [Node], at index: Int) -> Double {
        let node = tree[index]
        guard node.feature >= 0 else { return node.weight }
        return node.leftShare * mean(tree, at: node.left)
            + node.rightShare * mean(tree, at: node.left + 1)
    }

    /// Attributes the score of one row.
    ///
    /// - Parameter row: raw values in the model's order, NaN where missing; those that the standard
    ///   imputes are imputed already.
    func attribution(of row: [Double]) -> Attribution {
        precondition(row.count == bins.count, "a row of \(row.count) values for \(bins.count)")
        let codes = zip(bins, row).map { $0.bin(of: $1) }
        var sums = [Double](repeating: 0, count: bins.count)
        // The paths of one way down lie one after the other: 1 + 2 + ... + (depth + 2) steps.
        let capacity = (depthMax + 2) * (depthMax + 3) / 2
        withUnsafeTemporaryAllocation(of: Step.self, capacity: capacity) { steps in
            steps.initialize(repeating: Step())
            sums.withUnsafeMutableBufferPointer { sums in
                for tree in trees {
                    tree.withUnsafeBufferPointer { nodes in
                        let walk = Walk(nodes: nodes, codes: codes, sums: sums)
                        walk.descend(
                            0, path: steps[...], count: 0,
                            with: Step(feature: -1, zero: 1, one: 1, weight: 1))
                    }
                }
            }
        }
        return Attribution(base: base, contributions: sums)
    }

    /// One walk over a tree; the names are the algorithm's.
    private struct Walk {
        let nodes: UnsafeBufferPointer<Node>
        let codes: [UInt8]
        let sums: UnsafeMutableBufferPointer<Double>

        func descend(
            _ index: Int, path parent: Slice<UnsafeMutableBufferPointer<Step>>, count: Int,
            with step: Step
        ) {
            // A copy of the parent's path behind it, extended by this step.
            let path = UnsafeMutableBufferPointer(rebasing: parent)
            extend(path, count: count, by: step)
            let node = nodes[index]
            guard node.feature >= 0 else {
                return settle(path, count: count + 1, leaf: node.weight)
            }
            let isLeft = node.goesLeft(codes[node.feature])
            var length = count + 1
            var known = Step(feature: node.feature, zero: 1, one: 1, weight: 0)
            if let seen = (1..<length).first(where: { path[$0].feature == node.feature }) {
                known.zero = path[seen].zero
                known.one = path[seen].one
                unwind(path, count: length, at: seen)
                length -= 1
            }
            for child in 0..<2 {
                let isHot = (child == 0) == isLeft
                let share = child == 0 ? node.leftShare : node.rightShare
                // Neither known nor unknown does a way lead there.
                if known.zero * share == 0, !isHot || known.one == 0 { continue }
                let behind = path[(count + 1)...]
                for position in 0..<length { path[count + 1 + position] = path[position] }
                descend(
                    node.left + child, path: behind, count: length,
                    with: Step(
                        feature: node.feature, zero: known.zero * share,
                        one: isHot ? known.one : 0, weight: 0))
            }
        }

        /// EXTEND: grows the path of `count` steps by one.
        private func extend(
            _ path: UnsafeMutableBufferPointer<Step>, count: Int, by step: Step
        ) {
            path[count] = step
            path[count].weight = count == 0 ? 1 : 0
            let size = Double(count + 1)
            for index in stride(from: count - 1, through: 0, by: -1) {
                path[index + 1].weight += step.one * path[index].weight * Double(index + 1) / size
                path[index].weight *= step.zero * Double(count - index) / size
            }
        }

        /// UNWIND: takes the step at `place` out of a path of `count` steps.
        private func unwind(
            _ path: UnsafeMutableBufferPointer<Step>, count: Int, at place: Int
        ) {
            let (one, zero) = (path[place].one, path[place].zero)
            let size = Double(count)
            var next = path[count - 1].weight
            for index in stride(from: count - 2, through: 0, by: -1) {
                if one != 0 {
                    let before = path[index].weight
                    path[index].weight = next * size / (Double(index + 1) * one)
                    next =
                        before - path[index].weight * zero * Double(count - 1 - index) / size
                } else {
                    path[index].weight *= size / (zero * Double(count - 1 - index))
                }
            }
            for index in place..<(count - 1) {
                path[index].feature = path[index + 1].feature
                path[index].zero = path[index + 1].zero
                path[index].one = path[index + 1].one
            }
        }

        /// The sum of weights of the path without the step at `place`.
        private func unwoundSum(
            _ path: UnsafeMutableBufferPointer<Step>, count: Int, at place: Int
        ) -> Double {
            let (one, zero) = (path[place].one, path[place].zero)
            let size = Double(count)
            var next = path[count - 1].weight
            var total = 0.0
            for index in stride(from: count - 2, through: 0, by: -1) {
                if one != 0 {
                    let weight = next * size / (Double(index + 1) * one)
                    total += weight
                    next = path[index].weight - weight * zero * Double(count - 1 - index) / size
                } else {
                    total += path[index].weight * size / (zero * Double(count - 1 - index))
                }
            }
            return total
        }

        private func settle(
            _ path: UnsafeMutableBufferPointer<Step>, count: Int, leaf: Double
        ) {
            for place in 1..<max(count, 1) {
                let step = path[place]
                sums[step.feature] +=
                    unwoundSum(path, count: count, at: place) * (step.one - step.zero) * leaf
            }
        }
    }
}
