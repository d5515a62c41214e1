/// Parts of a node's bins in which banks are counted beside its histogram, and where the counts lie.
///
/// A child in which fewer banks have rows than the floor must not be summed, so a split is made only
/// when enough banks are in both children for certain. Each bank adds to the histogram of a node a
/// few 0/1 counters, saying where it has rows of the node:
///
/// - of an ordered feature: in the missing values, in any value, and in the lowest and in the
///   highest 1, 2, 3, 4, ... bins of those that the way from the root still allows;
/// - of a categorical feature: in each bin.
///
/// The sum of a counter is a number of banks. A child holds all rows of some of these parts, hence
/// at least as many banks as any of them: ``SplitFloors`` goes by that.
///
/// Counters of b bits, enough for the number of banks, share a lane. Each bank adds 0 or 1 to each,
/// so that they cannot run into each other, and a ring of w bits holds (w - 2) / b of them without
/// wrapping around.
package struct ContributorMarks: Equatable {
    /// Bins from an end of the window to the end of a part.
    package static let widths = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 26, 28, 31, 34, 37,
        40, 44, 48, 52, 57, 62, 68, 74, 81, 88, 96, 105, 114, 124, 135, 147, 160, 174, 190, 207,
        226, 246,
    ]
    static let banksMax = 65_535

    private let features: [Int]
    /// First counter of each feature of `features`.
    private let offsets: [Int]
    private let binCounts: [Int]
    private let areCategorical: [Bool]
    package let counterCount: Int
    /// Bits of a counter.
    package let bits: Int
    private let countersPerLane: Int

    /// Lanes of the counters of one node.
    package var laneCount: Int { (counterCount + countersPerLane - 1) / countersPerLane }

    /// Bits of a counter of so many banks.
    package static func bits(banks: Int) -> Int { Int.bitWidth - banks.leadingZeroBitCount }

    /// Whether a ring has room for a counter.
    static func isWide(_ bits: Int, ringBits: Int) -> Bool {
        bits <= Self.bits(banks: banksMax) && bits + 2 <= ringBits
    }

    /// The counters of a tree; nil when its start asks for none.
    init?(_ start: TreeStart, bins: [FeatureBins], ringBits: Int) {
        guard start.markBits > 0 else { return nil }
        self.init(features: start.features, bins: bins, bits: start.markBits, ringBits: ringBits)
    }

    /// Deals counters to lanes.
    ///
    /// - Parameters:
    ///   - bits: of a counter, 1 to 16.
    ///   - ringBits: of a lane, two more at least.
    package init(features: [Int], bins: [FeatureBins], bits: Int, ringBits: Int) {
        precondition(
            bits > 0 && Self.isWide(bits, ringBits: ringBits), "\(bits) of \(ringBits) bits")
        self.features = features
        self.bits = bits
        countersPerLane = (ringBits - 2) / bits
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
        func set(_ counter: Int) {
            let (lane, place) = counter.quotientAndRemainder(dividingBy: countersPerLane)
            lanes[lane] |= 1 << Int64(place * bits)
        }
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
        counts.reserveCapacity(counterCount)
        let mask = Int64(1) << Int64(bits) - 1
        for lane in lanes {
            var rest = lane
            for _ in 0..<min(countersPerLane, counterCount - counts.count) {
                counts.append(Int(rest & mask))
                rest >>= Int64(bits)
            }
            guard rest == 0 else {
                throw .numericalFailure(reason: "a count of banks is none")
            }
        }
        guard counts.allSatisfy({ $0 <= banks }) else {
            throw .numericalFailure(reason: "more banks are counted than there are")
        }
        return counts
    }

    /// What the counters say of the splits on one feature.
    ///
    /// - Parameters:
    ///   - index: the feature's place among those of the tree.
    ///   - least: banks that a child must have.
    ///   - counts: of the node that is split, by ``counts(_:banks:)``.
    ///   - window: bins of the feature that the way to the node allows; what is returned holds for
    ///     any window that the banks were told alike.
    package func reach(
        _ index: Int, least: Int, counts: [Int], window: ClosedRange<Int>
    ) -> BankReach {
        let offset = offsets[index]
        if areCategorical[index] {
            return .bins((0..<binCounts[index]).map { counts[offset + $0] >= least })
        }
        let places = 0..<Self.widthCount(below: window.count)
        let low = places.first { counts[offset + 2 + 2 * $0] >= least }
        let high = places.first { counts[offset + 3 + 2 * $0] >= least }
        return .cuts(
            missing: counts[offset] >= least, values: counts[offset + 1] >= least,
            leftFrom: low.map { window.lowerBound + Self.widths[$0] - 1 } ?? Int.max,
            rightTo: high.map { window.upperBound - Self.widths[$0] } ?? -1)
    }
}

/// Where enough banks have rows of a node for certain, by a feature's bins.
package enum BankReach: Equatable {
    /// Of a categorical feature: whether it is so in each bin.
    case bins([Bool])
    /// Of an ordered one: in the missing values; in the values together; in all values up to a bin
    /// when it is `leftFrom` or more; in all values above a bin when it is `rightTo` or less.
    case cuts(missing: Bool, values: Bool, leftFrom: Int, rightTo: Int)
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
