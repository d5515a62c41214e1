internal import CFedKernels

/// One tree of a model.
///
/// Nodes stand in breadth-first order; node 0 is the root, and the right child
/// of a node follows its left one.
public struct RegressionTree: Equatable, Sendable {
    /// A split or a leaf.
    public struct Node: Equatable, Sendable {
        /// The feature of a split, nil at a leaf.
        public var feature: Int?
        /// Bins up to this one go left; of a categorical feature this bin alone does.
        public var bin: UInt8 = 0
        /// Where rows without a value go.
        public var missingLeft = false
        /// Index of the left child, which the right one follows; 0 at a leaf.
        public var left = 0
        /// What the split gains, GL²/(HL+λ) + GR²/(HR+λ) - G²/(H+λ); 0 at a leaf.
        public var gain = 0.0
        /// Sum of hessians of the sampled rows.
        public var cover = 0.0
        /// Weight in units of 2^-20 log-odds; 0 at a split.
        public var weight: Int32 = 0

        package init() {}
    }

    /// The nodes.
    public var nodes: [Node]

    package init(nodes: [Node]) { self.nodes = nodes }

    /// Splits on the longest way from the root.
    public var depth: Int {
        var depths = [Int](repeating: 0, count: nodes.count)
        for (index, node) in nodes.enumerated() where node.feature != nil {
            depths[node.left] = depths[index] + 1
            depths[node.left + 1] = depths[index] + 1
        }
        return depths.max() ?? 0
    }

    /// Whether indices form one tree in the stated order, over bins that exist.
    func isValid(bins: [FeatureBins], depthMax: Int, weightMax: Int32) -> Bool {
        var next = 1
        for node in nodes {
            guard node.gain.isFinite, node.cover.isFinite, node.cover >= 0 else { return false }
            guard let feature = node.feature else {
                guard node.left == 0, node.bin == 0, !node.missingLeft, node.gain == 0,
                    node.weight.magnitude <= weightMax
                else { return false }
                continue
            }
            guard bins.indices.contains(feature), node.left == next, node.weight == 0 else {
                return false
            }
            let isEqualitySplit = bins[feature].isCategorical
            let last = bins[feature].count - (isEqualitySplit ? 1 : 2)
            guard Int(node.bin) <= last, node.bin > 0 || node.missingLeft,
                !isEqualitySplit || node.missingLeft == (node.bin == 0)
            else { return false }
            next += 2
        }
        return !nodes.isEmpty && next == nodes.count && depth <= depthMax
    }

    /// The nodes as the kernels walk them, with indices shifted by `offset`.
    func packed(bins: [FeatureBins], offset: UInt32 = 0) -> [fed_tree_node] {
        nodes.enumerated().map { index, node in
            guard let feature = node.feature else {
                return fed_tree_node(
                    feature: 0, low: 0, width: 255, left: UInt32(index) + offset)
            }
            let test = BinTest(
                bin: node.bin, missingLeft: node.missingLeft,
                isCategorical: bins[feature].isCategorical)
            return fed_tree_node(
                feature: UInt16(feature), low: test.low, width: test.width,
                left: UInt32(node.left) + offset)
        }
    }
}

/// A split as the kernels test it: left when bin - low, modulo 256, is at most `width`.
package struct BinTest: Equatable {
    package let low: UInt8
    package let width: UInt8

    package init(bin: UInt8, missingLeft: Bool, isCategorical: Bool) {
        if isCategorical {
            (low, width) = (bin, 0)
        } else if missingLeft {
            (low, width) = (0, bin)
        } else {
            (low, width) = (1, bin &- 1)
        }
    }

    /// Whether rows in a bin go to the left.
    func sendsLeft(_ bin: Int) -> Bool { UInt8(truncatingIfNeeded: bin) &- low <= width }
}
