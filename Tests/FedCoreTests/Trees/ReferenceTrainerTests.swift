import FedCore
import Testing

@Suite struct ReferenceTrainerTests {
    @Test(arguments: [
        [BoostingParameter.contributorsMin: 1.0],
        [.contributorsMin: 3, .childRowsMin: 15],
        [.fraudWeight: 40, .depthMax: 6, .leafRegularisation: 0, .childHessianMin: 0.01],
        [.rowSample: 1, .columnSample: 1, .splitGainMin: 1, .binsMax: 16],
    ])
    func `the trainer grows the trees of its plain twin`(
        parameters: [BoostingParameter: Double]
    ) throws {
        for seed: UInt64 in 20...22 {
            let table = try TreeTable(rows: 700, seed: seed)
            let configuration = try quickConfiguration(
                [.seed: Double(seed), .treesMax: 5].merging(parameters) { $1 })
            let banks = table.dealt(banks: 4, seed: seed)
            let model = try GradientBoostingTrainer.train(
                datasets: banks, schema: table.schema, configuration: configuration, threads: 2)
            let names = banks.enumerated().flatMap { index, bank in
                [Int](repeating: index, count: bank.rowCount)
            }
            let all = Dataset(
                columns: (0..<table.width).map { feature in banks.flatMap { $0.columns[feature] } },
                labels: banks.flatMap(\.labels))
            var twin = ReferenceTrainer(
                dataset: all, banks: names, bins: model.bins, configuration: configuration,
                baseMargin: model.baseMargin)
            let usable = (0..<table.width).filter { Set(twin.codes[$0]).count > 1 }
            for (number, tree) in model.trees.enumerated() {
                let expected = twin.grow(tree: number, usable: usable)
                #expect(tree == expected, "seed \(seed), tree \(number)")
            }
            #expect(model.trees.contains { $0.depth > 1 }, "seed \(seed): trees are too small")
            let margins = try TreeScorer(model).margins(of: all.columns)
            #expect(margins == twin.margins.map { Double($0) * GradientScale.marginUnit })
        }
    }

    @Test func `gradients and hessians are the logistic loss's, rounded`() {
        for margin in stride(from: Int32(-40 << 20), through: 40 << 20, by: 77_777) {
            for label: UInt8 in 0...1 {
                let pair = GradientScale.gradient(margin: margin, label: label, fraudWeight: 3)
                let x = Double(margin) * GradientScale.marginUnit
                let p = 1 / (1 + exponential(-x))
                let weight = (label == 1 ? 3.0 : 1) / GradientScale.gradientUnit
                #expect(abs(Double(pair.gradient) - (p - Double(label)) * weight) <= 0.51)
                let hessian = max(1, p * (1 - p) * weight)
                #expect(abs(Double(pair.hessian) - hessian) <= 0.51)
            }
        }
    }

    /// exp by squaring (1 + x/2^k) of high order: slow, independent of the kernel.
    private func exponential(_ x: Double) -> Double {
        var term = 1.0
        var sum = 1.0
        let small = x / 1024
        for k in 1...20 {
            term *= small / Double(k)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }
}
