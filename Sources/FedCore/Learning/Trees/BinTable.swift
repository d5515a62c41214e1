/// The edges of all features side by side: single rows are put into bins many thousand times a
/// second.
package struct BinTable: Sendable {
    private let bins: [FeatureBins]
    private let edges: [Double]
    /// Where each feature's edges begin, one more at the end.
    private let starts: [Int]
    private let isCategorical: [Bool]

    /// Lays bins out.
    package init(_ bins: [FeatureBins]) {
        var edges: [Double] = []
        var starts = [0]
        for feature in bins {
            if case .edges(let own) = feature.mapping { edges += own }
            starts.append(edges.count)
        }
        self.bins = bins
        self.edges = edges
        self.starts = starts
        isCategorical = bins.map(\.isCategorical)
    }

    /// Features.
    package var count: Int { bins.count }

    /// Writes the bins of a row of raw values, NaN where missing, as ``FeatureBins/bin(of:)`` has
    /// them.
    package func assign(_ row: [Double], to codes: UnsafeMutableBufferPointer<UInt8>) {
        precondition(
            row.count == bins.count && codes.count == row.count,
            "a row of \(row.count) values for \(bins.count)")
        edges.withUnsafeBufferPointer { edges in
            for feature in row.indices {
                let value = row[feature]
                guard !value.isNaN, !isCategorical[feature] else {
                    codes[feature] = bins[feature].bin(of: value)
                    continue
                }
                var low = starts[feature]
                var length = starts[feature + 1] - low
                while length > 0 {
                    let half = length / 2
                    let isAbove = edges[low + half] <= value
                    low = isAbove ? low + half + 1 : low
                    length = isAbove ? length - half - 1 : half
                }
                codes[feature] = UInt8(low - starts[feature] + 1)
            }
        }
    }
}
