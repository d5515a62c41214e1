internal import CFedKernels

/// The bank's half of a tree: its rows, dealt to the nodes that the coordinator orders.
struct BankTree: Sendable {
    private static let pieceRows = 16384

    let matrix: BankMatrix
    let configuration: GradientBoostingConfiguration
    let tasks: ParallelTasks
    /// Margin of each row, in units of 2^-20.
    private(set) var margins: [Int32]
    var packed: [Int64]
    /// Sampled rows, those of a node side by side; the others after them.
    var rows: [UInt32]
    private var scratch: [UInt32]
    var sampledCount = 0
    /// The stretch of sampled `rows` that each place of the tree holds, and that of the others.
    var ranges: [UInt32: Range<Int>] = [:]
    var restRanges: [UInt32: Range<Int>] = [:]
    var layout = HistogramLayout(features: [], bins: [])
    var plan: HistogramPlan?
    var marks: ContributorMarks?
    var windows = BinWindows(bins: [])
    /// This bank's own histograms of the nodes whose children may be summed next.
    var histograms: [UInt32: [Int64]] = [:]

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

    /// Whether a place was ordered and not split yet.
    func isLeaf(place: UInt32) -> Bool { holds(place: place) && !holds(place: 2 * place) }

    /// Lanes of a node's marks.
    var markLanes: Int { marks?.laneCount ?? 0 }

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
        histograms = [:]
    }

    mutating func sampleRows(tree: Int) {
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

    mutating func computeGradients() {
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

    static func record(
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
    mutating func deal(
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
