internal import CFedKernels

/// Scores rows by a model: values to bins, then eight walks at a time through 8-byte nodes.
public struct TreeScorer: Sendable {
    private let bins: [FeatureBins]
    private let table: BinTable
    private let base: Int64
    private let nodes: [fed_tree_node]
    private let weights: [Int32]
    private let roots: [UInt32]
    private let depths: [UInt8]

    /// Lays a model out for scoring.
    public init(_ model: GradientBoostingModel) {
        var nodes: [fed_tree_node] = []
        var weights: [Int32] = []
        var roots: [UInt32] = []
        for tree in model.trees {
            roots.append(UInt32(nodes.count))
            nodes += tree.packed(bins: model.bins, offset: UInt32(nodes.count))
            weights += tree.nodes.map(\.weight)
        }
        bins = model.bins
        table = BinTable(model.bins)
        base = Int64(model.baseMargin)
        self.nodes = nodes
        self.weights = weights
        self.roots = roots
        depths = model.trees.map { UInt8($0.depth) }
    }

    /// Log-odds of fraud of one row of raw values, NaN where missing.
    ///
    /// - Parameter row: one value a feature, in the model's order.
    public func margin(of row: [Double]) -> Double {
        precondition(row.count == bins.count, "a row of \(row.count) values for \(bins.count)")
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: row.count) { codes in
            table.assign(row, to: codes)
            var margin: Int64 = 0
            fed_forest_margins(
                nodes, weights, roots, depths, roots.count, codes.baseAddress, row.count, 1, base,
                &margin)
            return Double(margin) * GradientScale.marginUnit
        }
    }

    /// Probability of fraud of one row of raw values, NaN where missing.
    public func probability(of row: [Double]) -> Double {
        1 / (1 + fed_exp(-margin(of: row)))
    }

    /// Log-odds of fraud of many rows.
    ///
    /// - Parameters:
    ///   - columns: raw values, feature by feature.
    ///   - threads: threads to use; scores do not depend on them.
    /// - Throws: ``LearningError/unusableData(reason:)`` for another number of columns.
    public func margins(of columns: [[Double]], threads: Int = 1) throws(LearningError) -> [Double]
    {
        guard columns.count == bins.count, columns.allSatisfy({ $0.count == columns[0].count })
        else {
            throw .unusableData(reason: "\(columns.count) columns, expected \(bins.count) alike")
        }
        let rows = columns[0].count
        return [Double](unsafeUninitializedCapacity: rows) { output, count in
            count = rows
            ParallelTasks(threads: threads).runRanges(rows, size: 512) { range in
                score(range, of: columns, to: output)
            }
        }
    }

    private func score(
        _ range: Range<Int>, of columns: [[Double]], to output: UnsafeMutableBufferPointer<Double>
    ) {
        let width = bins.count
        let size = range.count
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: size * (width + 1)) { codes in
            withUnsafeTemporaryAllocation(of: Int64.self, capacity: size) { margins in
                guard let matrix = codes.baseAddress, let sums = margins.baseAddress else { return }
                let column = matrix + size * width
                for feature in 0..<width {
                    columns[feature].withUnsafeBufferPointer { values in
                        bins[feature].assign(
                            UnsafeBufferPointer(rebasing: values[range]), to: column)
                    }
                    for row in 0..<size { matrix[row * width + feature] = column[row] }
                }
                fed_forest_margins(
                    nodes, weights, roots, depths, roots.count, matrix, width, size, base, sums)
                for row in 0..<size {
                    output[range.lowerBound + row] = Double(sums[row]) * GradientScale.marginUnit
                }
            }
        }
    }
}
