internal import FedCore
internal import FedCrypto

/// Examines whether masks are what the proof of secrecy takes them for: uniform in the ring,
/// independent from lane to lane, slot to slot and pair to pair, with the whole seed in them
/// (secure-aggregation design, section 6.3).
///
/// Point it at any ``MaskSource``. Keys and contexts are fixed, so a source passes always or never.
/// What sampling cannot see it cannot find: a single value missing from a ring of 32 bits or more
/// shows only if it leaves a gap in the lowest or highest 16 bits.
public struct MaskBattery: Sendable {
    /// One property of good masks.
    public enum Check: String, CaseIterable, Sendable {
        /// Each bit of key and context flips half of the mask.
        case seedBits
        /// No two keys that differ in one or two bits share 64 bits of mask, as they would where
        /// the key is folded to fewer bits.
        case foldedKeys
        /// No bit of the mask is constant, nor biased, over 100,000 keys.
        case constantBits
        /// Every value of the lowest and of the highest 16 bits occurs, the largest too.
        case topValue
        /// All byte values are equally frequent, whatever is masked.
        case byteFrequency
        /// Lanes do not repeat.
        case sharedLanes
        /// Lanes of one mask are uniform, and each independent of the next.
        case laneUniformity
        /// One lane is uniform over keys.
        case keyUniformity
        /// The mean of 10,000 masked copies of a constant is uniform.
        case averaging
        /// Masks of different slots of one pair do not correlate.
        case crossSlot
        /// Masks of different pairs in one slot do not correlate.
        case crossPeer
        /// Masking is addition in the ring: the mask does not depend on what is masked.
        case ringAddition
    }

    /// A property that a source lacks.
    public struct Finding: Equatable, Sendable, CustomStringConvertible {
        /// The property.
        public let check: Check
        /// Where and how far off.
        public let detail: String

        /// Both, for reports.
        public var description: String { "\(check.rawValue): \(detail)" }
    }

    /// What is examined.
    public let source: MaskSource

    /// Points the battery at a source.
    public init(_ source: MaskSource) { self.source = source }

    /// Runs checks.
    ///
    /// - Returns: nothing for good masks; at most five findings a check.
    public func findings(_ checks: [Check] = Check.allCases) -> [Finding] {
        checks.flatMap { check in
            details(check).prefix(5).map { Finding(check: check, detail: $0) }
        }
    }

    private func details(_ check: Check) -> [String] {
        switch check {
        case .seedBits: seedBits()
        case .foldedKeys: foldedKeys()
        case .constantBits: constantBits()
        case .topValue: topValue()
        case .byteFrequency: byteFrequency()
        case .sharedLanes: sharedLanes()
        case .laneUniformity: laneUniformity()
        case .keyUniformity: keyUniformity()
        case .averaging: averaging()
        case .crossSlot: crossSlot()
        case .crossPeer: crossPeer()
        case .ringAddition: ringAddition()
        }
    }

    // MARK: - Inputs

    private func key(_ number: Int) -> [UInt8] { SHA256.hash(Array("key \(number)".utf8)) }

    private func context(_ number: Int) -> [UInt8] {
        let digest = SHA256.hash(Array("slot \(number)".utf8))
        return (0..<source.contextByteCount).map { digest[$0 % digest.count] }
    }

    private func mask(_ number: Int, slot: Int = 0, count: Int) -> [UInt64] {
        source.mask(key: key(number), context: context(slot), count: count)
    }

    private func fraction(_ lane: UInt64) -> Double {
        Double(lane) / (Double(source.top) + 1)
    }

    private func flipped(_ bytes: [UInt8], bit: Int) -> [UInt8] {
        var bytes = bytes
        bytes[bit / 8] ^= 1 << (bit % 8)
        return bytes
    }

    // MARK: - The seed

    private func seedBits() -> [String] {
        let count = 4096 / source.ring.bits
        let key = key(1)
        let context = context(1)
        let mask = source.mask(key: key, context: context, count: count)
        return (0..<8 * (key.count + context.count)).compactMap { bit in
            let inKey = bit < 8 * key.count
            let changed = source.mask(
                key: inKey ? flipped(key, bit: bit) : key,
                context: inKey ? context : flipped(context, bit: bit - 8 * key.count),
                count: count)
            let heads = zip(mask, changed).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
            let sigma = MaskStatistics.coinDeviation(heads: heads, of: count * source.ring.bits)
            let place = inKey ? "key bit \(bit)" : "context bit \(bit - 8 * key.count)"
            return abs(sigma) < 4.5 ? nil : "\(place): \(sigma) sigma"
        }
    }

    private func foldedKeys() -> [String] {
        let key = key(2)
        let context = context(2)
        let count = (63 + source.ring.bits) / source.ring.bits
        var seen: Set<[UInt64]> = []
        var found: [String] = []
        for first in 0..<256 {
            for second in first..<256 {
                var changed = flipped(key, bit: first)
                if second != first { changed = flipped(changed, bit: second) }
                let prefix = source.mask(key: changed, context: context, count: count)
                if !seen.insert(prefix).inserted { found.append("bits \(first) and \(second)") }
            }
        }
        return found
    }

    private func constantBits() -> [String] {
        let keyCount = 100_000
        let context = context(0)
        var ones = [Int](repeating: 0, count: source.ring.bits)
        var key = key(0)
        for number in 0..<keyCount {
            // A counter over random bytes: the whole key matters in the checks above.
            for byte in 0..<4 { key[7 * byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
            let lane = source.mask(key: key, context: context, count: 1)[0]
            for bit in ones.indices { ones[bit] += Int(lane >> UInt64(bit) & 1) }
        }
        return ones.indices.compactMap { bit in
            let sigma = MaskStatistics.coinDeviation(heads: ones[bit], of: keyCount)
            return abs(sigma) < 4.5 ? nil : "bit \(bit): \(sigma) sigma"
        }
    }

    // MARK: - The lanes

    private func topValue() -> [String] {
        // 2^20 draws of 2^16 values: all occur but with probability 0.7 %.
        let lanes = mask(0, count: 1 << 20)
        let shifts = source.ring.bits == 16 ? [0] : [0, source.ring.bits - 16]
        return shifts.flatMap { shift -> [String] in
            var counts = [Int](repeating: 0, count: 1 << 16)
            for lane in lanes { counts[Int(lane >> UInt64(shift) & 0xFFFF)] += 1 }
            // Poisson with mean 16: 60 or more once in 10^15.
            return counts.indices.filter { counts[$0] == 0 || counts[$0] > 60 }.map {
                "value \($0) from bit \(shift) occurs \(counts[$0]) times of 2^20"
            }
        }
    }

    private func byteFrequency() -> [String] {
        let count = 1 << 15
        let data = [0, 1, 1 << UInt64(source.ring.bits / 2), source.top / 2 + 1, source.top]
        return data.enumerated().flatMap { number, value -> [String] in
            let vector = [UInt64](repeating: value, count: count)
            let lanes = source.masked(vector, key: key(number), context: context(number))
            let bytes = LanePacking.pack(lanes, in: source.ring)
            let fractions = lanes.map(fraction)
            return [
                ("bytes", MaskStatistics.byteChiSquare(bytes), 4.5),
                ("Kolmogorov", MaskStatistics.kolmogorov(fractions), 2.5),
                ("mean", MaskStatistics.meanDeviation(fractions), 4.5),
            ].filter { abs($0.1) >= $0.2 }.map { "\($0.0) of masked \(value): \($0.1)" }
        }
    }

    private func sharedLanes() -> [String] {
        let count = 1 << 18
        let lanes = mask(3, count: count)
        let pairs = Double(count) * Double(count - 1) / 2
        let expected = pairs / (Double(source.top) + 1)
        let repeated = Dictionary(grouping: lanes, by: { $0 }).values
            .reduce(0.0) { $0 + Double($1.count) * Double($1.count - 1) / 2 }
        return repeated <= expected + 5 * expected.squareRoot() + 2
            ? [] : ["\(repeated) pairs of equal lanes, expected \(expected)"]
    }

    private func laneUniformity() -> [String] {
        (0..<2).flatMap { number -> [String] in
            let fractions = mask(number, count: 1 << 15).map(fraction)
            let distance = MaskStatistics.kolmogorov(fractions)
            let serial = (1...4).map {
                MaskStatistics.correlation(fractions.dropLast($0), fractions[$0...])
            }
            return (distance < 2.5 ? [] : ["Kolmogorov \(distance)"])
                + serial.filter { abs($0) >= 4 }.map { "serial \($0) sigma" }
        }
    }

    private func keyUniformity() -> [String] {
        let masks = (0..<4096).map { mask($0, count: 16) }
        return (0..<16).compactMap { lane in
            let distance = MaskStatistics.kolmogorov(masks.map { fraction($0[lane]) })
            return distance < 2.5 ? nil : "lane \(lane): Kolmogorov \(distance)"
        }
    }

    // MARK: - Many masks

    private func averaging() -> [String] {
        let copyCount = 10_000
        let laneCount = 32
        return [0, source.top / 4 + 1, source.top].flatMap { constant -> [String] in
            let vector = [UInt64](repeating: constant, count: laneCount)
            var means = [Double](repeating: 0, count: laneCount)
            var sums = [UInt64](repeating: 0, count: laneCount)
            for number in 0..<copyCount {
                let copy = source.masked(vector, key: key(number), context: context(number))
                for lane in 0..<laneCount {
                    means[lane] += fraction(copy[lane])
                    sums[lane] &+= copy[lane]
                }
            }
            let scale = (12 / Double(copyCount)).squareRoot()
            let sigmas = means.map { ($0 - Double(copyCount) / 2) * scale }
            let distance = MaskStatistics.kolmogorov(sums.map { fraction($0 & source.top) })
            return sigmas.filter { abs($0) >= 4.5 }.map { "mean of \(constant): \($0) sigma" }
                + (distance < 2.5 ? [] : ["sum of \(constant): Kolmogorov \(distance)"])
        }
    }

    private func crossSlot() -> [String] {
        guard source.contextByteCount > 0 else { return [] }
        return correlated((0..<16).map { mask(0, slot: $0, count: 1 << 13) }, "slots")
    }

    private func crossPeer() -> [String] {
        correlated((0..<16).map { mask($0, slot: 0, count: 1 << 13) }, "pairs")
    }

    private func correlated(_ masks: [[UInt64]], _ what: String) -> [String] {
        let fractions = masks.map { $0.map(fraction)[...] }
        return fractions.indices.flatMap { left in
            (left + 1..<fractions.count).compactMap { right -> String? in
                let sigma = MaskStatistics.correlation(fractions[left], fractions[right])
                return abs(sigma) < 4 ? nil : "\(what) \(left) and \(right): \(sigma) sigma"
            }
        }
    }

    private func ringAddition() -> [String] {
        let count = 1 << 12
        let mask = mask(4, slot: 4, count: count)
        // What brings each lane to the largest value, to zero, and around once.
        let vectors = [
            mask.map { source.top &- $0 }, mask.map { 0 &- $0 },
            [UInt64](repeating: source.top, count: count),
        ]
        return vectors.enumerated().compactMap { number, vector in
            let masked = source.masked(
                vector.map { $0 & source.top }, key: key(4), context: context(4))
            let wrong = masked.indices.count {
                masked[$0] != (mask[$0] &+ vector[$0]) & source.top
            }
            return wrong == 0 ? nil : "vector \(number): \(wrong) of \(count) lanes"
        }
    }
}
