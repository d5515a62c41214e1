import FedSynthetic
import Foundation
import Testing

@Suite struct SeededGeneratorTests {
    /// The first outputs of splitmix64 from seed 1234567, of the reference program in C
    /// (Vigna 2015, https://prng.di.unimi.it/splitmix64.c).
    @Test func splitmix64GivesTheReferenceNumbers() {
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        ]
        var z: UInt64 = 1_234_567
        for number in expected {
            #expect(SeededGenerator.mix(z) == number)
            z &+= 0x9E37_79B9_7F4A_7C15
        }
    }

    @Test func streamsAndIndicesAreApartAndRepeatable() {
        var seen = Set<UInt64>()
        for seed in 0..<3 as Range<UInt64> {
            for stream in 0..<3 as Range<UInt64> {
                for index in 0..<3 as Range<UInt64> {
                    var one = SeededGenerator(seed: seed, stream: stream, index: index)
                    var same = SeededGenerator(seed: seed, stream: stream, index: index)
                    let first = one.next()
                    #expect(first == same.next())
                    #expect(seen.insert(first).inserted, "seed \(seed) \(stream) \(index)")
                }
            }
        }
    }

    @Test func distributionsHaveTheirMeans() {
        var random = SeededGenerator(seed: 5, stream: 0)
        let count = 20_000
        func mean(_ draw: (inout SeededGenerator) -> Double) -> Double {
            (0..<count).reduce(0) { sum, _ in sum + draw(&random) } / Double(count)
        }
        #expect(abs(mean { $0.uniform() } - 0.5) < 0.01)
        #expect(abs(mean { $0.normal() }) < 0.03)
        #expect(
            abs(
                mean {
                    let z = $0.normal(); return z * z
                } - 1) < 0.04)
        #expect(abs(mean { $0.exponential() } - 1) < 0.03)
        #expect(abs(mean { Double($0.poisson(2.5)) } - 2.5) < 0.05)
        #expect(abs(mean { Double($0.below(7)) } - 3) < 0.06)
        #expect(abs(mean { Double($0.weighted([1, 0, 3])) } - 1.5) < 0.03)
    }

    @Test func mathematicsAgreesWithTheSystems() {
        for x in stride(from: -30.0, through: 30, by: 0.173) {
            #expect(abs(PortableMath.exp(x) / Foundation.exp(x) - 1) < 1e-14, "exp \(x)")
        }
        for x in stride(from: -30.0, through: 30, by: 0.173) {
            let value = Foundation.exp(x)
            let error = abs(PortableMath.log(value) - Foundation.log(value))
            #expect(error < 1e-14 * max(1, abs(x)), "log \(value)")
        }
    }
}
