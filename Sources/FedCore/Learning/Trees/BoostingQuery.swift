/// What the coordinator asks banks while it trains trees; the same bytes go to every bank.
enum BoostingQuery: Equatable {
    /// Rows of every grid cell of every feature (missing values first), then rows and frauds.
    case counts
    /// Rows of every part of the listed cells.
    case refinement([HeavyCell])
    /// For every bin of every feature, 1 when this bank has a row in it, else 0.
    case contributors([FeatureBins])
    /// One level of one tree.
    case level(TreeLevelQuery)
    /// The histograms of confirmed children, by place.
    case sums(tree: Int, level: Int, places: [UInt32])
    /// Counts of validation rows by margin and class.
    case validation(treesDone: Int, update: TreeUpdate)

    /// The name in logs and ledgers.
    var kind: String {
        switch self {
        case .counts: "bins.counts"
        case .refinement: "bins.refinement"
        case .contributors: "bins.contributors"
        case .level: "tree.level"
        case .sums: "tree.sums"
        case .validation: "tree.validation"
        }
    }

    /// The round it belongs to: 0 before the trees, and then the tree counted from 1.
    var round: Int {
        switch self {
        case .counts, .refinement, .contributors: 0
        case .level(let level): level.tree + 1
        case .sums(let tree, _, _): tree + 1
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

/// Which child of a split banks sum; the other one follows by subtraction.
enum SummedChild: UInt8 {
    case left, right, none
}

/// A split of the level above, to move rows by.
struct SplitOrder: Equatable {
    var place: UInt32
    var feature: Int
    var bin: UInt8
    var missingLeft: Bool
    var summed: SummedChild
}

/// One level of one tree: the root's histogram, or the children of splits.
struct TreeLevelQuery: Equatable {
    var tree: Int
    var level: Int
    /// At level 0 only.
    var start: TreeStart?
    /// At levels above 0: at least one.
    var splits: [SplitOrder]

    /// Lanes before the histograms: for each node (the root, or both children of every split) the
    /// banks with rows in it and the rows.
    var headerLanes: Int { level == 0 ? 2 : 4 * splits.count }

    /// Histograms after the header.
    var histogramCount: Int {
        level == 0 ? 1 : splits.reduce(0) { $0 + ($1.summed == .none ? 0 : 1) }
    }
}

/// Where the sums of one node lie: for each feature of the tree, for each bin, gradient and hessian.
struct HistogramLayout: Equatable {
    let features: [Int]
    /// First lane of each feature of `features`.
    let offsets: [Int]
    /// Bins of each feature of `features`.
    let binCounts: [Int]
    let laneCount: Int

    init(features: [Int], bins: [FeatureBins]) {
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
