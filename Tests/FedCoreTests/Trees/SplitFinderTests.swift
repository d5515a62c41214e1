import FedCore
import Testing

@Suite struct SplitFinderTests {
    @Test func `the scan finds the best of all partitions`() throws {
        for seed: UInt64 in 1...300 {
            var random = SeededRandom(seed: seed)
            let count = 2 + Int(random.unit() * 10)
            let categorical = seed.isMultiple(of: 3)
            let bins = try #require(
                FeatureBins(
                    mapping: categorical
                        ? .levels((1..<count).map { UInt8($0) })
                        : .edges((0..<count - 2).map { Double($0) }), missingBin: 0))
            let configuration = try quickConfiguration([
                .childHessianMin: 0.5, .leafRegularisation: random.unit() * 2,
            ])
            var cells: [Int64] = []
            for _ in 0..<count {
                let empty = random.unit() < 0.25
                cells.append(empty ? 0 : Int64((random.unit() - 0.5) * 4_000_000))
                cells.append(empty ? 0 : Int64(random.unit() * 8_000_000) + 1)
            }
            let g = stride(from: 0, to: 2 * count, by: 2).reduce(0) { $0 + cells[$1] }
            let h = stride(from: 1, to: 2 * count, by: 2).reduce(0) { $0 + cells[$1] }
            let finder = SplitFinder(bins: [bins], configuration: configuration)
            // Every second case with some splits forbidden.
            let isFree = seed.isMultiple(of: 2)
            let permitted = (0..<512).map { _ in UInt8(isFree || random.unit() < 0.6 ? 1 : 0) }
            let found = cells.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.flatMap {
                    finder.best(
                        feature: 0, cells: $0, gradient: g, hessian: h,
                        permitted: isFree ? nil : permitted)
                }
            }
            // Every subset of bins that a split of this kind can send left, one by one.
            var best = -1.0
            for mask in 1..<(1 << count) - 1 {
                let left = (0..<count).filter { mask >> $0 & 1 == 1 }
                let values = left.filter { $0 > 0 }
                let isSplit =
                    categorical
                    ? left.count == 1 : values == Array(1..<values.count + 1)
                guard isSplit else { continue }
                let flag: Int
                if categorical {
                    flag = left[0]
                } else if values.count == count - 1 {
                    // All values against the missing ones: these alone are sent left.
                    flag = 256
                } else {
                    flag = values.count + (left[0] == 0 && cells[1] > 0 ? 256 : 0)
                }
                guard permitted[flag] == 1 else { continue }
                let gl = left.reduce(0) { $0 + cells[2 * $1] }
                let hl = left.reduce(0) { $0 + cells[2 * $1 + 1] }
                let least = Int64((0.5 / GradientScale.gradientUnit).rounded(.up))
                guard hl >= least, h - hl >= least else { continue }
                best = max(
                    best,
                    ReferenceTrainer.score(gl, hl, g, h, configuration[.leafRegularisation]))
            }
            guard let found else {
                #expect(best < 0, "seed \(seed)")
                continue
            }
            #expect(abs(found.gain - best) <= 1e-12 * max(1, best), "seed \(seed)")
            var left = Set(categorical ? [Int(found.bin)] : Array(1..<Int(found.bin) + 1))
            if !categorical, found.missingLeft, cells[1] > 0 { left.insert(0) }
            #expect(left.reduce(0) { $0 + cells[2 * $1] } == found.leftGradient, "seed \(seed)")
            #expect(left.reduce(0) { $0 + cells[2 * $1 + 1] } == found.leftHessian, "seed \(seed)")
        }
    }

    @Test func `of equal gains the lower bin and the lower feature win`() throws {
        let bins = try #require(FeatureBins(mapping: .edges([1, 2]), missingBin: 0))
        let finder = try SplitFinder(bins: [bins, bins], configuration: quickConfiguration())
        let unit = Int64(1) << Int64(GradientScale.gradientBits)
        // Splitting after bin 1 or after bin 2 gives mirrored halves.
        let cells = [0, 0, -unit, 4 * unit, 2 * unit, 4 * unit, -unit, 4 * unit]
        let found = (0..<2).map { feature in
            cells.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.flatMap {
                    finder.best(feature: feature, cells: $0, gradient: 0, hessian: 12 * unit)
                }
            }
        }
        let chosen = try #require(finder.choose(found, gradient: 0, hessian: 12 * unit))
        #expect(chosen.feature == 0)
        #expect(chosen.bin == 1)
    }
}
