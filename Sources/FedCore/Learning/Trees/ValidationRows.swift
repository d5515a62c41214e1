internal import CFedKernels

/// A bank's validation rows as bins, with the margins that the trees so far give them.
struct ValidationRows: Sendable {
    private let bins: [FeatureBins]
    private let columns: [UInt8]
    private let labels: [UInt8]
    private let tasks: ParallelTasks
    private var margins: [Int32]

    init(dataset: Dataset, bins: [FeatureBins], baseMargin: Int32, tasks: ParallelTasks) {
        self.bins = bins
        self.tasks = tasks
        columns = BankMatrix.binned(dataset, bins: bins, tasks: tasks)
        labels = dataset.labels
        margins = [Int32](repeating: baseMargin, count: dataset.rowCount)
    }

    /// Starts each row at a margin of its own.
    mutating func start(at margins: [Int32]) {
        precondition(margins.count == labels.count, "\(margins.count) margins")
        self.margins = margins
    }

    /// Moves the margins by a finished tree.
    mutating func apply(_ update: TreeUpdate) {
        let nodes = update.tree.packed(bins: bins)
        let weights = update.tree.nodes.map(\.weight)
        let depth = Int32(update.tree.depth)
        let count = labels.count
        margins.withUnsafeMutableBufferPointer { margins in
            guard let target = margins.baseAddress else { return }
            let margin = target
            tasks.runRanges(count, size: 16384) { range in
                fed_tree_add(
                    nodes, weights, depth, columns, count, range.lowerBound, range.count, margin)
            }
        }
    }

    /// Rows by margin and class, see ``ScoreHistogram``.
    func counts() -> [Int64] {
        var lanes = [Int64](repeating: 0, count: ScoreHistogram.laneCount)
        for (margin, label) in zip(margins, labels) {
            lanes[2 * ScoreHistogram.cell(of: margin) + Int(label)] += 1
        }
        return lanes
    }
}
