internal import CFedKernels

/// The bank's half of a tree: its rows, dealt to the nodes that the coordinator orders.
struct BankTree: Sendable {
    private static let pieceRows = 16384

    let matrix: BankMatrix
    private let configuration: GradientBoostingConfiguration
    private let tasks: ParallelTasks
    /// Margin of each row, in units of 2^-20.
    private(set) var margins: [Int32]
    private var packed: [Int64]
    /// Sampled rows, those of a node side by side; the others after them.
    private var rows: [UInt32]
    private var scratch: [UInt32]
    private var sampledCount = 0
    /// The stretch of sampled `rows` that each place of the tree holds, and that of the others.
    private var ranges: [UInt32: Range<Int>] = [:]
    private var restRanges: [UInt32: Range<Int>] = [:]
    private(set) var layout = HistogramLayout(features: [], bins: [])
    private var plan: HistogramPlan?

    init(
        matrix: BankMatrix, baseMargin: Int32, configuration: GradientBoostingConfiguration,
        tasks: ParallelTasks
    ) {
        self.matrix = matrix
        self.configuration = configuration
        self.tasks = tasks
        margins = [Int32](repeating: baseMargin, count: matrix.rowCount)
        packed = [Int64](repeating: 0, count: matrix.rowCount)
        rows = [UInt32](repeating: 0, count: matrix.rowCount)
        scratch = [UInt32](repeating: 0, count: 2 * matrix.rowCount)
    }

    /// Starts each row at a margin of its own.
    mutating func start(at margins: [Int32]) {
        precondition(margins.count == matrix.rowCount, "\(margins.count) margins")
        self.margins = margins
    }

    /// Whether histograms are summed, rather than left at zero.
    var sumsHistograms = true

    /// Whether a place was ordered in this tree.
    func holds(place: UInt32) -> Bool { ranges[place] != nil }

    /// Samples rows, computes gradients and sums the root.
    mutating func startTree(_ tree: Int, features: [Int]) -> [Int64] {
        layout = HistogramLayout(features: features, bins: matrix.bins)
        plan = HistogramPlan(bytes: matrix.bytes, layout: layout)
        sampleRows(tree: tree)
        computeGradients()
        ranges = [1: 0..<sampledCount]
        restRanges = [1: sampledCount..<matrix.rowCount]
        var lanes = [Int64](repeating: 0, count: 2 + layout.laneCount)
        lanes[0] = sampledCount > 0 ? 1 : 0
        lanes[1] = Int64(sampledCount)
        sum([0..<sampledCount], into: &lanes, from: 2)
        return lanes
    }

    /// Deals rows to the children of splits and sums the children asked for.
    mutating func split(_ orders: [SplitOrder]) -> [Int64] {
        Self.record(deal(orders, ranges), of: orders, in: &ranges)
        Self.record(deal(orders, restRanges), of: orders, in: &restRanges)
        let summed: [Range<Int>] = orders.compactMap { order in
            switch order.summed {
            case .left: ranges[2 * order.place]
            case .right: ranges[2 * order.place + 1]
            case .none: nil
            }
        }
        let header = 4 * orders.count
        var lanes = [Int64](repeating: 0, count: header + summed.count * layout.laneCount)
        for (index, order) in orders.enumerated() {
            for child in 0..<2 {
                let count = ranges[2 * order.place + UInt32(child)]?.count ?? 0
                lanes[4 * index + 2 * child] = count > 0 ? 1 : 0
                lanes[4 * index + 2 * child + 1] = Int64(count)
            }
        }
        sum(summed, into: &lanes, from: header)
        return lanes
    }

    /// Sums the places asked for.
    func sums(of places: [UInt32]) -> [Int64] {
        var lanes = [Int64](repeating: 0, count: places.count * layout.laneCount)
        sum(places.compactMap { ranges[$0] }, into: &lanes, from: 0)
        return lanes
    }

    /// Moves the margins by a finished tree.
    mutating func apply(_ update: TreeUpdate) {
        var pieces: [MarginMove] = []
        let nodes = update.tree.nodes
        for (node, place) in zip(nodes, update.places) {
            // Rows lie apart by place, but for the children of splits that were never ordered.
            guard node.feature == nil || ranges[2 * place] == nil else { continue }
            for range in [ranges[place], restRanges[place]].compactMap({ $0 }) {
                for at in stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceRows) {
                    let piece = at..<min(at + Self.pieceRows, range.upperBound)
                    pieces.append(MarginMove(node: node, nodes: nodes, rows: piece))
                }
            }
        }
        let (rowCount, bins, codes) = (matrix.rowCount, matrix.bins, matrix.columns)
        margins.withUnsafeMutableBufferPointer { margins in
            rows.withUnsafeBufferPointer { rows in
                codes.withUnsafeBufferPointer { codes in
                    guard let target = margins.baseAddress, let source = rows.baseAddress,
                        let columns = codes.baseAddress
                    else { return }
                    tasks.run(pieces.count) { index in
                        let piece = pieces[index]
                        let start = source + piece.rows.lowerBound
                        guard let feature = piece.node.feature else {
                            fed_margins_add(start, piece.rows.count, piece.node.weight, target)
                            return
                        }
                        let test = BinTest(
                            bin: piece.node.bin, missingLeft: piece.node.missingLeft,
                            isCategorical: bins[feature].isCategorical)
                        fed_margins_split(
                            columns + feature * rowCount, start, piece.rows.count, test.low,
                            test.width, piece.left, piece.right, target)
                    }
                }
            }
        }
        ranges = [:]
        restRanges = [:]
    }

    private mutating func sampleRows(tree: Int) {
        let key = BoostingSample.rowKey(seed: configuration.seed, tree: tree)
        let threshold = BoostingSample.rowThreshold(share: configuration[.rowSample])
        let count = matrix.rowCount
        let pieces = (count + Self.pieceRows - 1) / Self.pieceRows
        var taken = [Int](repeating: 0, count: pieces)
        Self.withRows(&rows, &scratch) { rows, first, second in
            taken.withUnsafeMutableBufferPointer { taken in
                tasks.runRanges(count, size: Self.pieceRows) { range in
                    let at = range.lowerBound
                    taken[at / Self.pieceRows] = fed_sample(
                        matrix.hashes, at, range.count, key, threshold, first + at, second + at)
                }
            }
            let total = taken.reduce(0, +)
            var (left, right) = (0, total)
            for piece in 0..<pieces {
                let at = piece * Self.pieceRows
                let size = min(Self.pieceRows, count - at)
                (rows + left).update(from: first + at, count: taken[piece])
                (rows + right).update(from: second + at, count: size - taken[piece])
                left += taken[piece]
                right += size - taken[piece]
            }
        }
        sampledCount = taken.reduce(0, +)
    }

    private mutating func computeGradients() {
        let weight = configuration[.fraudWeight]
        packed.withUnsafeMutableBufferPointer { packed in
            guard let target = packed.baseAddress else { return }
            margins.withUnsafeBufferPointer { margins in
                matrix.labels.withUnsafeBufferPointer { labels in
                    guard let margin = margins.baseAddress, let label = labels.baseAddress else {
                        return
                    }
                    tasks.runRanges(matrix.rowCount, size: Self.pieceRows) { range in
                        let at = range.lowerBound
                        fed_gradients(
                            margin + at, label + at, range.count,
                            Int32(GradientScale.gradientBits), weight, target + at)
                    }
                }
            }
        }
    }

    private static func record(
        _ middles: [Int], of orders: [SplitOrder], in ranges: inout [UInt32: Range<Int>]
    ) {
        for (index, order) in orders.enumerated() {
            let range = ranges[order.place] ?? 0..<0
            ranges[2 * order.place] = range.lowerBound..<middles[index]
            ranges[2 * order.place + 1] = middles[index]..<range.upperBound
        }
    }

    /// Deals the rows of each split place to its children, keeping their order.
    ///
    /// - Returns: where the right child's rows begin, one an order.
    private mutating func deal(
        _ orders: [SplitOrder], _ ranges: [UInt32: Range<Int>]
    ) -> [Int] {
        var pieces: [(order: Int, range: Range<Int>)] = []
        for (index, order) in orders.enumerated() {
            let range = ranges[order.place] ?? 0..<0
            for at in stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceRows) {
                pieces.append((index, at..<min(at + Self.pieceRows, range.upperBound)))
            }
        }
        let tests = orders.map {
            BinTest(
                bin: $0.bin, missingLeft: $0.missingLeft,
                isCategorical: matrix.bins[$0.feature].isCategorical)
        }
        var taken = [Int](repeating: 0, count: pieces.count)
        var middles = orders.map { ranges[$0.place]?.lowerBound ?? 0 }
        let rowCount = matrix.rowCount
        Self.withRows(&rows, &scratch) { rows, first, second in
            taken.withUnsafeMutableBufferPointer { taken in
                matrix.columns.withUnsafeBufferPointer { columns in
                    guard let codes = columns.baseAddress else { return }
                    tasks.run(pieces.count) { index in
                        let (order, range) = pieces[index]
                        let at = range.lowerBound
                        taken[index] = fed_partition(
                            codes + orders[order].feature * rowCount, rows + at, range.count,
                            tests[order].low, tests[order].width, first + at, second + at)
                    }
                }
            }
            for (index, piece) in pieces.enumerated() { middles[piece.order] += taken[index] }
            let targets = Self.targets(of: pieces, taken: taken, middles: middles)
            tasks.run(pieces.count) { index in
                let range = pieces[index].range
                (rows + targets[index].left).update(
                    from: first + range.lowerBound, count: taken[index])
                (rows + targets[index].right).update(
                    from: second + range.lowerBound, count: range.count - taken[index])
            }
        }
        return middles
    }

    /// Where the left and right rows of each piece go.
    private static func targets(
        of pieces: [(order: Int, range: Range<Int>)], taken: [Int], middles: [Int]
    ) -> [(left: Int, right: Int)] {
        var next = (order: -1, left: 0, right: 0)
        return pieces.indices.map { index in
            let piece = pieces[index]
            if piece.order != next.order {
                next = (piece.order, piece.range.lowerBound, middles[piece.order])
            }
            defer {
                next.left += taken[index]
                next.right += piece.range.count - taken[index]
            }
            return (next.left, next.right)
        }
    }

    /// Adds the histogram of each stretch of rows to `lanes`, one after the other from `offset`.
    private func sum(_ stretches: [Range<Int>], into lanes: inout [Int64], from offset: Int) {
        guard sumsHistograms, let plan, !stretches.isEmpty else { return }
        let width = layout.laneCount
        let share = max(
            4096,
            (stretches.reduce(0) { $0 + $1.count } + tasks.threads - 1)
                / tasks.threads)
        // The first piece of a stretch is summed in place, the others beside and then added.
        var pieces: [(stretch: Int, rows: Range<Int>, spill: Int?)] = []
        var spills = 0
        for (index, rows) in stretches.enumerated() where !rows.isEmpty {
            let count = (rows.count + share - 1) / share
            for part in 0..<count {
                let from = rows.lowerBound + rows.count * part / count
                let to = rows.lowerBound + rows.count * (part + 1) / count
                pieces.append((index, from..<to, part == 0 ? nil : spills))
                if part > 0 { spills += 1 }
            }
        }
        var spilled = [Int64](repeating: 0, count: spills * width)
        let work = pieces
        lanes.withUnsafeMutableBufferPointer { lanes in
            spilled.withUnsafeMutableBufferPointer { spilled in
                tasks.run(work.count) { index in
                    let (stretch, range, spill) = work[index]
                    guard let sums = lanes.baseAddress else { return }
                    let output =
                        spill.flatMap { index in
                            spilled.baseAddress.map { $0 + index * width }
                        } ?? sums + offset + stretch * width
                    sum(rows: range, plan: plan, into: output)
                }
                for piece in work {
                    guard let spill = piece.spill, let start = lanes.baseAddress,
                        let source = spilled.baseAddress
                    else { continue }
                    fed_histogram_lanes_add(
                        start + offset + piece.stretch * width, source + spill * width, width)
                }
            }
        }
    }

    private func sum(
        rows range: Range<Int>, plan: HistogramPlan, into lanes: UnsafeMutablePointer<Int64>
    ) {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: 256 * plan.columns.count) {
            narrow in
            rows.withUnsafeBufferPointer { rows in
                guard let start = rows.baseAddress, let cells = narrow.baseAddress else { return }
                fed_histogram(
                    matrix.matrix, matrix.stride, start + range.lowerBound, range.count, packed,
                    plan.columns, plan.columns.count, plan.members, cells, lanes)
            }
        }
    }

    /// Gives the rows and the two halves of the scratch space as pointers.
    private static func withRows(
        _ rows: inout [UInt32], _ scratch: inout [UInt32],
        _ body: (
            UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>
        ) -> Void
    ) {
        let half = rows.count
        rows.withUnsafeMutableBufferPointer { rows in
            scratch.withUnsafeMutableBufferPointer { scratch in
                guard let rows = rows.baseAddress, let scratch = scratch.baseAddress else { return }
                body(rows, scratch, scratch + half)
            }
        }
    }
}

/// Rows whose margins move by a leaf, or by the two leaves of one split.
private struct MarginMove {
    let node: RegressionTree.Node
    let left: Int32
    let right: Int32
    let rows: Range<Int>

    init(node: RegressionTree.Node, nodes: [RegressionTree.Node], rows: Range<Int>) {
        self.node = node
        self.rows = rows
        left = node.feature == nil ? 0 : nodes[node.left].weight
        right = node.feature == nil ? 0 : nodes[node.left + 1].weight
    }
}
