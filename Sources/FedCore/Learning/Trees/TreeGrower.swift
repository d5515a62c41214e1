internal import CFedKernels

/// Grows one tree from summed histograms: the coordinator's half of a tree.
///
/// A node's sums say which of its splits leave enough banks and rows in both children for certain
/// (``SplitFloors``); the best of these is made. So a level of the tree is one masked sum, and the
/// last level's children, which are leaves, need none.
struct TreeGrower {
    /// A node whose rows the banks still hold apart.
    private struct Node {
        var place: UInt32
        var gradient: Int64
        var hessian: Int64
        var split: SplitCandidate?
        /// Whether the split is made.
        var isSplit = false

        /// Splits between the root and this node.
        var depth: Int { UInt32.bitWidth - 1 - place.leadingZeroBitCount }
    }

    private let layout: HistogramLayout
    /// Where banks are counted; nil when the number of banks does not matter.
    private let marks: ContributorMarks?
    private let bankCount: Int
    private let finder: SplitFinder
    private let floors: SplitFloors?
    private let configuration: GradientBoostingConfiguration
    private let tasks: ParallelTasks
    private var nodes: [UInt32: Node] = [:]
    /// Histograms of the nodes whose children are not summed yet, and banks counted in their parts.
    private var histograms: [UInt32: [Int64]] = [:]
    private var counts: [UInt32: [Int]] = [:]
    private var windows: BinWindows
    /// The step in work.
    private var orders: [SplitOrder] = []

    init(
        layout: HistogramLayout, marks: ContributorMarks?, bankCount: Int, finder: SplitFinder,
        configuration: GradientBoostingConfiguration, tasks: ParallelTasks
    ) {
        self.layout = layout
        self.marks = marks
        self.bankCount = bankCount
        self.finder = finder
        floors = SplitFloors(configuration)
        self.configuration = configuration
        self.tasks = tasks
        windows = BinWindows(bins: finder.bins)
    }

    /// Takes the root's sums.
    mutating func absorbRoot(_ lanes: [Int64]) throws(LearningError) {
        let cells = Array(lanes.prefix(layout.laneCount))
        let totals = featureTotals(cells)
        guard let total = totals.first, totals.allSatisfy({ $0 == total }), total.hessian >= 0
        else {
            throw .numericalFailure(reason: "features disagree on the sum of gradients")
        }
        nodes[1] = Node(place: 1, gradient: total.gradient, hessian: total.hessian)
        histograms[1] = cells
        counts[1] = try marks?.counts(lanes[layout.laneCount...], banks: bankCount)
        findSplits(of: [1])
    }

    /// Takes the sums of a step: of each order the left child's histogram and both children's marks.
    mutating func absorbStep(_ lanes: [Int64]) throws(LearningError) {
        var found: [UInt32] = []
        for (index, order) in orders.enumerated() {
            let offset = index * blockLanes
            try absorbChildren(of: order.place, lanes[offset..<offset + blockLanes])
            found += [2 * order.place, 2 * order.place + 1]
        }
        orders = []
        findSplits(of: found)
    }

    private var blockLanes: Int { layout.laneCount + 2 * (marks?.laneCount ?? 0) }

    private mutating func absorbChildren(
        of place: UInt32, _ block: ArraySlice<Int64>
    ) throws(LearningError) {
        guard let parent = histograms.removeValue(forKey: place) else { return }
        counts[place] = nil
        let left = Array(block.prefix(layout.laneCount))
        histograms[2 * place + 1] = [Int64](unsafeUninitializedCapacity: left.count) {
            buffer, count in
            if let start = buffer.baseAddress {
                fed_lanes_subtract(parent, left, start, left.count)
            }
            count = left.count
        }
        histograms[2 * place] = left
        guard let marks else { return }
        let counters = block.dropFirst(layout.laneCount)
        counts[2 * place] = try marks.counts(counters.prefix(marks.laneCount), banks: bankCount)
        counts[2 * place + 1] = try marks.counts(
            counters.dropFirst(marks.laneCount), banks: bankCount)
    }

    /// Makes the splits that were found, and says which of their children are to be summed next; nil
    /// when the tree is finished.
    mutating func nextStep() -> [SplitOrder]? {
        for place in nodes.keys.sorted() {
            guard let node = nodes[place], !node.isSplit, let split = node.split else { continue }
            makeChildren(of: node, split)
            guard wantsSums(node, split) else { continue }
            orders.append(
                SplitOrder(
                    place: place, feature: split.feature, bin: split.bin,
                    missingLeft: split.missingLeft))
        }
        return orders.isEmpty ? nil : orders
    }

    /// Whether a child of a split may be split again.
    private func wantsSums(_ node: Node, _ split: SplitCandidate) -> Bool {
        node.depth + 1 < configuration.depthMax
            && (finder.canSplit(hessian: split.leftHessian)
                || finder.canSplit(hessian: node.hessian &- split.leftHessian))
    }

    /// The grown tree with the places of its nodes.
    func finish() -> TreeUpdate {
        var tree: [RegressionTree.Node] = []
        var places: [UInt32] = [1]
        var at = 0
        let limit = GradientScale.weightMax(treesMax: configuration.treesMax)
        while at < places.count {
            var entry = RegressionTree.Node()
            if let node = nodes[places[at]] {
                entry.cover = Double(node.hessian) * GradientScale.gradientUnit
                if node.isSplit, let split = node.split {
                    entry.feature = split.feature
                    entry.bin = split.bin
                    entry.missingLeft = split.missingLeft
                    entry.gain = split.gain
                    entry.left = places.count
                    places += [2 * node.place, 2 * node.place + 1]
                } else {
                    entry.weight = GradientScale.leafWeight(
                        gradient: node.gradient, hessian: node.hessian,
                        lambda: configuration[.leafRegularisation],
                        learningRate: configuration[.learningRate], limit: limit)
                }
            }
            tree.append(entry)
            at += 1
        }
        return TreeUpdate(tree: RegressionTree(nodes: tree), places: places)
    }

    private mutating func makeChildren(of node: Node, _ split: SplitCandidate) {
        nodes[node.place]?.isSplit = true
        windows.split(node.place, feature: split.feature, bin: split.bin)
        let left = Node(
            place: 2 * node.place, gradient: split.leftGradient, hessian: split.leftHessian)
        let right = Node(
            place: 2 * node.place + 1, gradient: node.gradient &- split.leftGradient,
            hessian: node.hessian &- split.leftHessian)
        nodes[left.place] = left
        nodes[right.place] = right
    }

    private mutating func findSplits(of places: [UInt32]) {
        let open = places.filter { finder.canSplit(hessian: nodes[$0]?.hessian ?? 0) }
        let work = open.compactMap { place in
            nodes[place].flatMap { node in histograms[place].map { (node, $0) } }
        }
        var found = [SplitCandidate?](repeating: nil, count: work.count)
        found.withUnsafeMutableBufferPointer { found in
            tasks.run(work.count) { index in
                let (node, cells) = work[index]
                cells.withUnsafeBufferPointer { cells in
                    guard let start = cells.baseAddress else { return }
                    found[index] = bestSplit(of: node, start)
                }
            }
        }
        for (split, (node, _)) in zip(found, work) { nodes[node.place]?.split = split }
    }

    /// The best split of a node that the floors permit.
    ///
    /// The best of all is nearly always permitted, so the floors are held against the winner: where
    /// they forbid it, its feature gives its best permitted one instead, and all compete again.
    private func bestSplit(of node: Node, _ cells: UnsafePointer<Int64>) -> SplitCandidate? {
        func best(_ index: Int, _ permitted: UnsafePointer<UInt8>?) -> SplitCandidate? {
            finder.best(
                feature: layout.features[index], cells: cells + layout.offsets[index],
                gradient: node.gradient, hessian: node.hessian, permitted: permitted)
        }
        var found = layout.features.indices.map { best($0, nil) }
        var isHeld = [Bool](repeating: floors == nil, count: found.count)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * SplitFloors.stride) {
            flags in
            guard let permitted = flags.baseAddress else { return nil }
            while true {
                guard
                    let winner = finder.choose(
                        found, gradient: node.gradient, hessian: node.hessian),
                    let index = layout.features.firstIndex(of: winner.feature)
                else { return nil }
                if isHeld[index] { return winner }
                permit(of: node, index, cells + layout.offsets[index], into: permitted)
                let flag = SplitFloors.flag(
                    of: winner, isCategorical: finder.bins[winner.feature].isCategorical)
                if permitted[flag] == 1 { return winner }
                found[index] = best(index, permitted)
                isHeld[index] = true
            }
        }
    }

    /// Flags the splits of a node on the tree's feature of an index that the floors permit.
    private func permit(
        of node: Node, _ index: Int, _ cells: UnsafePointer<Int64>,
        into permitted: UnsafeMutablePointer<UInt8>
    ) {
        let feature = layout.features[index]
        var reach: BankReach?
        if let marks, let counts = counts[node.place] {
            reach = marks.reach(
                index, least: Int(configuration.contributorsMin), counts: counts,
                window: windows.window(node.place, feature))
        }
        floors?.permit(cells: cells, bins: finder.bins[feature], reach: reach, into: permitted)
    }

    private func featureTotals(_ cells: [Int64]) -> [GradientTotal] {
        zip(layout.offsets, layout.binCounts).map { offset, bins in
            var total = GradientTotal(gradient: 0, hessian: 0)
            for bin in 0..<bins {
                total.gradient &+= cells[offset + 2 * bin]
                total.hessian &+= cells[offset + 2 * bin + 1]
            }
            return total
        }
    }
}

private struct GradientTotal: Equatable {
    var gradient: Int64
    var hessian: Int64
}
