/// The coordinator's side of joint tree training: bins by summed counts, then tree after tree, a
/// query a level.
///
/// The model is a function of the sums alone, and all sums are integers: it is the same, byte for
/// byte, for any number and order of banks and threads, and for one bank that holds all rows. With
/// contributor floors above one it also depends on which banks hold which rows, by design.
public struct JointBoostingLearner: JointLearner {
    private enum Stage {
        case counts, refinement, contributors, trees, validation
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
    private var query: TreeStepQuery?
    /// Lanes of a node's histogram and of its marks.
    private var nodeLanes = (histogram: 0, marks: 0)
    private var trees: [RegressionTree] = []
    private var update: TreeUpdate?
    private var best: (trees: Int, averagePrecision: Double)?
    private var latest: Double?
    /// Whether the banks have no validation rows of both classes.
    private var isBlind = false

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
        guard bankCount <= ContributorMarks.banksMax else {
            throw .invalidConfiguration(
                field: "banks", got: "\(bankCount)",
                expected: "at most \(ContributorMarks.banksMax)")
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

    /// Trees grown, of `treesMax`, and the average precision on the validation rows when it was
    /// last measured.
    public var progress: LearnerProgress {
        let note = latest.map { "validation AP 0." + Self.fourDigits($0) } ?? "trees"
        return LearnerProgress(
            roundsDone: trees.count, roundsMax: configuration.treesMax, note: note)
    }

    private static func fourDigits(_ share: Double) -> String {
        let digits = String(Int(min(share * 10_000, 9_999)))
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// The query to ask now, the same until its sum is absorbed; or the model.
    public mutating func next() throws(LearningError) -> JointStep {
        if case .finished(_, let document) = stage { return .finished(document) }
        var query = pending
        if latest != nil { query.note = progress.note }
        return .query(query)
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
        case .trees:
            if query?.step == 0 {
                try grower?.absorbRoot(lanes)
            } else {
                try grower?.absorbStep(lanes)
            }
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
        let start = TreeStart(
            model: trees.isEmpty ? (bins, baseMargin) : nil, update: update, features: features,
            markBits: configuration.countsContributors
                ? ContributorMarks.bits(banks: bankCount) : 0)
        let marks = ContributorMarks(start, bins: bins, ringBits: ringBits)
        nodeLanes = (layout.laneCount, marks?.laneCount ?? 0)
        grower = TreeGrower(
            layout: layout, marks: marks, bankCount: bankCount, finder: finder,
            configuration: configuration, tasks: tasks)
        update = nil
        stage = .trees
        try ask(TreeStepQuery(tree: trees.count, step: 0, start: start, splits: []))
    }

    private mutating func ask(_ step: TreeStepQuery) throws(LearningError) {
        query = step
        pending = try Self.query(
            .step(step), round: step.tree + 1,
            lanes: step.laneCount(histogram: nodeLanes.histogram, marks: nodeLanes.marks),
            ringBits: ringBits)
    }

    private mutating func advanceTree() throws(LearningError) {
        guard let query else { return }
        guard let splits = grower?.nextStep() else { return try finishTree() }
        try ask(TreeStepQuery(tree: query.tree, step: query.step + 1, splits: splits))
    }

    private mutating func finishTree() throws(LearningError) {
        guard let grown = grower?.finish() else { return }
        grower = nil
        trees.append(grown.tree)
        update = grown
        let isLast = trees.count == configuration.treesMax
        // Without early stopping, too, people want to see how the model grows; the model is the same.
        let isDue = trees.count.isMultiple(of: configuration.evaluationPeriod) || isLast
        if isDue && !isBlind {
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
    /// A node's histogram holds the sums of the children of its split already, so nothing more is
    /// needed. A validation that cannot be summed is left out.
    ///
    /// - Throws: ``LearningError/unexpectedQuery(kind:reason:)`` before a tree's root is summed.
    public mutating func truncateGroup() throws(LearningError) {
        switch stage {
        case .trees where (query?.step ?? 0) > 0:
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
        latest = ScoreHistogram.averagePrecision(lanes)
        guard let score = latest else {
            guard configuration.patience > 0 else {
                isBlind = true
                if trees.count == configuration.treesMax { finish() } else { try beginTree() }
                return
            }
            throw .unusableData(reason: "early stopping needs validation rows of both classes")
        }
        if best.map({ score > $0.averagePrecision }) ?? true { best = (trees.count, score) }
        let bestTrees = best?.trees ?? trees.count
        let isOver = trees.count == configuration.treesMax
        if configuration.patience > 0, isOver || trees.count - bestTrees >= configuration.patience {
            trees.removeLast(trees.count - bestTrees)
            finish()
        } else if isOver {
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
