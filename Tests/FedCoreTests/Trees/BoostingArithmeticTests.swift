import FedCore
import Testing

@Suite struct BoostingArithmeticTests {
    @Test func `the ring holds the worst case of every bank`() throws {
        for rows: Int64 in [1, 1000, 421_708, 5_000_000, 1_000_000_000] {
            for banks in [1, 3, 50] {
                for weight in [0.5, 1, 20] {
                    let bits = try GradientScale.ringBits(
                        rows: rows, banks: banks, fraudWeight: weight)
                    let layout = try #require(VectorLayout(laneCount: 1, ringBits: bits))
                    let worst = Double(rows) * max(1, weight) * 4_194_304
                    #expect(Double(layout.laneMagnitudeMax(contributors: banks)) >= worst)
                }
            }
        }
        #expect(throws: LearningError.self) {
            try GradientScale.ringBits(rows: 1 << 31, banks: 1000, fraudWeight: 500)
        }
    }

    @Test func `margins of the most and greatest leaves fit 32 bits`() {
        for trees in [1, 100, 124, 125, 126, 2000] {
            let most = Int64(GradientScale.weightMax(treesMax: trees)) * Int64(trees)
            #expect(most + 20 << 20 < Int64(Int32.max))
        }
    }

    @Test(arguments: [16, 24, 40, 48, 56, 64])
    func `the fast encoding is the general one`(bits: Int) throws {
        var random = SeededRandom(seed: UInt64(bits))
        let layout = try #require(VectorLayout(laneCount: 100, ringBits: bits))
        let limit = layout.laneMagnitudeMax(contributors: 3)
        let small = (0..<100).map { _ in Int64(bitPattern: random.next()) % (limit + 1) }
        let general = try EncodedVector(integers: small, layout: layout, contributors: 3)
        let fast = try EncodedVector(lanesOf: small, layout: layout, contributors: 3)
        #expect(EncodedVector.plainSum([general]) == EncodedVector.plainSum([fast]))
        #expect(EncodedVector.plainSum([fast]).integers == small)
        for value in [limit, -limit, limit + 1, -limit - 1, .max, .min] {
            var lanes = small
            lanes[37] = value
            let general = Result {
                try EncodedVector(integers: lanes, layout: layout, contributors: 3)
            }
            let fast = Result { try EncodedVector(lanesOf: lanes, layout: layout, contributors: 3) }
            switch (general, fast) {
            case (.success, .success): #expect(value.magnitude <= limit.magnitude)
            case (.failure(let left), .failure(let right)):
                #expect(left as? LearningError == right as? LearningError)
            default: Issue.record("\(value) is treated differently")
            }
        }
        #expect(throws: LearningError.laneCount(got: 1, expected: 100)) {
            try EncodedVector(lanesOf: [1], layout: layout, contributors: 3)
        }
    }

    @Test func `average precision of a histogram is that of its rows`() throws {
        var random = SeededRandom(seed: 51)
        let rows = (0..<500).map { _ in
            (margin: Int32(truncatingIfNeeded: random.next()) / 64, fraud: random.unit() < 0.2)
        }
        var lanes = [Int64](repeating: 0, count: ScoreHistogram.laneCount)
        for row in rows {
            lanes[2 * ScoreHistogram.cell(of: row.margin) + (row.fraud ? 1 : 0)] += 1
        }
        // Each fraud adds the precision of the list that ends with its ties.
        var expected = 0.0
        let frauds = rows.filter(\.fraud)
        for fraud in frauds {
            let cell = ScoreHistogram.cell(of: fraud.margin)
            let listed = rows.filter { ScoreHistogram.cell(of: $0.margin) >= cell }
            expected += Double(listed.filter(\.fraud).count) / Double(listed.count)
        }
        let measured = try #require(ScoreHistogram.averagePrecision(lanes))
        #expect(abs(measured - expected / Double(frauds.count)) < 1e-12)
        #expect(ScoreHistogram.averagePrecision([Int64](repeating: 0, count: lanes.count)) == nil)
        #expect(ScoreHistogram.cell(of: .min) == 0)
        #expect(ScoreHistogram.cell(of: .max) == ScoreHistogram.cellCount - 1)
    }

    @Test func `feature samples are of the stated size, rise and differ between trees`() {
        let candidates = Array(stride(from: 1, through: 39, by: 2))
        let samples = (0..<20).map {
            BoostingSample.features(candidates, share: 0.5, seed: 4, tree: $0)
        }
        for sample in samples {
            #expect(sample.count == 10)
            #expect(sample == sample.sorted())
            #expect(Set(sample).isSubset(of: candidates))
        }
        #expect(Set(samples).count > 15)
        #expect(BoostingSample.features([3], share: 0.05, seed: 1, tree: 0) == [3])
    }
}
