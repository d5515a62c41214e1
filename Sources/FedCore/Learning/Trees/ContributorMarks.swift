/// Parts of a node's bins in which banks are counted beside its histogram, and where the counts lie.
///
/// A child in which fewer banks have rows than the floor must not be summed, and whether it is so
/// follows from counts of banks. Asking for them costs a masked sum of its own. So each bank adds to
/// the histogram of a node a few 0/1 counters, saying where it has rows of the node:
///
/// - of an ordered feature: in the missing values, in any value, and in the lowest and in the
///   highest 1, 2, 3, 4, 6, 8, 12, ... bins of those that the way from the root still allows;
/// - of a categorical feature: in each bin.
///
/// The sum of a counter is a number of banks. A child holds all rows of some of these parts, hence
/// at least as many banks as any of them: that is ``floor(of:at:counts:window:)``. A bound that
/// reaches the floor decides as the exact number would; one that does not is asked for exactly. The
/// tree is the same, and is that of exact counts.
///
/// Two counters of 16 bits share a lane. Each bank adds 0 or 1 to each, so that they cannot run into
/// each other with fewer than 2^16 banks, and a lane stays below 2^17 a bank: in any ring that holds
/// the histogram.
package struct ContributorMarks: Equatable {
    /// Bins from an end of the window to the end of a part.
    private static let widths = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192]
    static let banksMax = 65_535

    private let features: [Int]
    /// First counter of each feature of `features`.
    private let offsets: [Int]
    private let binCounts: [Int]
    private let areCategorical: [Bool]
    package let counterCount: Int

    /// Lanes of the counters of one node.
    package var laneCount: Int { (counterCount + 1) / 2 }

    package init(features: [Int], bins: [FeatureBins]) {
        self.features = features
        binCounts = features.map { bins[$0].count }
        areCategorical = features.map { bins[$0].isCategorical }
        var offsets: [Int] = []
        var next = 0
        for (count, isCategorical) in zip(binCounts, areCategorical) {
            offsets.append(next)
            next += isCategorical ? count : 2 + 2 * Self.widthCount(below: count - 1)
        }
        self.offsets = offsets
        counterCount = next
    }

    private static func widthCount(below bins: Int) -> Int {
        widths.firstIndex { $0 >= bins } ?? widths.count
    }

    // MARK: At a bank

    /// Writes a bank's own 0/1 counters of a node.
    ///
    /// Each row adds at least one unit to a hessian, so a bin has rows when its hessian is above 0.
    ///
    /// - Parameters:
    ///   - cells: the bank's own histogram of the node, or of its parent.
    ///   - sibling: the histogram to take off from the parent's, or nil.
    ///   - lanes: `laneCount` zeros.
    package func mark(
        cells: UnsafePointer<Int64>, less sibling: UnsafePointer<Int64>?, layout: HistogramLayout,
        window: (Int) -> ClosedRange<Int>, into lanes: UnsafeMutablePointer<Int64>
    ) {
        func set(_ counter: Int) { lanes[counter / 2] |= counter.isMultiple(of: 2) ? 1 : 1 << 16 }
        for (index, feature) in features.enumerated() {
            let first = layout.offsets[index] + 1
            func hasRows(_ bin: Int) -> Bool {
                cells[first + 2 * bin] > (sibling.map { $0[first + 2 * bin] } ?? 0)
            }
            let offset = offsets[index]
            if areCategorical[index] {
                for bin in 0..<binCounts[index] where hasRows(bin) { set(offset + bin) }
                continue
            }
            if hasRows(0) { set(offset) }
            guard let low = (1..<binCounts[index]).first(where: hasRows),
                let high = (low..<binCounts[index]).last(where: hasRows)
            else { continue }
            set(offset + 1)
            let window = window(feature)
            for place in 0..<Self.widthCount(below: window.count) {
                let width = Self.widths[place]
                if low < window.lowerBound + width { set(offset + 2 + 2 * place) }
                if high > window.upperBound - width { set(offset + 3 + 2 * place) }
            }
        }
    }

    // MARK: At the coordinator

    /// Reads the summed counters of a node.
    ///
    /// - Throws: ``LearningError/numericalFailure(reason:)`` when they cannot be sums over `banks`.
    package func counts(_ lanes: ArraySlice<Int64>, banks: Int) throws(LearningError) -> [Int] {
        var counts: [Int] = []
        counts.reserveCapacity(2 * lanes.count)
        for lane in lanes {
            let (low, high) = (Int(lane & 0xFFFF), Int(lane >> 16))
            guard (0...banks).contains(low), (0...banks).contains(high) else {
                throw .numericalFailure(reason: "a count of banks is none")
            }
            counts += [low, high]
        }
        return counts
    }

    /// The fewest banks that each child of a split can have.
    ///
    /// - Parameters:
    ///   - counts: of the node that is split, by ``counts(_:banks:)``.
    ///   - window: bins of the split's feature that the way to the node allows; what is returned
    ///     holds for any window that the banks were told alike.
    package func floor(
        of split: SplitCandidate, counts: [Int], window: ClosedRange<Int>
    ) -> (left: Int, right: Int) {
        guard let index = features.firstIndex(of: split.feature) else { return (0, 0) }
        let offset = offsets[index]
        let bin = Int(split.bin)
        if areCategorical[index] {
            let others = (0..<binCounts[index]).filter { $0 != bin }.map { counts[offset + $0] }
            return (counts[offset + bin], others.max() ?? 0)
        }
        var left = split.missingLeft ? counts[offset] : 0
        var right = split.missingLeft ? 0 : counts[offset]
        if bin == 0 { right = max(right, counts[offset + 1]) }
        for place in 0..<Self.widthCount(below: window.count) {
            let width = Self.widths[place]
            // Bins 1 ..< lower + width, all at most `bin`: rows in them go to the left.
            if window.lowerBound + width - 1 <= bin {
                left = max(left, counts[offset + 2 + 2 * place])
            }
            if window.upperBound - width + 1 > bin {
                right = max(right, counts[offset + 3 + 2 * place])
            }
        }
        return (left, right)
    }
}

/// Bins of the ordered features that the way from the root to a node still allows.
///
/// Coordinator and banks follow the same splits, so they have the same windows.
package struct BinWindows {
    private let bins: [FeatureBins]
    private var narrowed: [UInt32: [Int: ClosedRange<Int>]] = [:]

    package init(bins: [FeatureBins]) { self.bins = bins }

    /// The window of a node on a feature; bin 0 of missing values is in none.
    package func window(_ place: UInt32, _ feature: Int) -> ClosedRange<Int> {
        narrowed[place]?[feature] ?? 1...max(1, bins[feature].count - 1)
    }

    /// Follows a split to the node's children.
    package mutating func split(_ place: UInt32, feature: Int, bin: UInt8) {
        var left = narrowed[place] ?? [:]
        var right = left
        if !bins[feature].isCategorical {
            let (window, cut) = (window(place, feature), Int(bin))
            if window.lowerBound <= cut, cut < window.upperBound {
                left[feature] = window.lowerBound...cut
                right[feature] = cut + 1...window.upperBound
            }
        }
        narrowed[2 * place] = left
        narrowed[2 * place + 1] = right
    }
}
