internal import CFedKernels

/// Grows one tree from summed histograms: the coordinator's half of a tree.
///
/// A split stands when both children have the floors' banks and rows. Where the parent's sums prove
/// it (``ContributorMarks``, ``GradientScale/rowsMin(gradient:hessian:fraudWeight:)``) the children
/// are summed at once; else banks and rows are asked for first, beside whatever else is due. So the
/// nodes of a tree need not be on one level, and a step is one masked sum.
struct TreeGrower {
    /// A node whose rows the banks still hold apart.
    private struct Node {
        var place: UInt32
        var gradient: Int64
        var hessian: Int64
        var split: SplitCandidate?
        /// Whether the children's counts have been asked for.
        var isOrdered = false
        /// Whether the split stands.
        var isSplit = false

        /// Splits between the root and this node.
        var depth: Int { UInt32.bitWidth - 1 - place.leadingZeroBitCount }
    }

    private let layout: HistogramLayout
    /// Where banks are counted; nil when the number of banks does not matter.
    private let marks: ContributorMarks?
    private let bankCount: Int
    private let finder: SplitFinder
    private let configuration: GradientBoostingConfiguration
    private let tasks: ParallelTasks
    private var nodes: [UInt32: Node] = [:]
    /// Histograms of the nodes whose children are not summed yet, and banks counted in their parts.
    private var histograms: [UInt32: [Int64]] = [:]
    private var counts: [UInt32: [Int]] = [:]
    private var windows: BinWindows
    /// The step in work.
    private var orders: [SplitOrder] = []
    private var sums: [UInt32] = []

    init(
        layout: HistogramLayout, marks: ContributorMarks?, bankCount: Int, finder: SplitFinder,
        configuration: GradientBoostingConfiguration, tasks: ParallelTasks
    ) {
        self.layout = layout
        self.marks = marks
        self.bankCount = bankCount
        self.finder = finder
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

    /// Takes the sums of a step: banks and rows of children, then histograms and marks.
    mutating func absorbStep(_ lanes: [Int64]) throws(LearningError) {
        var offset = 0
        for order in orders where order.counts {
            confirm(order.place, header: lanes[offset..<offset + 4])
            offset += 4
        }
        var found: [UInt32] = []
        for place in orders.filter(\.sums).map(\.place) + sums {
            let block = lanes[offset..<offset + blockLanes]
            offset += blockLanes
            guard let node = nodes[place], node.isSplit else { continue }
            try absorbChildren(of: place, block)
            found += [2 * place, 2 * place + 1]
        }
        orders = []
        sums = []
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

    /// What to ask next; nil when the tree is finished.
    ///
    /// Splits whose children are leaves, and stand for certain, are made without asking.
    mutating func nextStep() -> (splits: [SplitOrder], sums: [UInt32])? {
        for place in nodes.keys.sorted() {
            guard let node = nodes[place], let split = node.split else { continue }
            if node.isSplit {
                // Confirmed by the step before.
                if node.isOrdered, histograms[place] != nil { sums.append(place) }
                continue
            }
            let isCertain = stands(node, split)
            let isSummed = wantsSums(node, split)
            if isCertain {
                makeChildren(of: node, split)
                guard isSummed else { continue }
            }
            nodes[place]?.isOrdered = true
            orders.append(
                SplitOrder(
                    place: place, feature: split.feature, bin: split.bin,
                    missingLeft: split.missingLeft, counts: !isCertain,
                    sums: isSummed && (isCertain || !configuration.confirmsFirst)))
        }
        return orders.isEmpty && sums.isEmpty ? nil : (orders, sums)
    }

    /// Whether the sums of a node prove that its split meets the floors.
    private func stands(_ node: Node, _ split: SplitCandidate) -> Bool {
        guard configuration.hasChildFloors else { return true }
        var banks = (left: 1, right: 1)
        if let marks {
            guard let counts = counts[node.place] else { return false }
            banks = marks.floor(
                of: split, counts: counts, window: windows.window(node.place, split.feature))
        }
        guard min(banks.left, banks.right) >= configuration.contributorsMin else { return false }
        let least = configuration.childRowsMin
        if min(banks.left, banks.right) >= least { return true }
        guard let cells = histograms[node.place],
            let index = layout.features.firstIndex(of: split.feature)
        else { return false }
        let first = layout.offsets[index]
        let rows = split.rowsFloor(
            cells: cells[first..<first + 2 * layout.binCounts[index]],
            isCategorical: finder.bins[split.feature].isCategorical,
            fraudWeight: configuration[.fraudWeight])
        return max(rows.left, Int64(banks.left)) >= least
            && max(rows.right, Int64(banks.right)) >= least
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

    /// Makes the children of a split, unless too few rows or banks are in one of them.
    private mutating func confirm(_ place: UInt32, header: ArraySlice<Int64>) {
        guard let node = nodes[place], let split = node.split else { return }
        let counts = Array(header)
        guard min(counts[0], counts[2]) >= configuration.contributorsMin,
            min(counts[1], counts[3]) >= configuration.childRowsMin
        else {
            nodes[place]?.split = nil
            return
        }
        makeChildren(of: node, split)
        if !wantsSums(node, split) { histograms[place] = nil }
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
        let width = layout.features.count
        let open = places.filter { finder.canSplit(hessian: nodes[$0]?.hessian ?? 0) }
        let work = open.compactMap { place in
            nodes[place].flatMap { node in histograms[place].map { (node, $0) } }
        }
        var found = [SplitCandidate?](repeating: nil, count: work.count * width)
        found.withUnsafeMutableBufferPointer { found in
            tasks.run(work.count) { index in
                let (node, cells) = work[index]
                cells.withUnsafeBufferPointer { cells in
                    guard let start = cells.baseAddress else { return }
                    for feature in 0..<width {
                        found[index * width + feature] = finder.best(
                            feature: layout.features[feature],
                            cells: start + layout.offsets[feature],
                            gradient: node.gradient, hessian: node.hessian)
                    }
                }
            }
        }
        for (index, (node, _)) in work.enumerated() {
            nodes[node.place]?.split = finder.choose(
                found[index * width..<(index + 1) * width], gradient: node.gradient,
                hessian: node.hessian)
        }
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
