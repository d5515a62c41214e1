internal import CFedKernels

/// Grows one tree level by level from summed histograms: the coordinator's half of a tree.
struct TreeGrower {
    /// A node whose rows the banks still hold apart.
    private struct Node {
        var place: UInt32
        var gradient: Int64
        var hessian: Int64
        var rows: Int64
        /// Bins of each feature that the way from the root still allows.
        var window: [Int: ClosedRange<Int>] = [:]
        var split: SplitCandidate?
        /// Places of the children once the split is confirmed.
        var isSplit = false
    }

    private let layout: HistogramLayout
    private let finder: SplitFinder
    private let configuration: GradientBoostingConfiguration
    /// Rows of every bin of every feature, of the whole training set.
    private let binRows: [[Int64]]
    private let tasks: ParallelTasks
    private var nodes: [UInt32: Node] = [:]
    /// Histograms of the nodes of the level last summed.
    private var histograms: [UInt32: [Int64]] = [:]
    private var level = 0
    private var orders: [SplitOrder] = []

    init(
        layout: HistogramLayout, finder: SplitFinder, binRows: [[Int64]],
        configuration: GradientBoostingConfiguration, tasks: ParallelTasks
    ) {
        self.layout = layout
        self.finder = finder
        self.binRows = binRows
        self.configuration = configuration
        self.tasks = tasks
    }

    /// Takes the root's sums.
    mutating func absorbRoot(_ lanes: ArraySlice<Int64>) throws(LearningError) {
        let cells = Array(lanes.dropFirst(2))
        let totals = featureTotals(cells)
        guard let total = totals.first, totals.allSatisfy({ $0 == total }), total.hessian >= 0
        else {
            throw .numericalFailure(reason: "features disagree on the sum of gradients")
        }
        nodes[1] = Node(
            place: 1, gradient: total.gradient, hessian: total.hessian,
            rows: lanes[lanes.startIndex + 1])
        histograms[1] = cells
        findSplits(of: [1])
    }

    /// Takes banks and rows of the children of the splits last ordered, and their sums behind them.
    mutating func absorbChildren(_ lanes: ArraySlice<Int64>) {
        let summed = orders
        let accepted = confirmChildren(lanes.prefix(4 * orders.count))
        absorbSums(lanes.dropFirst(4 * orders.count), summed: summed, accepted: accepted)
    }

    /// Takes banks and rows of the children of the splits last ordered.
    ///
    /// - Returns: the places of the splits that stand.
    mutating func confirmChildren(_ header: ArraySlice<Int64>) -> Set<UInt32> {
        var accepted: Set<UInt32> = []
        for (index, order) in orders.enumerated() {
            let from = header.startIndex + 4 * index
            if confirm(order, header: header[from..<from + 4]) { accepted.insert(order.place) }
        }
        return accepted
    }

    /// The children to sum after ``confirmChildren(_:)``: of each accepted split the one of fewer
    /// rows, unless neither can be split again.
    mutating func sumOrders(accepted: Set<UInt32>) -> [UInt32] {
        orders = orders.filter { accepted.contains($0.place) }.map { order in
            var order = order
            guard level + 1 < configuration.depthMax, let left = nodes[2 * order.place],
                let right = nodes[2 * order.place + 1],
                finder.canSplit(hessian: left.hessian) || finder.canSplit(hessian: right.hessian)
            else {
                order.summed = .none
                return order
            }
            order.summed = left.rows <= right.rows ? .left : .right
            return order
        }
        return orders.compactMap { order in
            switch order.summed {
            case .left: 2 * order.place
            case .right: 2 * order.place + 1
            case .none: nil
            }
        }
    }

    /// Takes the sums of the children asked for by ``sumOrders(accepted:)``.
    mutating func absorbSums(_ lanes: ArraySlice<Int64>) {
        absorbSums(lanes, summed: orders, accepted: Set(orders.map(\.place)))
    }

    private mutating func absorbSums(
        _ lanes: ArraySlice<Int64>, summed: [SplitOrder], accepted: Set<UInt32>
    ) {
        var offset = lanes.startIndex
        var next: [UInt32: [Int64]] = [:]
        for order in summed where order.summed != .none {
            let range = offset..<offset + layout.laneCount
            offset = range.upperBound
            guard accepted.contains(order.place), let parent = histograms[order.place] else {
                continue
            }
            let child = Array(lanes[range])
            let sibling = [Int64](unsafeUninitializedCapacity: child.count) { buffer, count in
                if let start = buffer.baseAddress {
                    fed_lanes_subtract(parent, child, start, child.count)
                }
                count = child.count
            }
            next[2 * order.place] = order.summed == .left ? child : sibling
            next[2 * order.place + 1] = order.summed == .left ? sibling : child
        }
        histograms = next
        level += 1
        findSplits(of: next.keys.sorted())
    }

    /// The splits to order next; none when the tree is finished.
    mutating func nextOrders() -> [SplitOrder] {
        orders = nodes.keys.sorted().compactMap { place in
            guard let node = nodes[place], !node.isSplit, let split = node.split else { return nil }
            return SplitOrder(
                place: place, feature: split.feature, bin: split.bin,
                missingLeft: split.missingLeft, summed: summedChild(of: node, split: split))
        }
        return orders
    }

    /// Makes the children of the last splits without asking: for trainings without floors.
    mutating func confirmAll() {
        for order in orders {
            let floors = [Int64](repeating: .max, count: 4)
            _ = confirm(order, header: floors[...])
        }
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
    private mutating func confirm(_ order: SplitOrder, header: ArraySlice<Int64>) -> Bool {
        guard var node = nodes[order.place], let split = node.split else { return false }
        let counts = Array(header)
        guard min(counts[0], counts[2]) >= configuration.contributorsMin,
            min(counts[1], counts[3]) >= configuration.childRowsMin
        else {
            node.split = nil
            nodes[order.place] = node
            return false
        }
        node.isSplit = true
        nodes[order.place] = node
        var left = Node(
            place: 2 * order.place, gradient: split.leftGradient, hessian: split.leftHessian,
            rows: counts[1], window: node.window)
        var right = Node(
            place: 2 * order.place + 1, gradient: node.gradient &- split.leftGradient,
            hessian: node.hessian &- split.leftHessian, rows: counts[3], window: node.window)
        if !finder.bins[split.feature].isCategorical {
            let window = node.window[split.feature] ?? 1...max(1, binRows[split.feature].count - 1)
            let cut = max(window.lowerBound, min(Int(split.bin), window.upperBound))
            left.window[split.feature] = window.lowerBound...cut
            right.window[split.feature] = min(cut + 1, window.upperBound)...window.upperBound
        }
        nodes[left.place] = left
        nodes[right.place] = right
        return true
    }

    /// The child expected to have fewer rows, or none when no child can be split again.
    ///
    /// Rows are estimated by those of the bins on either side. The choice changes the work of banks, never the tree.
    private func summedChild(of node: Node, split: SplitCandidate) -> SummedChild {
        guard level + 1 < configuration.depthMax else { return .none }
        guard
            finder.canSplit(hessian: split.leftHessian)
                || finder.canSplit(hessian: node.hessian &- split.leftHessian)
        else { return .none }
        let rows = binRows[split.feature]
        let missing = rows[0]
        if finder.bins[split.feature].isCategorical {
            return 2 * rows[Int(split.bin)] <= rows.reduce(0, +) ? .left : .right
        }
        let window = node.window[split.feature] ?? 1...max(1, rows.count - 1)
        let bin = Int(split.bin)
        var left: Int64 = split.missingLeft ? missing : 0
        var right: Int64 = split.missingLeft ? 0 : missing
        for index in window where index < rows.count {
            if index <= bin { left += rows[index] } else { right += rows[index] }
        }
        return left <= right ? .left : .right
    }

    private mutating func findSplits(of places: [UInt32]) {
        guard level < configuration.depthMax else { return }
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
