internal import CFedKernels

/// The bins of one feature.
///
/// Bin 0 holds missing values; values have bins 1 and up, in order.
public struct FeatureBins: Equatable, Sendable {
    /// How values map to bins.
    public enum Mapping: Equatable, Sendable {
        /// Bin = 1 + number of edges that are not above the value. Edges rise strictly.
        case edges([Double])
        /// The bin of each level, at least 1; equal numbers make a group of levels.
        case levels([UInt8])
    }

    /// How values map to bins.
    public let mapping: Mapping
    /// The bin of missing values: 0, or a value's bin where too few banks have missing ones.
    public let missingBin: UInt8

    /// Bins, the one of missing values included.
    public var count: Int {
        switch mapping {
        case .edges(let edges): edges.count + 2
        case .levels(let bins): Int(bins.max() ?? 0) + 1
        }
    }

    /// Whether splits take one bin against the rest.
    package var isCategorical: Bool {
        if case .levels = mapping { return true }
        return false
    }

    /// Checks and wraps a mapping.
    ///
    /// - Returns: `nil` unless edges are finite and rise strictly, bins are at most 256, every bin
    ///   of a categorical feature has a level, and the bin of missing values exists.
    package init?(mapping: Mapping, missingBin: UInt8) {
        switch mapping {
        case .edges(let edges):
            guard edges.count <= 254, edges.allSatisfy(\.isFinite),
                zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
            else { return nil }
        case .levels(let bins):
            let used = Set(bins)
            guard !bins.isEmpty, !used.contains(0), used.count == Int(bins.max() ?? 0) else {
                return nil
            }
        }
        self.mapping = mapping
        self.missingBin = missingBin
        guard Int(missingBin) < count else { return nil }
    }

    /// Whether these bins are unions of the bins of `finer`.
    func isCoarsening(of finer: FeatureBins) -> Bool {
        switch (mapping, finer.mapping) {
        case (.edges(let edges), .edges(let others)): return Set(edges).isSubset(of: others)
        case (.levels(let levels), .levels(let others)):
            let pairs = Set(zip(others, levels).map { [$0, $1] })
            return levels.count == others.count && pairs.count == Set(others).count
        default: return false
        }
    }

    /// The bin of one value.
    package func bin(of value: Double) -> UInt8 {
        guard !value.isNaN else { return missingBin }
        switch mapping {
        case .edges(let edges):
            var low = 0
            var high = edges.count
            while low < high {
                let middle = (low + high) / 2
                if edges[middle] <= value { low = middle + 1 } else { high = middle }
            }
            return UInt8(low + 1)
        case .levels(let bins):
            guard value >= 0, value < Double(bins.count), value.rounded() == value else {
                return missingBin
            }
            return bins[Int(value)]
        }
    }

    /// Writes the bins of `values` to `output`, which has as many elements.
    func assign(
        _ values: UnsafeBufferPointer<Double>, to output: UnsafeMutablePointer<UInt8>
    ) {
        guard let start = values.baseAddress else { return }
        switch mapping {
        case .edges(let edges):
            fed_bin_values(start, values.count, edges, edges.count, missingBin, output)
        case .levels:
            for (row, value) in values.enumerated() { output[row] = bin(of: value) }
        }
    }
}
