/// Chooses the bins of all features from summed counts: the coordinator's half of binning.
struct BinPlanner {
    private let grids: [BinGrid]
    private let configuration: GradientBoostingConfiguration
    private var counts: [ArraySlice<Int64>] = []
    private var missing: [Int64] = []
    /// Cells that were asked for more closely.
    private(set) var heavy: [HeavyCell] = []
    /// The chosen bins.
    private(set) var chosen: [CountedBins] = []
    /// Rows and frauds of all banks.
    private(set) var rows: Int64 = 0
    private(set) var frauds: Int64 = 0

    init(schema: TreeSchema, configuration: GradientBoostingConfiguration) {
        grids = Self.grids(schema, configuration)
        self.configuration = configuration
    }

    static func grids(
        _ schema: TreeSchema, _ configuration: GradientBoostingConfiguration
    ) -> [BinGrid] {
        schema.features.map { BinGrid(feature: $0, cells: configuration.gridCells) }
    }

    static func countLanes(_ grids: [BinGrid]) -> Int {
        grids.reduce(2) { $0 + $1.cellCount + 1 }
    }

    /// Takes the counts of grid cells.
    mutating func absorbCounts(_ lanes: [Int64]) throws(LearningError) {
        guard lanes.allSatisfy({ $0 >= 0 }) else {
            throw .numericalFailure(reason: "a summed count is negative")
        }
        rows = lanes[lanes.count - 2]
        frauds = lanes[lanes.count - 1]
        guard frauds > 0, frauds < rows else {
            throw .unusableData(reason: "training needs rows of both classes")
        }
        var offset = 0
        for (feature, grid) in grids.enumerated() {
            let cells = lanes[offset + 1...offset + grid.cellCount]
            guard lanes[offset] + cells.reduce(0, +) == rows else {
                throw .numericalFailure(reason: "counts of a feature do not add up to the rows")
            }
            missing.append(lanes[offset])
            counts.append(cells)
            offset += grid.cellCount + 1
            heavy += QuantileCuts.heavyCells(feature: feature, grid: grid, counts: cells)
        }
        if heavy.isEmpty { chooseBins([]) }
    }

    /// Takes the counts of the parts of heavy cells.
    mutating func absorbRefinement(_ lanes: [Int64]) throws(LearningError) {
        guard lanes.allSatisfy({ $0 >= 0 }) else {
            throw .numericalFailure(reason: "a summed count is negative")
        }
        chooseBins(lanes)
    }

    /// Takes, for each bin of each feature, the number of banks with rows in it.
    mutating func absorbContributors(_ lanes: [Int64]) {
        var offset = 0
        for feature in chosen.indices {
            let count = chosen[feature].bins.count
            chosen[feature] = QuantileCuts.merged(
                chosen[feature], contributors: lanes[offset..<offset + count],
                floor: configuration.contributorsMin)
            offset += count
        }
    }

    /// Features with at least two occupied bins.
    var usable: [Int] {
        chosen.indices.filter { chosen[$0].rows.reduce(0) { $0 + ($1 > 0 ? 1 : 0) } > 1 }
    }

    private mutating func chooseBins(_ parts: [Int64]) {
        var cells: [[CountedCell]] = counts.map { counts in
            counts.enumerated().map { cell, rows in
                CountedCell(from: Double(cell), to: Double(cell + 1), rows: rows)
            }
        }
        var offset = parts.count
        // From the last heavy cell to the first, so that indices before it stay valid.
        for cell in heavy.reversed() {
            offset -= cell.parts
            let width = 1 / Double(cell.parts)
            let fine = (0..<cell.parts).map { part in
                CountedCell(
                    from: Double(cell.cell) + Double(part) * width,
                    to: part + 1 == cell.parts
                        ? Double(cell.cell + 1) : Double(cell.cell) + Double(part + 1) * width,
                    rows: parts[offset + part])
            }
            cells[cell.feature].replaceSubrange(cell.cell...cell.cell, with: fine)
        }
        let binsMax = configuration.binsMax
        chosen = grids.indices.map { feature in
            if grids[feature].isLevels {
                return QuantileCuts.categorical(
                    counts: Array(counts[feature]), missing: missing[feature], binsMax: binsMax)
            }
            return QuantileCuts.ordered(
                cells: cells[feature], missing: missing[feature], grid: grids[feature],
                binsMax: binsMax)
        }
        counts = []
    }
}
