internal import CFedKernels

// What a bank sums: histograms of nodes, and marks of where it has rows.
extension BankTree {
    /// Samples rows, computes gradients and sums the root.
    ///
    /// - Parameter ringBits: width of the answer's lanes.
    mutating func startTree(_ tree: Int, start: TreeStart, ringBits: Int) -> [Int64] {
        let features = start.features
        layout = HistogramLayout(features: features, bins: matrix.bins)
        plan = HistogramPlan(bytes: matrix.bytes, layout: layout)
        marks = ContributorMarks(start, bins: matrix.bins, ringBits: ringBits)
        windows = BinWindows(bins: matrix.bins)
        sampleRows(tree: tree)
        computeGradients()
        ranges = [1: 0..<sampledCount]
        restRanges = [1: sampledCount..<matrix.rowCount]
        histograms = [:]
        var lanes = [Int64](repeating: 0, count: layout.laneCount + markLanes)
        guard sumsHistograms else { return lanes }
        sum([0..<sampledCount], into: &lanes)
        if configuration.depthMax > 1 { histograms[1] = Array(lanes.prefix(layout.laneCount)) }
        lanes.withUnsafeMutableBufferPointer { lanes in
            guard let start = lanes.baseAddress else { return }
            mark(1, cells: start, less: nil, into: start + layout.laneCount)
        }
        return lanes
    }

    /// Deals rows to the children of splits, and sums these.
    mutating func answer(_ query: TreeStepQuery) -> [Int64] {
        Self.record(deal(query.splits, ranges), of: query.splits, in: &ranges)
        Self.record(deal(query.splits, restRanges), of: query.splits, in: &restRanges)
        var lanes = [Int64](
            repeating: 0,
            count: query.laneCount(histogram: layout.laneCount, marks: markLanes))
        for order in query.splits {
            windows.split(order.place, feature: order.feature, bin: order.bin)
        }
        if sumsHistograms { sumChildren(of: query.splits.map(\.place), into: &lanes) }
        return lanes
    }

    /// Sums the children of nodes: of each the one of fewer rows, the other by subtraction from
    /// this bank's own histogram of the parent; or both after a restart, when that is not there.
    private mutating func sumChildren(
        of places: [UInt32], into lanes: inout [Int64]
    ) {
        var direct: [UInt32] = []
        for place in places {
            let (left, right) = (2 * place, 2 * place + 1)
            if histograms[place] == nil {
                direct += [left, right]
            } else {
                let isLeft = (ranges[left]?.count ?? 0) <= (ranges[right]?.count ?? 0)
                direct.append(isLeft ? left : right)
            }
        }
        let width = layout.laneCount
        var own = [Int64](repeating: 0, count: direct.count * width)
        sum(direct.map { ranges[$0] ?? 0..<0 }, into: &own)
        var next = 0
        own.withUnsafeBufferPointer { own in
            lanes.withUnsafeMutableBufferPointer { lanes in
                guard let own = own.baseAddress, let lanes = lanes.baseAddress else { return }
                for (index, place) in places.enumerated() {
                    let block = lanes + index * (width + 2 * markLanes)
                    let first = own + next * width
                    if let parent = histograms.removeValue(forKey: place) {
                        let isLeft = direct[next].isMultiple(of: 2)
                        take(place, parent, child: first, isLeft: isLeft, into: block)
                        next += 1
                    } else {
                        take(place, left: first, right: first + width, into: block)
                        next += 2
                    }
                }
            }
        }
    }

    /// Writes a node's block of lanes from its histogram and that of one child.
    private mutating func take(
        _ place: UInt32, _ parent: [Int64], child: UnsafePointer<Int64>, isLeft: Bool,
        into block: UnsafeMutablePointer<Int64>
    ) {
        let width = layout.laneCount
        let (left, right) = (2 * place, 2 * place + 1)
        let rightMarks = block + width + markLanes
        if isLeft {
            block.update(from: child, count: width)
            parent.withUnsafeBufferPointer { parent in
                guard let cells = parent.baseAddress else { return }
                mark(right, cells: cells, less: child, into: rightMarks)
            }
        } else {
            fed_lanes_subtract(parent, child, block, width)
            mark(right, cells: child, less: nil, into: rightMarks)
        }
        mark(left, cells: block, less: nil, into: block + width)
        guard mayBeSplitAgain(place) else { return }
        histograms[left] = Array(UnsafeBufferPointer(start: block, count: width))
        histograms[right] =
            isLeft
            ? [Int64](unsafeUninitializedCapacity: width) { buffer, count in
                if let start = buffer.baseAddress {
                    fed_lanes_subtract(parent, child, start, width)
                }
                count = width
            } : Array(UnsafeBufferPointer(start: child, count: width))
    }

    /// Writes a node's block of lanes from the histograms of both children.
    private mutating func take(
        _ place: UInt32, left: UnsafePointer<Int64>, right: UnsafePointer<Int64>,
        into block: UnsafeMutablePointer<Int64>
    ) {
        let width = layout.laneCount
        block.update(from: left, count: width)
        mark(2 * place, cells: left, less: nil, into: block + width)
        mark(2 * place + 1, cells: right, less: nil, into: block + width + markLanes)
        guard mayBeSplitAgain(place) else { return }
        histograms[2 * place] = Array(UnsafeBufferPointer(start: left, count: width))
        histograms[2 * place + 1] = Array(UnsafeBufferPointer(start: right, count: width))
    }

    /// Whether the children of a node's children may be summed.
    private func mayBeSplitAgain(_ place: UInt32) -> Bool {
        (4 * place) >> UInt32(configuration.depthMax) == 0
    }

    private func mark(
        _ place: UInt32, cells: UnsafePointer<Int64>, less sibling: UnsafePointer<Int64>?,
        into lanes: UnsafeMutablePointer<Int64>
    ) {
        marks?.mark(
            cells: cells, less: sibling, layout: layout,
            window: { windows.window(place, $0) }, into: lanes)
    }

    /// Adds the histogram of each stretch of rows to `lanes`, one after the other.
    private func sum(_ stretches: [Range<Int>], into lanes: inout [Int64]) {
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
                        } ?? sums + stretch * width
                    sum(rows: range, plan: plan, into: output)
                }
                for piece in work {
                    guard let spill = piece.spill, let start = lanes.baseAddress,
                        let source = spilled.baseAddress
                    else { continue }
                    fed_histogram_lanes_add(
                        start + piece.stretch * width, source + spill * width, width)
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
}
