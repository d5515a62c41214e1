import FedCore
import Testing

/// Whether masks are what the proof of secrecy takes them for: uniform in the ring, independent
/// from lane to lane and seed to seed, with the whole seed in them.
///
/// All seeds are fixed, so a check passes always or never; each also refuses a mask with the
/// defect that it is there for.
struct MaskQualityTests {
    /// Expects that a check finds nothing in our masks and something in each weak one.
    private func expectSound(
        refusing weak: [MaskSource], _ check: (MaskSource) -> [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = check(.ours)
        #expect(found.isEmpty, "\(found.prefix(3))", sourceLocation: sourceLocation)
        for source in weak {
            #expect(!check(source).isEmpty, "\(source.name)", sourceLocation: sourceLocation)
        }
    }

    @Test func `all byte values are equally frequent`() {
        expectSound(refusing: [.textBytes, .boundedNoise, .topValueMissing]) { source in
            (0..<4).compactMap { number in
                let lanes = source.lanes(MaskStatistics.seed(number), 1 << 15)
                let deviation = MaskStatistics.byteChiSquare(lanes)
                return abs(deviation) < 4.5 ? nil : "seed \(number): \(deviation) sigma"
            }
        }
    }

    @Test func `every value of a ring of sixteen bits occurs, the largest too`() {
        expectSound(refusing: [.topValueMissing, .textBytes]) { source in
            var occurs = [Bool](repeating: false, count: 1 << 16)
            for lane in source.lanes(MaskStatistics.seed(0), 1 << 20) {
                occurs[Int(lane & 0xFFFF)] = true
            }
            return occurs.indices.filter { !occurs[$0] }.map { "value \($0) never occurs" }
        }
    }

    @Test func `each of the 256 bits of a seed changes half of the mask`() {
        expectSound(refusing: [.halfSeed, .repeatedSeed]) { source in
            let seed = MaskStatistics.seed(1)
            let mask = source.lanes(seed, 64)
            return (0..<256).compactMap { bit in
                var changed = seed
                changed[bit / 8] ^= 1 << (bit % 8)
                let deviation = MaskStatistics.avalanche(mask, source.lanes(changed, 64))
                return abs(deviation) < 4.5 ? nil : "bit \(bit): \(deviation) sigma"
            }
        }
    }

    @Test func `no two seeds that differ in one or two bits share a lane`() {
        // A fold to fewer bits passes the test of single bits: two that fold together cancel.
        expectSound(refusing: [.foldedSeed, .halfSeed]) { source in
            let seed = MaskStatistics.seed(2)
            var seen: Set<UInt64> = []
            var collisions: [String] = []
            for first in 0..<256 {
                for second in first..<256 {
                    var changed = seed
                    changed[first / 8] ^= 1 << (first % 8)
                    if second != first { changed[second / 8] ^= 1 << (second % 8) }
                    if !seen.insert(source.lanes(changed, 1)[0]).inserted {
                        collisions.append("bits \(first) and \(second)")
                    }
                }
            }
            return collisions
        }
    }

    @Test func `no two lanes share a mask`() {
        expectSound(refusing: [.scalar, .topValueMissing]) { source in
            let lanes = source.lanes(MaskStatistics.seed(3), 1 << 18)
            return Set(lanes).count == lanes.count ? [] : ["\(Set(lanes).count) different lanes"]
        }
    }

    @Test func `lanes of one mask are uniform and each independent of the next`() {
        expectSound(refusing: [.boundedNoise, .scalar, .textBytes]) { source in
            (0..<2).flatMap { number -> [String] in
                let lanes = source.lanes(MaskStatistics.seed(number), 1 << 15)
                let distance = MaskStatistics.kolmogorov(lanes)
                let deviations = (1...4).map { lag in
                    MaskStatistics.correlation(Array(lanes.dropLast(lag)), Array(lanes[lag...]))
                }
                return (distance < 2.5 ? [] : ["Kolmogorov \(distance)"])
                    + deviations.filter { abs($0) > 4 }.map { "serial \($0) sigma" }
            }
        }
    }

    @Test func `one lane over many seeds is uniform`() {
        expectSound(refusing: [.boundedNoise, .sharedPart, .textBytes]) { source in
            let masks = (0..<4096).map { source.lanes(MaskStatistics.seed($0), 16) }
            return (0..<16).compactMap { lane in
                let distance = MaskStatistics.kolmogorov(masks.map { $0[lane] })
                return distance < 2.5 ? nil : "lane \(lane): Kolmogorov \(distance)"
            }
        }
    }

    @Test func `masks of different seeds do not correlate`() {
        expectSound(refusing: [.sharedPart, .boundedNoise]) { source in
            let masks = (0..<16).map { source.lanes(MaskStatistics.seed($0), 1 << 13) }
            return masks.indices.flatMap { left in
                (left + 1..<masks.count).compactMap { right -> String? in
                    let deviation = MaskStatistics.correlation(masks[left], masks[right])
                    return abs(deviation) < 4 ? nil : "\(left), \(right): \(deviation) sigma"
                }
            }
        }
    }

    @Test func `averaging ten thousand masked copies of a constant does not show it`() {
        expectSound(refusing: [.boundedNoise, .sharedPart]) { source in
            let copyCount = 10_000
            let laneCount = 32
            let constants = [UInt64(0), 1 << 62, .max]
            var fractions = [Double](repeating: 0, count: constants.count * laneCount)
            var sums = [UInt64](repeating: 0, count: fractions.count)
            for number in 0..<copyCount {
                let mask = source.lanes(MaskStatistics.seed(number), laneCount)
                for position in fractions.indices {
                    let copy = constants[position / laneCount] &+ mask[position % laneCount]
                    fractions[position] += MaskStatistics.fraction(copy)
                    sums[position] &+= copy
                }
            }
            let scale = (12 / Double(copyCount)).squareRoot()
            let deviations = fractions.map { ($0 - Double(copyCount) / 2) * scale }
            let distance = MaskStatistics.kolmogorov(Array(sums[..<laneCount]))
            return deviations.filter { abs($0) > 4.5 }.map { "mean \($0) sigma" }
                + (distance < 2.5 ? [] : ["sums: Kolmogorov \(distance)"])
        }
    }

    @Test func `masked zeros and masked extremes look alike`() {
        // The same statistic on masked data of every kind: what is under the mask has no effect.
        let count = 1 << 13
        for data in [UInt64(0), 1, 1 << 32, 1 << 63, .max] {
            for number in 0..<4 {
                let masked = MaskSource.ours.lanes(MaskStatistics.seed(100 + number), count)
                    .map { $0 &+ data }
                #expect(abs(MaskStatistics.byteChiSquare(masked)) < 4.5)
                #expect(MaskStatistics.kolmogorov(masked) < 2.5)
                #expect(abs(MaskStatistics.meanDeviation(masked)) < 4.5)
            }
        }
    }
}
