import FedCore
import Testing

struct ColumnSketchTests {
    private func values(_ count: Int, seed: UInt64, scale: Double = 1) -> [Double] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in
            let unit = Double.random(in: 0..<1, using: &random)
            return scale * 20 * unit / (1.02 - unit)
        }
    }

    private func sketch(_ values: [Double]) -> ColumnSketch {
        var sketch = ColumnSketch()
        for value in values { sketch.add(value) }
        return sketch
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func quantilesAreRightToTheWidthOfACell(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let all = values(3_000, seed: seed).map {
            Bool.random(using: &random) ? $0 : -$0 * 0.01
        }
        let sorted = all.sorted()
        let sketch = sketch(all)
        for step in 0...20 {
            let level = Double(step) / 20
            let wanted = sorted[Int((level * 2_999).rounded())]
            let got = try #require(sketch.quantile(level))
            #expect(abs(got - wanted) <= 0.04 * abs(wanted) + 1e-12, "seed \(seed), \(level)")
        }
        #expect(sketch.least == sorted.first)
        #expect(sketch.greatest == sorted.last)
    }

    @Test func missingValuesAndZerosAreCountedApart() {
        let sketch = sketch([0, 0, .nan, 5, 1e30, -1e30, 1e-30])
        #expect(sketch.valueCount == 6)
        #expect(sketch.missingShare == 1.0 / 7)
        #expect(sketch.quantile(0.4) == 0)
        #expect(sketch.quantile(0) == -1e30 || (sketch.quantile(0) ?? 0) < -1e17)
        #expect(ColumnSketch().quantile(0.5) == nil)
        #expect(ColumnSketch().missingShare == 0)
    }

    @Test func aColumnThatStaysHasNoDriftAndOneThatMovesHas() throws {
        let reference = sketch(values(20_000, seed: 1))
        let same = try #require(
            ColumnDrift.index(of: sketch(values(20_000, seed: 2)), against: reference))
        #expect(same >= 0 && same < 0.01)
        let moved = try #require(
            ColumnDrift.index(of: sketch(values(20_000, seed: 2, scale: 3)), against: reference))
        #expect(moved > ColumnDrift.suspicious)
        let gappy = values(20_000, seed: 2).enumerated().map { $0 % 3 == 0 ? Double.nan : $1 }
        let missing = try #require(ColumnDrift.index(of: sketch(gappy), against: reference))
        #expect(missing > ColumnDrift.suspicious)
        #expect(ColumnDrift.index(of: ColumnSketch(), against: reference) == nil)
        // Ten equal bins of which one has moved into another: (0.2 - 0.1) ln 2 + (0.1 - 0) ln 1000.
        let steps = sketch((0..<1000).map { Double($0 % 10 + 1) })
        let lost = sketch((0..<1000).map { Double($0 % 10 == 0 ? 2 : $0 % 10 + 1) })
        let index = try #require(ColumnDrift.index(of: lost, against: steps))
        #expect(abs(index - (0.1 * 0.693147 + (0.1 - 1e-4) * 6.907755)) < 0.05, "\(index)")
    }

    @Test(arguments: UnitPlausibility.factors)
    func aWrongUnitIsNamed(factor: Double) throws {
        let consortium = sketch(values(20_000, seed: 3))
        let quantiles = (1...20).compactMap { consortium.quantile(Double($0) / 21) }
        for scale in [factor, 1 / factor] {
            // The bank's customers spend a fifth more than others do.
            let bank = sketch(values(2_000, seed: 4, scale: 1.2 * scale))
            let found = try #require(UnitPlausibility.check(bank, against: quantiles))
            let named = try #require(found.factor)
            #expect(max(named / scale, scale / named) <= 1.45, "\(scale): \(named)")
            #expect(abs(found.ratio / scale - 1.2) < 0.25)
        }
    }

    @Test func anUnusualBankIsNotToldThatItsUnitIsWrong() {
        let consortium = sketch(values(20_000, seed: 3))
        let quantiles = (1...20).compactMap { consortium.quantile(Double($0) / 21) }
        for scale in [1, 0.4, 3] {
            #expect(
                UnitPlausibility.check(
                    sketch(values(2_000, seed: 5, scale: scale)), against: quantiles) == nil)
        }
        #expect(UnitPlausibility.check(sketch([1, 2, 3]), against: quantiles) == nil)
        #expect(
            UnitPlausibility.check(sketch([Double](repeating: 0, count: 500)), against: quantiles)
                == nil)
        let odd = UnitPlausibility.check(
            sketch(values(2_000, seed: 5, scale: 300_000)), against: quantiles)
        #expect(odd != nil && odd?.factor == nil)
    }
}
