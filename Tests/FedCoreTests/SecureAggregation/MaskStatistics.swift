import FedCore
import FedCrypto

/// A way to make masks: lanes of a 32-byte seed.
struct MaskSource: Sendable {
    let name: String
    let lanes: @Sendable (_ seed: [UInt8], _ count: Int) -> [UInt64]

    /// The generator under test.
    static let ours = MaskSource(name: "ours") { seed, count in
        var lanes = [UInt64](repeating: 0, count: count)
        MaskGenerator.add(MaskSeed(SecretBytes(seed)), to: &lanes)
        return lanes
    }
}

/// Weak masks that shipped in federated learning systems, or could; each check must refuse the
/// one that has its defect, or the check is worth nothing.
extension MaskSource {
    /// The seed is folded to 32 bits before it is expanded.
    static let foldedSeed = MaskSource(name: "folded seed") { seed, count in
        var fold = [UInt8](repeating: 0, count: 4)
        for (index, byte) in seed.enumerated() { fold[index % 4] ^= byte }
        return ours.lanes(fold + [UInt8](repeating: 0, count: 28), count)
    }

    /// Only half of the seed is read.
    static let halfSeed = MaskSource(name: "half of the seed") { seed, count in
        ours.lanes(seed[..<16] + [UInt8](repeating: 0, count: 16), count)
    }

    /// The seed is put over a fixed stream, again and again.
    static let repeatedSeed = MaskSource(name: "repeated seed") { seed, count in
        ours.lanes([UInt8](repeating: 0, count: 32), count).enumerated().map { index, lane in
            (0..<8).reduce(lane) { $0 ^ UInt64(seed[(8 * index + $1) % 32]) << UInt64(8 * $1) }
        }
    }

    /// A random integer below the largest value of a 16-bit ring, as by an exclusive upper bound.
    static let topValueMissing = MaskSource(name: "top value missing") { seed, count in
        ours.lanes(seed, count).map { $0 % 0xFFFF }
    }

    /// One scalar for all lanes.
    static let scalar = MaskSource(name: "one scalar") { seed, count in
        [UInt64](repeating: ours.lanes(seed, 1)[0], count: count)
    }

    /// Text bytes, whose highest bit is zero.
    static let textBytes = MaskSource(name: "text bytes") { seed, count in
        ours.lanes(seed, count).map { $0 & 0x7F7F_7F7F_7F7F_7F7F }
    }

    /// Bounded noise around zero instead of a uniform element of the ring.
    static let boundedNoise = MaskSource(name: "bounded noise") { seed, count in
        ours.lanes(seed, count).map { UInt64(bitPattern: Int64(bitPattern: $0) >> 8) }
    }

    /// A mask that all seeds share in part.
    static let sharedPart = MaskSource(name: "shared part") { seed, count in
        let common = ours.lanes([UInt8](repeating: 0, count: 32), count)
        return zip(ours.lanes(seed, count), common).map { $0 >> 1 &+ $1 >> 1 }
    }
}

/// Plain statistics over lanes; each gives the distance from uniform in standard deviations, or
/// a count.
enum MaskStatistics {
    /// A seed that differs from the others in its number.
    static func seed(_ number: Int) -> [UInt8] {
        SHA256.hash(Array("mask quality \(number)".utf8))
    }

    /// Lane as a fraction of the ring, in [0, 1].
    static func fraction(_ lane: UInt64) -> Double { Double(lane) * 0x1p-64 }

    /// Chi-square of the counts of all 256 byte values, as deviations from its mean of 255.
    static func byteChiSquare(_ lanes: [UInt64]) -> Double {
        var counts = [Double](repeating: 0, count: 256)
        for lane in lanes {
            for shift in stride(from: 0, to: 64, by: 8) { counts[Int(lane >> shift & 0xFF)] += 1 }
        }
        let expected = Double(lanes.count * 8) / 256
        let sum = counts.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
        return (sum - 255) / (2 * 255).squareRoot()
    }

    /// Largest distance of the empirical distribution from the uniform one, times the square root
    /// of the count (Kolmogorov): above 1.95 once in a thousand uniform samples, above 2.5 once in
    /// a hundred thousand.
    static func kolmogorov(_ lanes: [UInt64]) -> Double {
        let count = Double(lanes.count)
        var distance = 0.0
        for (rank, lane) in lanes.sorted().enumerated() {
            let value = fraction(lane)
            distance = max(distance, value - Double(rank) / count, Double(rank + 1) / count - value)
        }
        return distance * count.squareRoot()
    }

    /// Correlation of two vectors, in standard deviations of independent ones.
    static func correlation(_ left: [UInt64], _ right: [UInt64]) -> Double {
        let sum = zip(left, right).reduce(0.0) {
            $0 + (fraction($1.0) - 0.5) * (fraction($1.1) - 0.5)
        }
        return sum * 12 / Double(min(left.count, right.count)).squareRoot()
    }

    /// Mean of fractions, as deviations from 1/2.
    static func meanDeviation(_ lanes: [UInt64]) -> Double {
        let mean = lanes.reduce(0) { $0 + fraction($1) } / Double(lanes.count)
        return (mean - 0.5) * (12 * Double(lanes.count)).squareRoot()
    }

    /// Bits in which two vectors differ, as deviations from half of them.
    static func avalanche(_ left: [UInt64], _ right: [UInt64]) -> Double {
        let differing = zip(left, right).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
        let bits = Double(left.count * 64)
        return (Double(differing) - bits / 2) / (bits / 4).squareRoot()
    }
}
