internal import CFedKernels

/// A bank's side of joint tree training: answers queries from its own rows.
///
/// All that leaves it are integers to be summed: counts, 0/1 lanes, and sums of gradients and
/// hessians. Queries must come in the order of a training; any other is refused and changes
/// nothing. The state is a function of the dataset and the queries answered, so a restarted bank
/// catches up by ``replay(_:)`` of the logged queries.
public struct LocalBoostingLearner: LocalLearner {
    /// What is settled about the bins, in this order.
    private enum Binning: Equatable {
        case nothing, counted, refined
        case proposed([FeatureBins])
        case chosen
    }

    private let schema: TreeSchema
    private let configuration: GradientBoostingConfiguration
    private let tasks: ParallelTasks
    private let grids: [BinGrid]
    private var fit: Dataset?
    private var valid: Dataset?
    /// Where each row's margin starts, when trees are grown on top of another score.
    private let starts: StartMargins?
    private var tree: BankTree?
    private var validation: ValidationRows?
    /// The tree in work, or the number of finished ones between two trees.
    private var treeIndex = 0
    /// The step answered last of the tree in work; -1 between two trees.
    private var step = -1
    private var binning = Binning.nothing

    /// Takes a bank's rows.
    ///
    /// - Parameters:
    ///   - fit: the rows to learn from.
    ///   - valid: rows for early stopping, or nil to contribute none.
    /// - Throws: ``LearningError/unusableData(reason:)`` when columns do not fit the schema.
    public init(
        fit: Dataset, valid: Dataset? = nil, schema: TreeSchema,
        configuration: GradientBoostingConfiguration, threads: Int = 1
    ) throws(LearningError) {
        try self.init(
            fit: fit, valid: valid, starts: nil, schema: schema, configuration: configuration,
            threads: threads)
    }

    /// Takes rows whose margins start at another model's, instead of at the base margin.
    init(
        fit: Dataset, valid: Dataset?, starts: StartMargins?, schema: TreeSchema,
        configuration: GradientBoostingConfiguration, threads: Int
    ) throws(LearningError) {
        try schema.check(fit)
        if let valid { try schema.check(valid) }
        self.schema = schema
        self.configuration = configuration
        tasks = ParallelTasks(threads: threads)
        grids = BinPlanner.grids(schema, configuration)
        self.fit = fit
        self.valid = valid
        self.starts = starts
    }

    /// Computes the answer to a query, as signed integers checked against the ring.
    ///
    /// - Parameter contributors: banks in the roster, for the overflow bound.
    /// - Throws: ``LearningError/unexpectedQuery(kind:reason:)`` for a query that does not fit.
    public mutating func answer(
        _ query: Query, contributors: Int
    ) throws(LearningError) -> EncodedVector {
        let integers = try lanes(for: query, bankCount: contributors)
        return try EncodedVector(
            lanesOf: integers, layout: query.layout, contributors: contributors)
    }

    /// Moves to the state after a query answered before, without summing histograms: for a bank
    /// that restarts in the middle of a training.
    ///
    /// - Throws: ``LearningError/unexpectedQuery(kind:reason:)`` for a query that does not fit.
    public mutating func replay(_ query: Query) throws(LearningError) {
        tree?.sumsHistograms = false
        defer { tree?.sumsHistograms = true }
        _ = try lanes(for: query)
    }

    /// The answer as plain integers, for pooled training.
    ///
    /// - Parameter bankCount: banks whose answers are summed in a ring; nil outside of one.
    package mutating func lanes(
        for query: Query, bankCount: Int? = nil
    ) throws(LearningError) -> [Int64] {
        let asked = try BoostingQuery(kind: query.kind, body: query.body)
        guard asked.body == query.body else {
            throw .unexpectedQuery(kind: query.kind, reason: "the body is not canonical")
        }
        // Groups are told apart by rounds, so a round must be what the query says it is.
        guard query.round == asked.round else {
            throw .unexpectedQuery(
                kind: query.kind, reason: "round \(query.round), expected \(asked.round)")
        }
        try check(asked, kind: query.kind, layout: query.layout, bankCount: bankCount)
        switch asked {
        case .counts:
            binning = .counted
            return counts()
        case .refinement(let cells):
            binning = .refined
            return refinement(cells)
        case .contributors(let bins):
            binning = .proposed(bins)
            return contributors(bins)
        case .step(let step): return answer(step, ringBits: query.layout.ringBits)
        case .validation(let treesDone, let update):
            apply(update)
            treeIndex = treesDone
            return validation?.counts() ?? [Int64](repeating: 0, count: ScoreHistogram.laneCount)
        }
    }

    private mutating func answer(_ query: TreeStepQuery, ringBits: Int) -> [Int64] {
        step = query.step
        guard let start = query.start else { return tree?.answer(query) ?? [] }
        if let model = start.model { begin(bins: model.bins, baseMargin: model.baseMargin) }
        if let update = start.update { apply(update) }
        treeIndex = query.tree
        step = 0
        return tree?.startTree(query.tree, start: start, ringBits: ringBits) ?? []
    }

    private mutating func apply(_ update: TreeUpdate) {
        tree?.apply(update)
        validation?.apply(update)
        step = -1
    }

    private mutating func begin(bins: [FeatureBins], baseMargin: Int32) {
        guard let fit else { return }
        tree = BankTree(
            matrix: BankMatrix(dataset: fit, bins: bins, tasks: tasks), baseMargin: baseMargin,
            configuration: configuration, tasks: tasks)
        validation = valid.map {
            ValidationRows(dataset: $0, bins: bins, baseMargin: baseMargin, tasks: tasks)
        }
        if let starts {
            tree?.start(at: starts.fit)
            validation?.start(at: starts.valid)
        }
        binning = .chosen
        // From here on only bins are read.
        self.fit = nil
        valid = nil
    }
}

// MARK: - Counts

extension LocalBoostingLearner {
    private func counts() -> [Int64] {
        guard let fit else { return [] }
        var lanes = [Int64](repeating: 0, count: BinPlanner.countLanes(grids))
        var offsets: [Int] = []
        var offset = 0
        for grid in grids {
            offsets.append(offset)
            offset += grid.cellCount + 1
        }
        lanes[offset] = Int64(fit.rowCount)
        lanes[offset + 1] = Int64(fit.fraudCount)
        lanes.withUnsafeMutableBufferPointer { lanes in
            tasks.run(grids.count) { feature in
                let grid = grids[feature]
                let base = offsets[feature]
                fit.columns[feature].withUnsafeBufferPointer { values in
                    for value in values {
                        let cell = grid.position(of: value).map { Int($0) + 1 } ?? 0
                        lanes[base + cell] += 1
                    }
                }
            }
        }
        return lanes
    }

    private func refinement(_ cells: [HeavyCell]) -> [Int64] {
        guard let fit else { return [] }
        var lanes = [Int64](repeating: 0, count: cells.reduce(0) { $0 + $1.parts })
        var offset = 0
        var byFeature: [Int: [(cell: HeavyCell, offset: Int)]] = [:]
        for cell in cells {
            byFeature[cell.feature, default: []].append((cell, offset))
            offset += cell.parts
        }
        let features = byFeature.keys.sorted()
        let lists = features.map { byFeature[$0] ?? [] }
        lanes.withUnsafeMutableBufferPointer { lanes in
            tasks.run(features.count) { index in
                let grid = grids[features[index]]
                var first = [Int32](repeating: -1, count: grid.cellCount)
                var parts = [Double](repeating: 0, count: grid.cellCount)
                for (cell, offset) in lists[index] {
                    first[cell.cell] = Int32(offset)
                    parts[cell.cell] = Double(cell.parts)
                }
                for value in fit.columns[features[index]] {
                    guard let position = grid.position(of: value) else { continue }
                    let cell = Int(position)
                    guard first[cell] >= 0 else { continue }
                    let part = Int((position - Double(cell)) * parts[cell])
                    lanes[Int(first[cell]) + min(part, Int(parts[cell]) - 1)] += 1
                }
            }
        }
        return lanes
    }

    private func contributors(_ bins: [FeatureBins]) -> [Int64] {
        guard let fit else { return [] }
        let codes = BankMatrix.binned(fit, bins: bins, tasks: tasks)
        var lanes: [Int64] = []
        for (feature, bins) in bins.enumerated() {
            var seen = [Int64](repeating: 0, count: 256)
            for code in codes[feature * fit.rowCount..<(feature + 1) * fit.rowCount] {
                seen[Int(code)] = 1
            }
            lanes += seen.prefix(bins.count)
        }
        return lanes
    }
}

// MARK: - Order of queries

extension LocalBoostingLearner {
    private func check(
        _ query: BoostingQuery, kind: String, layout: VectorLayout, bankCount: Int?
    ) throws(LearningError) {
        func refuse(_ reason: String) -> LearningError {
            .unexpectedQuery(kind: kind, reason: reason)
        }
        let expected: Int
        switch query {
        case .counts:
            guard binning == .nothing else { throw refuse("rows are counted already") }
            expected = BinPlanner.countLanes(grids)
        case .refinement(let cells):
            guard binning == .counted else { throw refuse("it does not follow the counts") }
            try checkCells(cells, refuse)
            expected = cells.reduce(0) { $0 + $1.parts }
        case .contributors(let bins):
            guard binning == .counted || binning == .refined else {
                throw refuse("it does not follow the counts")
            }
            try checkBins(bins, refuse)
            expected = bins.reduce(0) { $0 + $1.count }
        case .step(let query):
            if let bits = query.start?.markBits {
                try checkCounters(of: bits, ringBits: layout.ringBits, bankCount, refuse)
            }
            expected = try checkStep(query, ringBits: layout.ringBits, refuse)
        case .validation(let treesDone, let update):
            guard let tree, step >= 0, treesDone == treeIndex + 1 else {
                throw refuse("no tree is being grown")
            }
            try checkUpdate(update, tree: tree, refuse)
            expected = ScoreHistogram.laneCount
        }
        guard layout.laneCount == expected else {
            throw refuse("\(layout.laneCount) lanes, expected \(expected)")
        }
    }

    private func checkCells(
        _ cells: [HeavyCell], _ refuse: (String) -> LearningError
    ) throws(LearningError) {
        var previous = (-1, -1)
        for cell in cells {
            guard grids.indices.contains(cell.feature), grids[cell.feature].isDivisible,
                cell.cell < grids[cell.feature].cellCount, (2...4096).contains(cell.parts),
                previous < (cell.feature, cell.cell)
            else { throw refuse("a cell is not one of the grid's, or out of order") }
            previous = (cell.feature, cell.cell)
        }
    }

    private func checkBins(
        _ bins: [FeatureBins], _ refuse: (String) -> LearningError
    ) throws(LearningError) {
        guard bins.count == schema.features.count else {
            throw refuse("bins of \(bins.count) features, expected \(schema.features.count)")
        }
        for (feature, bins) in bins.enumerated() {
            guard bins.count <= configuration.binsMax,
                bins.isCategorical == grids[feature].isLevels
            else { throw refuse("bins do not fit a feature") }
            if case .levels(let levels) = bins.mapping, levels.count != grids[feature].cellCount {
                throw refuse("bins do not fit a feature's levels")
            }
        }
    }

    /// Banks are counted where the floors ask for it, in counters that hold them all.
    private func checkCounters(
        of bits: Int, ringBits: Int, _ bankCount: Int?, _ refuse: (String) -> LearningError
    ) throws(LearningError) {
        guard configuration.countsContributors == (bits > 0),
            ContributorMarks.isWide(bits, ringBits: ringBits)
        else { throw refuse("counters of \(bits) bits") }
        guard let bankCount, bits > 0, bits < ContributorMarks.bits(banks: bankCount) else {
            return
        }
        throw refuse("counters of \(bits) bits for \(bankCount) banks")
    }

    private func checkStep(
        _ query: TreeStepQuery, ringBits: Int, _ refuse: (String) -> LearningError
    ) throws(LearningError) -> Int {
        guard let start = query.start else {
            guard let tree, step >= 0, query.tree == treeIndex, query.step == step + 1,
                !query.splits.isEmpty
            else { throw refuse("tree \(query.tree) step \(query.step) is out of order") }
            try checkSplits(query, tree: tree, refuse)
            return query.laneCount(histogram: tree.layout.laneCount, marks: tree.markLanes)
        }
        return try checkStart(start, query, ringBits: ringBits, refuse)
    }

    private func checkSplits(
        _ query: TreeStepQuery, tree: BankTree, _ refuse: (String) -> LearningError
    ) throws(LearningError) {
        var previous: UInt32 = 0
        for split in query.splits {
            guard split.place > previous, tree.isLeaf(place: split.place),
                split.place >> UInt32(configuration.depthMax - 1) == 0,
                tree.layout.features.contains(split.feature),
                Int(split.bin) < tree.matrix.bins[split.feature].count
            else { throw refuse("a split does not fit the tree") }
            previous = split.place
        }
    }

    private func checkStart(
        _ start: TreeStart, _ query: TreeStepQuery, ringBits: Int,
        _ refuse: (String) -> LearningError
    ) throws(LearningError) -> Int {
        guard query.splits.isEmpty, query.tree < configuration.treesMax,
            !start.features.isEmpty, start.features.allSatisfy(schema.features.indices.contains),
            zip(start.features, start.features.dropFirst()).allSatisfy({ $0 < $1 })
        else { throw refuse("tree \(query.tree) does not fit the configuration") }
        if let model = start.model {
            guard fit != nil, query.tree == 0, start.update == nil,
                model.baseMargin.magnitude <= GradientScale.baseMarginMax
            else { throw refuse("the first tree was begun already") }
            try checkBins(model.bins, refuse)
            switch binning {
            case .counted where configuration.contributorsMin == 1,
                .refined where configuration.contributorsMin == 1:
                break
            case .proposed(let proposed)
            where zip(model.bins, proposed).allSatisfy({ $0.isCoarsening(of: $1) }):
                break
            default: throw refuse("bins were not counted by contributors")
            }
            return rootLanes(start, bins: model.bins, ringBits: ringBits)
        }
        guard let tree, query.tree == (step >= 0 ? treeIndex + 1 : treeIndex) else {
            throw refuse("tree \(query.tree) is out of order")
        }
        guard (start.update != nil) == (step >= 0) else {
            throw refuse("the tree before must come exactly once")
        }
        if let update = start.update { try checkUpdate(update, tree: tree, refuse) }
        return rootLanes(start, bins: tree.matrix.bins, ringBits: ringBits)
    }

    private func rootLanes(_ start: TreeStart, bins: [FeatureBins], ringBits: Int) -> Int {
        HistogramLayout(features: start.features, bins: bins).laneCount
            + (ContributorMarks(start, bins: bins, ringBits: ringBits)?.laneCount ?? 0)
    }

    private func checkUpdate(
        _ update: TreeUpdate, tree: BankTree, _ refuse: (String) -> LearningError
    ) throws(LearningError) {
        let nodes = update.tree.nodes
        guard update.places.first == 1, update.places.count == nodes.count,
            update.tree.isValid(
                bins: tree.matrix.bins, depthMax: configuration.depthMax,
                weightMax: GradientScale.weightMax(treesMax: configuration.treesMax))
        else { throw refuse("the finished tree is none") }
        for (node, place) in zip(nodes, update.places) {
            // Leaves of a split that stands for certain were never ordered apart.
            let isKnown =
                tree.holds(place: place)
                || (node.feature == nil && tree.holds(place: place / 2))
            guard isKnown else { throw refuse("the finished tree has a node not ordered") }
            guard node.feature != nil else { continue }
            guard update.places[node.left] == 2 * place,
                update.places[node.left + 1] == 2 * place + 1
            else { throw refuse("the finished tree has a node at another place") }
        }
    }
}
