import FedCore
import Testing

@Suite struct BinningTests {
    private func model(
        _ values: [Double], feature: TreeFeature, banks: Int = 1,
        _ parameters: [BoostingParameter: Double] = [:]
    ) throws -> GradientBoostingModel {
        let schema = try TreeSchema(
            features: [feature], standardHash: [UInt8](repeating: 0, count: 32))
        let datasets = (0..<banks).map { bank in
            let mine = values.indices.filter { $0 % banks == bank }
            return Dataset(
                columns: [mine.map { values[$0] }], labels: mine.map { $0 % 4 < 2 ? 1 : 0 })
        }
        return try GradientBoostingTrainer.train(
            datasets: datasets, schema: schema,
            configuration: quickConfiguration([.treesMax: 1].merging(parameters) { $1 }))
    }

    @Test func `few distinct values have a bin each, with edges between them`() throws {
        for seed: UInt64 in 1...20 {
            var random = SeededRandom(seed: seed)
            let distinct = (0..<100).map { _ in (random.unit() * 2000 - 1000).rounded() / 8 }
            let values = (0..<2000).map { _ in distinct[Int(random.unit() * 100)] }
            let feature = try TreeFeature(
                name: "x", kind: .continuous, range: -1e6...1e6, allowsMissing: false)
            let bins = try model(values, feature: feature, [.gridCells: 4096]).bins[0]
            let present = Set(values)
            #expect(Set(values.map { bins.bin(of: $0) }).count == present.count, "seed \(seed)")
            guard case .edges(let edges) = bins.mapping else { return }
            #expect(edges.allSatisfy { !present.contains($0) }, "seed \(seed)")
        }
    }

    @Test func `many values have bins of about equal numbers of rows`() throws {
        for range in [0...1.0, 0...1e4, -1e9...1e9] {
            var random = SeededRandom(seed: 3)
            let values = (0..<40_000).map { _ in random.unit() * random.unit() }
            let feature = try TreeFeature(
                name: "x", kind: .continuous, range: range, allowsMissing: false)
            let bins = try model(values, feature: feature, [.gridCells: 4096]).bins[0]
            var counts = [Int](repeating: 0, count: bins.count)
            for value in values { counts[Int(bins.bin(of: value))] += 1 }
            #expect(bins.count > 240, "range \(range)")
            #expect((counts.max() ?? 0) < 2 * 40_000 / 255, "range \(range)")
        }
    }

    @Test func `a spike keeps a bin of its own`() throws {
        var random = SeededRandom(seed: 4)
        let values = (0..<20_000).map { _ in random.unit() < 0.9 ? 0 : random.unit() }
        let feature = try TreeFeature(
            name: "x", kind: .continuous, range: 0...1, allowsMissing: false)
        let bins = try model(values, feature: feature, [.gridCells: 4096]).bins[0]
        let spike = bins.bin(of: 0)
        let others = values.filter { $0 > 0.002 && bins.bin(of: $0) == spike }
        #expect(others.isEmpty)
        #expect(bins.count > 200)
    }

    @Test(arguments: [2, 3, 4])
    func `every occupied bin has rows of enough banks`(floor: Int) throws {
        for seed: UInt64 in 1...5 {
            let table = try TreeTable(rows: 600, seed: seed)
            let banks = table.dealt(banks: 5, seed: seed)
            let model = try GradientBoostingTrainer.train(
                datasets: banks, schema: table.schema,
                configuration: quickConfiguration([
                    .treesMax: 1, .contributorsMin: Double(floor),
                ]))
            for (feature, bins) in model.bins.enumerated() {
                var contributors = [Int](repeating: 0, count: bins.count)
                for bank in banks {
                    for bin in Set(bank.columns[feature].map { bins.bin(of: $0) }) {
                        contributors[Int(bin)] += 1
                    }
                }
                let tooFew = contributors.contains { $0 > 0 && $0 < floor }
                let occupied = contributors.filter { $0 > 0 }.count
                #expect(!tooFew || occupied == 1, "seed \(seed), feature \(feature)")
            }
        }
    }

    @Test func `a value that one bank alone has shares a bin`() throws {
        let feature = try TreeFeature(
            name: "x", kind: .integer, range: 0...100, allowsMissing: true)
        // Rows alternate between three banks; the 77 and the missing value are the first bank's.
        var values = (0..<300).map { Double($0 / 3 % 5 * 10) }
        values[150] = 77
        values[153] = .nan
        let bins = try model(values, feature: feature, banks: 3, [.contributorsMin: 3]).bins[0]
        #expect(bins.bin(of: 77) == bins.bin(of: 40))
        #expect(bins.bin(of: .nan) == bins.missingBin)
        #expect(bins.missingBin != 0)
        #expect(Set([0.0, 10, 20, 30, 40].map { bins.bin(of: $0) }).count == 5)
        let alone = try model(values, feature: feature, banks: 3).bins[0]
        #expect(alone.bin(of: 77) != alone.bin(of: 40))
        #expect(alone.missingBin == 0)
    }

    @Test func `rare levels of a category join the fullest one`() throws {
        let feature = try TreeFeature(
            name: "x", kind: .categorical(levels: 4), range: 0...3, allowsMissing: true)
        var values = (0..<300).map { $0 / 3 % 3 == 0 ? 1.0 : 0 }
        values[150] = 3
        let bins = try model(values, feature: feature, banks: 3, [.contributorsMin: 3]).bins[0]
        #expect(bins.bin(of: 3) == bins.bin(of: 0))
        #expect(bins.bin(of: 1) != bins.bin(of: 0))
        #expect(bins.bin(of: 17) == bins.missingBin)
        #expect(bins.bin(of: 0.5) == bins.missingBin)
    }

    @Test func `grid positions and values are inverse to each other`() throws {
        let features = [
            try TreeFeature(name: "a", kind: .continuous, range: -1e6...1e9, allowsMissing: false),
            try TreeFeature(name: "b", kind: .continuous, range: 0...1, allowsMissing: false),
            try TreeFeature(name: "c", kind: .integer, range: -5...5000, allowsMissing: false),
        ]
        for feature in features {
            let grid = BinGrid(feature: feature, cells: 4096)
            var previous = -Double.infinity
            for cell in 0..<grid.cellCount {
                let value = grid.value(at: Double(cell) + 0.5)
                let position = try #require(grid.position(of: value))
                #expect(abs(position - Double(cell) - 0.5) < 1e-3)
                #expect(value > previous)
                previous = value
            }
            #expect(grid.position(of: .infinity).map { Int($0) } == grid.cellCount - 1)
            #expect(grid.position(of: -.infinity) == 0)
            #expect(grid.position(of: .nan) == nil)
        }
    }
}
