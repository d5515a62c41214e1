/// What the coordinator asks banks while it trains trees; the same bytes go to every bank.
enum BoostingQuery: Equatable {
    /// Rows of every grid cell of every feature (missing values first), then rows and frauds.
    case counts
    /// Rows of every part of the listed cells.
    case refinement([HeavyCell])
    /// For every bin of every feature, 1 when this bank has a row in it, else 0.
    case contributors([FeatureBins])
    /// One step of one tree.
    case step(TreeStepQuery)
    /// Counts of validation rows by margin and class.
    case validation(treesDone: Int, update: TreeUpdate)

    /// The name in logs and ledgers.
    var kind: String {
        switch self {
        case .counts: "bins.counts"
        case .refinement: "bins.refinement"
        case .contributors: "bins.contributors"
        case .step: "tree.step"
        case .validation: "tree.validation"
        }
    }

    /// The round it belongs to: 0 before the trees, and then the tree counted from 1.
    var round: Int {
        switch self {
        case .counts, .refinement, .contributors: 0
        case .step(let step): step.tree + 1
        case .validation(let treesDone, _): treesDone
        }
    }
}

/// A finished tree, for banks to move their margins by.
struct TreeUpdate: Equatable {
    var tree: RegressionTree
    /// The place of each node while the tree grew: the root is 1, the children of h are 2h, 2h + 1.
    var places: [UInt32]
}

/// What starts a tree.
struct TreeStart: Equatable {
    /// The bins and the margin of all rows before the first tree; nil at later trees.
    var model: (bins: [FeatureBins], baseMargin: Int32)?
    /// The tree before, unless a validation query carried it already.
    var update: TreeUpdate?
    /// The features that this tree may use, rising.
    var features: [Int]
    /// Bits of a counter of the ``ContributorMarks``; 0 when banks are not counted.
    var markBits = 0

    static func == (left: Self, right: Self) -> Bool {
        left.update == right.update && left.features == right.features
            && left.markBits == right.markBits
            && left.model?.bins == right.model?.bins
            && left.model?.baseMargin == right.model?.baseMargin
    }
}

/// A split of a node whose children are summed.
struct SplitOrder: Equatable {
    var place: UInt32
    var feature: Int
    var bin: UInt8
    var missingLeft: Bool
}

/// One step of one tree: its root, or one level.
///
/// The answer to step 0 is the root's histogram and its ``ContributorMarks``, where these are used.
/// The answer to a later step has, for each split, the histogram of the left child and the marks of
/// both children; the right child's histogram follows by subtraction.
struct TreeStepQuery: Equatable {
    var tree: Int
    var step: Int
    /// At step 0 only.
    var start: TreeStart?
    /// Nodes that are split now, rising.
    var splits: [SplitOrder]

    /// Lanes of the answer.
    ///
    /// - Parameters:
    ///   - histogram: lanes of a node's histogram.
    ///   - marks: lanes of a node's counters.
    func laneCount(histogram: Int, marks: Int) -> Int {
        start != nil ? histogram + marks : splits.count * (histogram + 2 * marks)
    }
}

/// Where the sums of one node lie: for each feature of the tree, for each bin, gradient and hessian.
package struct HistogramLayout: Equatable {
    package let features: [Int]
    /// First lane of each feature of `features`.
    package let offsets: [Int]
    /// Bins of each feature of `features`.
    package let binCounts: [Int]
    package let laneCount: Int

    package init(features: [Int], bins: [FeatureBins]) {
        self.features = features
        var offsets: [Int] = []
        var lanes = 0
        for feature in features {
            offsets.append(lanes)
            lanes += 2 * bins[feature].count
        }
        self.offsets = offsets
        binCounts = features.map { bins[$0].count }
        laneCount = lanes
    }
}
