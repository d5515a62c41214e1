/// The coordinator's side of joint tree training: bins by summed counts, then tree after tree, one
/// query a level.
///
/// The model is a function of the sums alone, and all sums are integers: it is the same, byte for
/// byte, for any number and order of banks and threads, and for one bank that holds all rows. With
/// contributor floors above one it also depends on which banks hold which rows, by design.
public struct JointBoostingLearner: JointLearner {
    private enum Stage {
        case counts, refinement, contributors, trees, sums, validation
        case finished(GradientBoostingModel, ModelDocument)
    }

    private let schema: TreeSchema
    private let configuration: GradientBoostingConfiguration
    private let bankCount: Int
    private let manifestHash: [UInt8]?
    private let tasks: ParallelTasks
    private var stage = Stage.counts
    private var pending: Query
    private var planner: BinPlanner
    private var bins: [FeatureBins] = []
    private var usable: [Int] = []
    private var baseMargin: Int32 = 0
    private var ringBits = 64
    private var finder: SplitFinder
    private var grower: TreeGrower?
    private var query: TreeLevelQuery?
    private var histogramLanes = 0
    private var trees: [RegressionTree] = []
    private var update: TreeUpdate?
    private var best: (trees: Int, averagePrecision: Double)?

    /// Begins a training.
    ///
    /// - Parameters:
    ///   - schema: the features; all banks must have the same.
    ///   - bankCount: banks whose answers are summed, at least `contributorsMin`.
    ///   - manifestHash: the digest of the run's manifest, or nil for a training without one.
    ///   - threads: threads of the split search; the model does not depend on them.
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)``.
    public init(
        schema: TreeSchema, configuration: GradientBoostingConfiguration, bankCount: Int,
        manifestHash: [UInt8]? = nil, threads: Int = 1
    ) throws(LearningError) {
        guard bankCount >= configuration.contributorsMin else {
            throw .invalidConfiguration(
                field: BoostingParameter.contributorsMin.rawValue,
                got: "\(configuration.contributorsMin) of \(bankCount) banks",
                expected: "at most the number of banks")
        }
        guard manifestHash == nil || manifestHash?.count == 32 else {
            throw .invalidConfiguration(
                field: "manifestHash", got: "\(manifestHash?.count ?? 0) bytes",
                expected: "32 bytes")
        }
        self.schema = schema
        self.configuration = configuration
        self.bankCount = bankCount
        self.manifestHash = manifestHash
        tasks = ParallelTasks(threads: threads)
        planner = BinPlanner(schema: schema, configuration: configuration)
        finder = SplitFinder(bins: [], configuration: configuration)
        let lanes = BinPlanner.countLanes(BinPlanner.grids(schema, configuration))
        pending = try Self.query(.counts, round: 0, lanes: lanes, ringBits: 40)
    }

    /// Trees grown, of `treesMax`, and the best validation average precision if it is measured.
    public var progress: LearnerProgress {
        let note = best.map { "validation average precision \($0.averagePrecision)" }
        return LearnerProgress(
            roundsDone: trees.count, roundsMax: configuration.treesMax, note: note ?? "trees")
    }

    /// The query to ask now, the same until its sum is absorbed; or the model.
    public mutating func next() throws(LearningError) -> JointStep {
        if case .finished(_, let document) = stage { return .finished(document) }
        return .query(pending)
    }

    /// Takes the sum of all banks' answers to the last query.
    ///
    /// - Throws: ``LearningError`` when the sum cannot be one of such answers.
    public mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
        let lanes = aggregate.integers
        guard lanes.count == pending.layout.laneCount else {
            throw .laneCount(got: lanes.count, expected: pending.layout.laneCount)
        }
        let limit = pending.layout.laneMagnitudeMax(contributors: 1)
        guard lanes.allSatisfy({ $0 <= limit && $0 >= -limit }) else {
            throw .numericalFailure(reason: "a sum is beyond the ring")
        }
        switch stage {
        case .counts:
            try planner.absorbCounts(lanes)
            guard !planner.heavy.isEmpty else { return try askContributors() }
            stage = .refinement
            pending = try Self.query(
                .refinement(planner.heavy), round: 0,
                lanes: planner.heavy.reduce(0) { $0 + $1.parts }, ringBits: 40)
        case .refinement:
            try planner.absorbRefinement(lanes)
            try askContributors()
        case .contributors:
            planner.absorbContributors(lanes)
            try beginTrees()
        case .trees: try absorbLevel(lanes)
        case .sums:
            grower?.absorbSums(lanes[...])
            try advanceTree()
        case .validation: try absorbValidation(lanes)
        case .finished:
            throw .unexpectedQuery(kind: "none", reason: "a sum came after the training's end")
        }
    }

    private mutating func askContributors() throws(LearningError) {
        let proposed = planner.chosen.map(\.bins)
        guard configuration.contributorsMin > 1 else { return try beginTrees() }
        stage = .contributors
        pending = try Self.query(
            .contributors(proposed), round: 0, lanes: proposed.reduce(0) { $0 + $1.count },
            ringBits: 16)
    }

    private mutating func beginTrees() throws(LearningError) {
        bins = planner.chosen.map(\.bins)
        usable = planner.usable
        finder = SplitFinder(bins: bins, configuration: configuration)
        let weight = configuration[.fraudWeight]
        baseMargin = GradientScale.baseMargin(
            rows: planner.rows, frauds: planner.frauds, fraudWeight: weight)
        ringBits = try GradientScale.ringBits(
            rows: planner.rows, banks: bankCount, fraudWeight: weight)
        if usable.isEmpty { finish() } else { try beginTree() }
    }

    private mutating func beginTree() throws(LearningError) {
        let features = BoostingSample.features(
            usable, share: configuration[.columnSample], seed: configuration.seed,
            tree: trees.count)
        let layout = HistogramLayout(features: features, bins: bins)
        histogramLanes = layout.laneCount
        grower = TreeGrower(
            layout: layout, finder: finder,
            binRows: planner.chosen.map(\.rows), configuration: configuration, tasks: tasks)
        let start = TreeStart(
            model: trees.isEmpty ? (bins, baseMargin) : nil, update: update, features: features)
        update = nil
        stage = .trees
        try ask(TreeLevelQuery(tree: trees.count, level: 0, start: start, splits: []))
    }

    private mutating func ask(_ level: TreeLevelQuery) throws(LearningError) {
        query = level
        pending = try Self.query(
            .level(level), round: level.tree + 1,
            lanes: level.headerLanes + level.histogramCount * histogramLanes, ringBits: ringBits)
    }

    private mutating func absorbLevel(_ lanes: [Int64]) throws(LearningError) {
        guard let query, grower != nil else { return }
        guard query.level == 0 else {
            guard configuration.confirmsFirst else {
                grower?.absorbChildren(lanes[...])
                return try advanceTree()
            }
            let accepted = grower?.confirmChildren(lanes[...]) ?? []
            let places = grower?.sumOrders(accepted: accepted) ?? []
            guard !places.isEmpty else {
                grower?.absorbSums([])
                return try advanceTree()
            }
            stage = .sums
            pending = try Self.query(
                .sums(tree: query.tree, level: query.level, places: places),
                round: query.tree + 1, lanes: places.count * histogramLanes, ringBits: ringBits)
            return
        }
        try grower?.absorbRoot(lanes[...])
        try advanceTree()
    }

    private mutating func advanceTree() throws(LearningError) {
        guard let query else { return }
        var orders = grower?.nextOrders() ?? []
        let level = query.level + 1
        if !orders.isEmpty, level < configuration.depthMax || configuration.hasChildFloors {
            if configuration.confirmsFirst {
                for index in orders.indices { orders[index].summed = .none }
            }
            stage = .trees
            return try ask(TreeLevelQuery(tree: query.tree, level: level, splits: orders))
        }
        if !orders.isEmpty { grower?.confirmAll() }
        try finishTree()
    }

    private mutating func finishTree() throws(LearningError) {
        guard let grown = grower?.finish() else { return }
        grower = nil
        trees.append(grown.tree)
        update = grown
        let isLast = trees.count == configuration.treesMax
        let isDue = trees.count.isMultiple(of: configuration.evaluationPeriod) || isLast
        if configuration.patience > 0, isDue {
            update = nil
            stage = .validation
            pending = try Self.query(
                .validation(treesDone: trees.count, update: grown), round: trees.count,
                lanes: ScoreHistogram.laneCount, ringBits: 40)
        } else if isLast {
            finish()
        } else {
            try beginTree()
        }
    }

    /// Ends the tree in work as it stands, with leaves by the sums that were opened, and begins the
    /// next one.
    ///
    /// A level's histograms hold the sums of the children of its splits already, so nothing more is
    /// needed. A validation that cannot be summed is left out.
    ///
    /// - Throws: ``LearningError/unexpectedQuery(kind:reason:)`` before a tree's root is summed.
    public mutating func truncateGroup() throws(LearningError) {
        switch stage {
        case .trees where (query?.level ?? 0) > 0, .sums:
            guard let grown = grower?.finish() else { break }
            grower = nil
            trees.append(grown.tree)
            update = grown
            return try endRound()
        case .validation: return try endRound()
        case .counts, .refinement, .contributors, .trees, .finished: break
        }
        throw .unexpectedQuery(kind: pending.kind, reason: "it cannot be left out")
    }

    private mutating func endRound() throws(LearningError) {
        if trees.count == configuration.treesMax { finish() } else { try beginTree() }
    }

    private mutating func absorbValidation(_ lanes: [Int64]) throws(LearningError) {
        guard lanes.allSatisfy({ $0 >= 0 }) else {
            throw .numericalFailure(reason: "a summed count is negative")
        }
        guard let score = ScoreHistogram.averagePrecision(lanes) else {
            throw .unusableData(reason: "early stopping needs validation rows of both classes")
        }
        if best.map({ score > $0.averagePrecision }) ?? true { best = (trees.count, score) }
        let bestTrees = best?.trees ?? trees.count
        if trees.count - bestTrees >= configuration.patience
            || trees.count == configuration.treesMax
        {
            trees.removeLast(trees.count - bestTrees)
            finish()
        } else {
            try beginTree()
        }
    }

    private mutating func finish() {
        let model = GradientBoostingModel(
            featureNames: schema.features.map(\.name), standardHash: schema.standardHash,
            manifestHash: manifestHash, configuration: configuration, bins: bins,
            baseMargin: baseMargin, trees: trees)
        stage = .finished(model, model.document)
    }

    /// The model of a finished training.
    ///
    /// - Throws: ``LearningError/numericalFailure(reason:)`` before the end.
    func result() throws(LearningError) -> GradientBoostingModel {
        guard case .finished(let model, _) = stage else {
            throw .numericalFailure(reason: "the training is not finished")
        }
        return model
    }

    private static func query(
        _ query: BoostingQuery, round: Int, lanes: Int, ringBits: Int
    ) throws(LearningError) -> Query {
        guard let layout = VectorLayout(laneCount: lanes, ringBits: ringBits) else {
            throw .invalidConfiguration(
                field: "features", got: "\(lanes) lanes", expected: "at most 2^26 lanes a query")
        }
        return Query(round: round, kind: query.kind, body: query.body, layout: layout)
    }
}
