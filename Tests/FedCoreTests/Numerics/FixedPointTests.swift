import FedCore
import Testing

@Suite("Fixed point")
struct FixedPointTests {
    @Test func roundingIsHalfToEven() throws {
        let unit = try #require(FixedPointScale(exponent: 0))
        let half = try #require(FixedPointScale(exponent: 1))
        let inputs = [0.5, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994]
        #expect(try inputs.map { try unit.encode($0) } == [0, 2, 2, 0, -2, 0])
        #expect(try half.encode(0.25) == 0 && half.encode(0.75) == 2)
        #expect(half.decode(3) == 1.5)
    }

    @Test(arguments: 1...20)
    func anErrorIsAtMostHalfAUnit(seed: Int) throws {
        var generator = SampleGenerator(seed: seed)
        for exponent in [0, 7, 30, 45] {
            let scale = try #require(FixedPointScale(exponent: exponent))
            let value = (generator.uniform() - 0.5) * 1000
            let error = scale.decode(try scale.encode(value)) - value
            #expect(error.magnitude <= Double(sign: .plus, exponent: -exponent - 1, significand: 1))
        }
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let scale = try #require(FixedPointScale(exponent: 10))
        #expect(try scale.encode(0x1p53.nextDown) == Int64(0x1p63.nextDown))
        #expect(throws: NumericsError.fixedPointOverflow(exponent: 10)) { try scale.encode(0x1p53) }
        #expect(throws: NumericsError.fixedPointOverflow(exponent: 10)) {
            try scale.encode(-0x1p53)
        }
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(throws: NumericsError.notFinite) { try scale.encode(value) }
        }
        #expect(FixedPointScale(exponent: -1) == nil && FixedPointScale(exponent: 63) == nil)
    }

    @Test(arguments: 1...50)
    func theFinestScaleKeepsTheBoundAndNoFinerOneHasRoom(seed: Int) throws {
        var generator = SampleGenerator(seed: seed)
        let bound = (generator.uniform() + 1e-3) * 1e6
        let most = Int64.max / Int64(1 + generator.below(200))
        let scale = try #require(FixedPointScale(bound: bound, integerMax: most))
        #expect(try scale.encode(bound) <= most / 2 + 1)
        let finer = try #require(FixedPointScale(exponent: scale.exponent + 1))
        #expect(try finer.encode(bound) > most / 2)
    }

    @Test func boundsThatLeaveNoScaleGiveNil() {
        for bound in [0, -1, .infinity, .nan, 0x1p63] {
            #expect(FixedPointScale(bound: bound, integerMax: .max) == nil)
        }
        #expect(FixedPointScale(bound: 1e-300, integerMax: .max)?.exponent == 62)
    }
}
