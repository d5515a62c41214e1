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

    /// The splits that the counters prove to leave `least` banks on either side.
    private func proven(
        _ node: Node, _ marks: ContributorMarks, counts: [Int], least: Int
    ) throws -> [SplitCandidate] {
        let floors = try #require(
            SplitFloors(
                quickConfiguration([.contributorsMin: Double(least), .childRowsMin: 1])))
        return node.splits.filter { split in
            let bins = node.bins[split.feature]
            let reach = marks.reach(
                split.feature, least: least, counts: counts,
                window: node.windows.window(node.place, split.feature))
            var flags = [UInt8](repeating: 0, count: 2 * SplitFloors.stride)
            let cells = [Int64](repeating: 0, count: 2 * bins.count)
            floors.permit(cells: cells, bins: bins, reach: reach, into: &flags)
            return flags[SplitFloors.flag(of: split, isCategorical: bins.isCategorical)] == 1
        }
    }

    @Test func `a split that the counters permit has its banks, and few others have`() throws {
        var seen = (permitted: 0, overlooked: 0)
        for seed: UInt64 in 1...150 {
            var random = SeededRandom(seed: seed)
            var node = try Node(random: &random)
            let features = Array(node.bins.indices)
            let layout = HistogramLayout(features: features, bins: node.bins)
            let banks = node.rows.count
            let marks = ContributorMarks(
                features: features, bins: node.bins, bits: ContributorMarks.bits(banks: banks),
                ringBits: [40, 48, 64][Int(seed % 3)])
            for _ in 0..<4 {
                var sums = [Int64](repeating: 0, count: marks.laneCount)
                for rows in node.rows {
                    let own = marked(
                        marks, layout, cells(rows, layout), node, place: node.place)
                    for lane in sums.indices { sums[lane] += own[lane] }
                }
                let counts = try marks.counts(sums[...], banks: banks)
                for least in 2...banks {
                    let permitted = try proven(node, marks, counts: counts, least: least)
                    for split in node.splits {
                        let (left, right) = node.split(split)
                        let exact = min(
                            left.count { !$0.isEmpty }, right.count { !$0.isEmpty })
                        let isPermitted = permitted.contains(split)
                        #expect(!isPermitted || exact >= least, "seed \(seed), \(split)")
                        if isPermitted { seen.permitted += 1 }
                        if !isPermitted, exact >= least { seen.overlooked += 1 }
                    }
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
        #expect(seen.permitted > 1000 && seen.permitted > 10 * seen.overlooked, "\(seen)")
    }

    @Test func `counts above the number of banks are refused`() throws {
        let bins = [try #require(FeatureBins(mapping: .edges([1, 2]), missingBin: 0))]
        // Four counters of the two widths below three bins, and those of missing and of all values.
        let marks = ContributorMarks(features: [0], bins: bins, bits: 3, ringBits: 14)
        #expect(marks.counterCount == 6 && marks.laneCount == 2)
        let most = Int64(0b101_101_101_101)
        #expect(try marks.counts([most, 0b000_101][...], banks: 5) == [5, 5, 5, 5, 5, 0])
        for wrong in [most + 1, most + 0b001_000, most | 1 << 12, -1] {
            #expect(throws: LearningError.self) { try marks.counts([wrong, 0][...], banks: 5) }
        }
        #expect(throws: LearningError.self) { try marks.counts([most, 1 << 6][...], banks: 5) }
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

    @Test func `a split that the sums permit has its rows`() throws {
        var seen = (permitted: 0, overlooked: 0)
        for seed: UInt64 in 1...120 {
            var random = SeededRandom(seed: seed)
            let weight = [1, 40.0][Int(seed % 2)]
            let least = 1 + Int(random.next() % 12)
            let floors = SplitFloors(
                try quickConfiguration([
                    .contributorsMin: 1, .childRowsMin: Double(least), .fraudWeight: weight,
                ]))
            let node = try Node(random: &random)
            let rows = node.rows.flatMap { $0 }
            for (feature, bins) in node.bins.enumerated() {
                var cells = [Int64](repeating: 0, count: 2 * bins.count)
                for row in rows {
                    let pair = GradientScale.gradient(
                        margin: Int32(random.next() % 8_000_000) - 7_000_000,
                        label: random.unit() < 0.2 ? 1 : 0, fraudWeight: weight)
                    cells[2 * row[feature]] += pair.gradient
                    cells[2 * row[feature] + 1] += pair.hessian
                }
                var flags = [UInt8](repeating: 1, count: 2 * SplitFloors.stride)
                floors?.permit(cells: cells, bins: bins, reach: nil, into: &flags)
                #expect((floors == nil) == (least == 1))
                for split in node.splits where split.feature == feature {
                    let end = Int(split.bin)
                    // A cut behind the last bin divides nothing.
                    guard bins.isCategorical || end < bins.count - 1, floors != nil else {
                        continue
                    }
                    let flag = SplitFloors.flag(of: split, isCategorical: bins.isCategorical)
                    let isPermitted = flags[flag] == 1
                    let left = rows.filter { node.goesLeft($0, split) }
                    let right = rows.filter { !node.goesLeft($0, split) }
                    #expect(
                        !isPermitted || min(left.count, right.count) >= least, "seed \(seed)")
                    // Every bin that has rows proves one.
                    let certain = min(
                        Set(left.map { $0[feature] }).count, Set(right.map { $0[feature] }).count)
                    #expect(isPermitted || certain < least, "seed \(seed), \(split)")
                    if isPermitted { seen.permitted += 1 } else { seen.overlooked += 1 }
                }
            }
        }
        #expect(seen.permitted > 1000 && seen.overlooked > 1000, "\(seen)")
    }

    @Test func `both children of every split have the floors' banks and rows`() throws {
        let floors = (banks: 3, rows: 12)
        var seen = (split: 0, leaves: 0, steps: 0)
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
            var document: ModelDocument?
            while document == nil {
                switch try joint.next() {
                case .finished(let model): document = model
                case .query(let query):
                    if query.kind == "tree.step" { seen.steps += 1 }
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
            for tree in model.trees {
                var open = [(node: 0, rows: codes)]
                while let (index, rows) = open.popLast() {
                    let node = tree.nodes[index]
                    guard let feature = node.feature else { continue }
                    let held = Node(bins: model.bins, rows: rows)
                    let (left, right) = held.split(
                        SplitCandidate(
                            feature: feature, bin: node.bin, missingLeft: node.missingLeft,
                            gain: 0))
                    for child in [left, right] {
                        #expect(child.count { !$0.isEmpty } >= floors.banks, "seed \(seed)")
                        #expect(
                            child.reduce(0) { $0 + $1.count } >= floors.rows, "seed \(seed)")
                    }
                    seen.split += 1
                    if tree.nodes[node.left].feature == nil { seen.leaves += 1 }
                    open += [(node.left, left), (node.left + 1, right)]
                }
                #expect(tree.depth <= 5)
            }
            // A sum a level, and none for leaves.
            #expect(seen.steps <= Int(seed) * 5 * model.trees.count, "seed \(seed)")
        }
        #expect(seen.split > 60 && seen.leaves > 20, "\(seen)")
    }
}

extension ContributorMarksTests.Node {
    fileprivate init(bins: [FeatureBins], rows: [[[Int]]]) {
        self.bins = bins
        self.rows = rows
        windows = BinWindows(bins: bins)
    }
}
