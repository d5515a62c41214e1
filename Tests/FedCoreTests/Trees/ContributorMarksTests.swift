import FedCore
import Testing

@Suite struct ContributorMarksTests {
    /// Random rows of a node at some banks: a bin of each feature, by bank.
    fileprivate struct Node {
        let bins: [FeatureBins]
        var windows: BinWindows
        var place: UInt32 = 1
        /// Bins by bank, row and feature.
        var rows: [[[Int]]]

        init(random: inout SeededRandom) throws {
            var bins: [FeatureBins] = []
            for _ in 0..<3 {
                let edges = Int(random.next() % 60)
                bins.append(
                    try #require(
                        FeatureBins(mapping: .edges((0..<edges).map(Double.init)), missingBin: 0)))
            }
            bins.append(try #require(FeatureBins(mapping: .levels([1, 2, 3, 4]), missingBin: 0)))
            self.bins = bins
            windows = BinWindows(bins: bins)
            let banks = 2 + Int(random.next() % 5)
            let most = 1 + Int(random.next() % 40)
            rows = (0..<banks).map { _ in
                (0..<Int(random.next() % UInt64(most))).map { _ in
                    bins.map { bins in
                        let share = random.unit() * random.unit()
                        return random.unit() < 0.1
                            ? 0 : 1 + min(Int(share * Double(bins.count)), bins.count - 2)
                    }
                }
            }
        }

        func goesLeft(_ row: [Int], _ split: SplitCandidate) -> Bool {
            let bin = row[split.feature]
            if bins[split.feature].isCategorical { return bin == Int(split.bin) }
            return bin == 0 ? split.missingLeft : bin <= Int(split.bin)
        }

        func split(_ split: SplitCandidate) -> (left: [[[Int]]], right: [[[Int]]]) {
            (
                rows.map { $0.filter { goesLeft($0, split) } },
                rows.map { $0.filter { !goesLeft($0, split) } }
            )
        }

        /// All splits that a histogram can offer.
        var splits: [SplitCandidate] {
            bins.enumerated().flatMap { feature, bins in
                (0..<bins.count).flatMap { bin in
                    (bins.isCategorical ? [bin == 0] : [false, true]).map {
                        SplitCandidate(
                            feature: feature, bin: UInt8(bin), missingLeft: $0, gain: 0)
                    }
                }
            }
        }
    }

    private func cells(_ rows: [[Int]], _ layout: HistogramLayout) -> [Int64] {
        var cells = [Int64](repeating: 0, count: layout.laneCount)
        for row in rows {
            for (index, feature) in layout.features.enumerated() {
                cells[layout.offsets[index] + 2 * row[feature]] -= 3
                cells[layout.offsets[index] + 2 * row[feature] + 1] += 1
            }
        }
        return cells
    }

    private func marked(
        _ marks: ContributorMarks, _ layout: HistogramLayout, _ cells: [Int64],
        less sibling: [Int64]? = nil, _ node: Node, place: UInt32
    ) -> [Int64] {
        var lanes = [Int64](repeating: 0, count: marks.laneCount)
        func write(_ other: UnsafePointer<Int64>?) {
            marks.mark(
                cells: cells, less: other, layout: layout,
                window: { node.windows.window(place, $0) }, into: &lanes)
        }
        if let sibling {
            sibling.withUnsafeBufferPointer { write($0.baseAddress) }
        } else {
            write(nil)
        }
        return lanes
    }

    @Test func `bounds of contributing banks are never above the exact numbers`() throws {
        var tight = 0
        var loose = 0
        for seed: UInt64 in 1...150 {
            var random = SeededRandom(seed: seed)
            var node = try Node(random: &random)
            let features = Array(node.bins.indices)
            let layout = HistogramLayout(features: features, bins: node.bins)
            let marks = ContributorMarks(features: features, bins: node.bins)
            for _ in 0..<4 {
                var sums = [Int64](repeating: 0, count: marks.laneCount)
                for rows in node.rows {
                    let own = marked(
                        marks, layout, cells(rows, layout), node, place: node.place)
                    for lane in sums.indices { sums[lane] += own[lane] }
                }
                let counts = try marks.counts(sums[...], banks: node.rows.count)
                for split in node.splits {
                    let bound = marks.floor(
                        of: split, counts: counts,
                        window: node.windows.window(node.place, split.feature))
                    let (left, right) = node.split(split)
                    let exact = (
                        left: left.count { !$0.isEmpty }, right: right.count { !$0.isEmpty }
                    )
                    #expect(bound.left <= exact.left, "seed \(seed), \(split)")
                    #expect(bound.right <= exact.right, "seed \(seed), \(split)")
                    if bound == exact { tight += 1 } else { loose += 1 }
                }
                // Follow one split down; the sibling's marks are those of a subtraction.
                let way = node.splits[Int(random.next() % UInt64(node.splits.count))]
                let (left, right) = node.split(way)
                node.windows.split(node.place, feature: way.feature, bin: way.bin)
                for (bank, rows) in right.enumerated() {
                    #expect(
                        marked(
                            marks, layout, cells(node.rows[bank], layout),
                            less: cells(left[bank], layout), node, place: 2 * node.place + 1)
                            == marked(
                                marks, layout, cells(rows, layout), node,
                                place: 2 * node.place + 1), "seed \(seed), bank \(bank)")
                }
                let goesLeft = random.next().isMultiple(of: 2)
                node.rows = goesLeft ? left : right
                node.place = 2 * node.place + (goesLeft ? 0 : 1)
            }
        }
        // Bounds that are of use: mostly the exact number.
        #expect(tight > 4 * loose)
    }

    @Test func `counts above the number of banks are refused`() throws {
        let bins = [try #require(FeatureBins(mapping: .edges([1, 2]), missingBin: 0))]
        let marks = ContributorMarks(features: [0], bins: bins)
        let most = Int64(5) << 16 | 5
        #expect(
            try marks.counts([most, 0, most][...], banks: 5).prefix(6) == [5, 5, 0, 0, 5, 5])
        for wrong in [most + 1, most + 1 << 16, -1] {
            #expect(throws: LearningError.self) { try marks.counts([wrong][...], banks: 5) }
        }
    }

    @Test func `no sum of gradients and hessians needs fewer rows than its bound`() {
        for seed: UInt64 in 1...300 {
            var random = SeededRandom(seed: seed)
            let weight = [0.01, 1, 3.7, 500][Int(seed % 4)]
            let rows = 1 + Int64(random.next() % 30)
            var sum = (gradient: Int64(0), hessian: Int64(0))
            let bias = (random.unit() - 0.5) * 20
            for _ in 0..<rows {
                let margin = Int32((bias + random.unit() * 2) * 1_048_576)
                let label: UInt8 = random.unit() < 0.5 ? 1 : 0
                let pair = GradientScale.gradient(
                    margin: margin, label: label, fraudWeight: weight)
                sum.gradient += pair.gradient
                sum.hessian += pair.hessian
            }
            let bound = GradientScale.rowsMin(
                gradient: sum.gradient, hessian: sum.hessian, fraudWeight: weight)
            #expect(bound <= rows, "seed \(seed)")
        }
        let even = GradientScale.gradient(margin: 0, label: 1, fraudWeight: 1)
        #expect(
            GradientScale.rowsMin(
                gradient: 8 * even.gradient, hessian: 8 * even.hessian, fraudWeight: 1) == 8)
    }

    @Test func `the rows of a split's children are bounded by its bins together`() throws {
        var tight = 0
        for seed: UInt64 in 1...120 {
            var random = SeededRandom(seed: seed)
            let weight = [1, 40.0][Int(seed % 2)]
            let node = try Node(random: &random)
            let rows = node.rows.flatMap { $0 }
            for split in node.splits where Int(split.bin) + (split.missingLeft ? 1 : 0) > 0 {
                let bins = node.bins[split.feature]
                var cells = [Int64](repeating: 0, count: 2 * bins.count)
                for row in rows {
                    let pair = GradientScale.gradient(
                        margin: Int32(random.next() % 8_000_000) - 7_000_000,
                        label: random.unit() < 0.2 ? 1 : 0, fraudWeight: weight)
                    cells[2 * row[split.feature]] += pair.gradient
                    cells[2 * row[split.feature] + 1] += pair.hessian
                }
                let floor = split.rowsFloor(
                    cells: cells[...], isCategorical: bins.isCategorical, fraudWeight: weight)
                let left = rows.filter { node.goesLeft($0, split) }
                let right = rows.filter { !node.goesLeft($0, split) }
                #expect(floor.left <= left.count && floor.right <= right.count, "seed \(seed)")
                #expect(floor.left >= Set(left.map { $0[split.feature] }).count, "seed \(seed)")
                #expect(floor.right >= Set(right.map { $0[split.feature] }).count, "seed \(seed)")
                if floor.left == left.count { tight += 1 }
            }
        }
        #expect(tight > 100)
    }

    /// What a step asks of one node.
    private struct Order {
        let place: UInt32
        let split: SplitCandidate
        let counts: Bool
        let sums: Bool
    }

    private func step(_ body: [UInt8]) throws -> (orders: [Order], sums: [UInt32])? {
        var reader = ByteReader(body)
        _ = try reader.read(UInt32.self)
        guard try reader.read(UInt8.self) > 0 else { return nil }
        let orders = try reader.readEach { reader throws(DecodingFailure) in
            Order(
                place: try reader.read(UInt32.self),
                split: SplitCandidate(
                    feature: Int(try reader.read(UInt16.self)), bin: try reader.read(UInt8.self),
                    missingLeft: try reader.read(UInt8.self) == 1, gain: 0),
                counts: try reader.read(UInt8.self) == 1, sums: try reader.read(UInt8.self) == 1)
        }
        let sums = try reader.readEach { reader throws(DecodingFailure) in
            try reader.read(UInt32.self)
        }
        try reader.finish()
        return (orders, sums)
    }

    @Test func `no histogram is asked of a child below the floors`() throws {
        let floors = (banks: 3, rows: 12)
        var seen = (certain: 0, doubtful: 0, refused: 0)
        for seed: UInt64 in 1...4 {
            let table = try TreeTable(rows: 900, seed: seed, fraudShare: 0.25)
            let configuration = try quickConfiguration([
                .contributorsMin: Double(floors.banks), .childRowsMin: Double(floors.rows),
                .rowSample: 1, .depthMax: 5,
            ])
            let banks = table.dealt(banks: 6, seed: seed)
            var joint = try JointBoostingLearner(
                schema: table.schema, configuration: configuration, bankCount: 6)
            var locals = try banks.map {
                try LocalBoostingLearner(
                    fit: $0, schema: table.schema, configuration: configuration)
            }
            var steps: [(orders: [Order], sums: [UInt32])?] = []
            var document: ModelDocument?
            while document == nil {
                switch try joint.next() {
                case .finished(let model): document = model
                case .query(let query):
                    if query.kind == "tree.step" { steps.append(try step(query.body)) }
                    let answers = try locals.indices.map {
                        try locals[$0].answer(query, contributors: 6)
                    }
                    try joint.absorb(EncodedVector.plainSum(answers))
                }
            }
            let model = try GradientBoostingModel(document: #require(document))
            let codes = banks.map { bank in
                (0..<bank.rowCount).map { row in
                    model.bins.indices.map { Int(model.bins[$0].bin(of: bank.columns[$0][row])) }
                }
            }
            var nodes: [UInt32: [[[Int]]]] = [:]
            func isBelow(_ place: UInt32) -> Bool {
                let rows = nodes[place] ?? []
                return rows.count { !$0.isEmpty } < floors.banks
                    || rows.reduce(0) { $0 + $1.count } < floors.rows
            }
            for step in steps {
                guard let step else {
                    nodes = [1: codes]
                    continue
                }
                for order in step.orders {
                    var node = try Node(bins: model.bins, rows: #require(nodes[order.place]))
                    node.place = order.place
                    let (left, right) = node.split(order.split)
                    nodes[2 * order.place] = left
                    nodes[2 * order.place + 1] = right
                    #expect(order.counts != order.sums)
                    let isRefused = isBelow(2 * order.place) || isBelow(2 * order.place + 1)
                    #expect(order.counts || !isRefused, "seed \(seed), place \(order.place)")
                    if order.sums { seen.certain += 1 } else { seen.doubtful += 1 }
                    if isRefused { seen.refused += 1 }
                }
                for place in step.sums {
                    #expect(
                        !isBelow(2 * place) && !isBelow(2 * place + 1),
                        "seed \(seed), place \(place)")
                }
            }
        }
        #expect(seen.certain > 20 && seen.doubtful > 20 && seen.refused > 5, "\(seen)")
    }
}

extension ContributorMarksTests.Node {
    fileprivate init(bins: [FeatureBins], rows: [[[Int]]]) {
        self.bins = bins
        self.rows = rows
        windows = BinWindows(bins: bins)
    }
}
