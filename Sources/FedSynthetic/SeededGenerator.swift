/// xoshiro256** 1.0 (Blackman and Vigna 2018), seeded through splitmix64 (Steele, Lea and Flood
/// 2014), with the few distributions that the consortium needs.
///
/// Every draw is integer arithmetic or IEEE 754 addition and multiplication, so a seed gives the
/// same numbers on every machine. Not for secrets.
package struct SeededGenerator: Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// One independent sequence for each (seed, stream, index).
    package init(seed: UInt64, stream: UInt64, index: UInt64 = 0) {
        var z = Self.mix(Self.mix(Self.mix(seed) ^ stream) ^ index)
        func next() -> UInt64 {
            defer { z = z &+ 0x9E37_79B9_7F4A_7C15 }
            return Self.mix(z)
        }
        state = (next(), next(), next(), next())
    }

    /// The output function of splitmix64 after one step from `z`.
    package static func mix(_ z: UInt64) -> UInt64 {
        var z = z &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        let scrambled = Self.rotate(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Self.rotate(state.3, 45)
        return scrambled
    }

    private static func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
        (word << count) | (word >> (64 - count))
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    package mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Uniform in `low ..< high`.
    package mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * uniform()
    }

    /// Uniform in `0 ..< bound`, by the high half of a product; the bias is below bound / 2^64.
    package mutating func below(_ bound: Int) -> Int {
        precondition(bound > 0, "an empty range: \(bound)")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// Uniform in `low ... high`.
    package mutating func integer(_ low: Int, _ high: Int) -> Int {
        low + below(high - low + 1)
    }

    /// True with the given probability.
    package mutating func chance(_ probability: Double) -> Bool {
        uniform() < probability
    }

    /// Nearly normal, mean 0 and deviation 1, within ±6: the sum of twelve uniform numbers.
    package mutating func normal() -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += uniform() }
        return sum
    }

    /// Exponential with mean 1.
    package mutating func exponential() -> Double {
        -PortableMath.log(1 - uniform())
    }

    /// Poisson by Knuth's product method; for means up to some tens.
    package mutating func poisson(_ mean: Double) -> Int {
        let floor = PortableMath.exp(-mean)
        var product = uniform()
        var count = 0
        while product > floor {
            product *= uniform()
            count += 1
        }
        return count
    }

    /// An index, drawn in proportion to weights of at least zero and not all zero.
    package mutating func weighted(_ weights: [Double]) -> Int {
        var rest = uniform() * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            if rest < weight { return index }
            rest -= weight
        }
        return weights.lastIndex { $0 > 0 } ?? 0
    }

    /// An index below `count` that prefers small ones: density falls as one over the square root.
    package mutating func popular(_ count: Int) -> Int {
        let u = uniform()
        return min(count - 1, Int(u * u * Double(count)))
    }
}
