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

    static func == (left: Self, right: Self) -> Bool {
        left.update == right.update && left.features == right.features
            && left.model?.bins == right.model?.bins
            && left.model?.baseMargin == right.model?.baseMargin
    }
}

/// A split of a node, to move rows by.
struct SplitOrder: Equatable {
    var place: UInt32
    var feature: Int
    var bin: UInt8
    var missingLeft: Bool
    /// Whether banks and rows of the children are asked for.
    var counts: Bool
    /// Whether the left child's histogram is asked for; the right one follows by subtraction.
    var sums: Bool
}

/// One step of one tree: the root's histogram, or what is known by now to be wanted of its nodes.
///
/// The answer has, for each split with counts, four lanes: for both children the banks with rows in
/// it and the rows. Behind them, for each split with sums and then for each place of `sums`, the
/// histogram of the left child and the ``ContributorMarks`` of both children, where these are used.
/// At step 0 it is the root's histogram and marks.
struct TreeStepQuery: Equatable {
    var tree: Int
    var step: Int
    /// At step 0 only.
    var start: TreeStart?
    /// Nodes that are split now, rising.
    var splits: [SplitOrder]
    /// Nodes that were split in a step before, whose children are to be summed now, rising.
    var sums: [UInt32]

    /// Lanes before the histograms.
    var headerLanes: Int { splits.reduce(0) { $0 + ($1.counts ? 4 : 0) } }

    /// Nodes whose children are summed, in the order of the answer.
    var summed: [UInt32] { splits.filter(\.sums).map(\.place) + sums }

    /// Lanes of the answer.
    ///
    /// - Parameters:
    ///   - histogram: lanes of a node's histogram.
    ///   - marks: lanes of a node's counters.
    func laneCount(histogram: Int, marks: Int) -> Int {
        start != nil
            ? histogram + marks : headerLanes + summed.count * (histogram + 2 * marks)
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
