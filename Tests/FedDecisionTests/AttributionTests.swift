import FedCore
import FedDecision
import Testing

/// Oracles: additivity, and the definition of Shapley values over all subsets.
@Suite("Attributions of scores to features")
struct AttributionTests {
    /// What a model says when only some features of a row are known: the mean over covers.
    private func value(
        _ model: GradientBoostingModel, _ row: [Double], known: Int
    ) -> Double {
        func walk(_ tree: RegressionTree, _ index: Int) -> Double {
            let node = tree.nodes[index]
            guard let feature = node.feature else {
                return Double(node.weight) / Double(1 << 20)
            }
            let (left, right) = (tree.nodes[node.left], tree.nodes[node.left + 1])
            if known & (1 << feature) != 0 {
                let code = model.bins[feature].bin(of: row[feature])
                let goesLeft =
                    model.bins[feature].isCategorical
                    ? code == node.bin : code <= node.bin && (code > 0 || node.missingLeft)
                return walk(tree, goesLeft ? node.left : node.left + 1)
            }
            let cover = left.cover + right.cover
            return
                (left.cover * walk(tree, node.left)
                + right.cover * walk(tree, node.left + 1)) / cover
        }
        return model.trees.reduce(Double(model.baseMargin) / Double(1 << 20)) {
            $0 + walk($1, 0)
        }
    }

    private func bruteForce(_ model: GradientBoostingModel, _ row: [Double]) -> [Double] {
        let count = row.count
        func factorial(_ number: Int) -> Double { (0..<number).reduce(1) { $0 * Double($1 + 1) } }
        let values = (0..<(1 << count)).map { value(model, row, known: $0) }
        return (0..<count).map { feature in
            (0..<(1 << count)).filter { $0 & (1 << feature) == 0 }.reduce(0) { sum, subset in
                let size = subset.nonzeroBitCount
                let weight =
                    factorial(size) * factorial(count - size - 1) / factorial(count)
                return sum + weight * (values[subset | (1 << feature)] - values[subset])
            }
        }
    }

    @Test func treesAgreeWithTheDefinitionOverAllSubsets() throws {
        for seed in 1...4 as ClosedRange<UInt64> {
            let table = try SmallTable(rows: 1500, seed: seed)
            guard case .boosting(let model) = try table.trees(8, depth: 6, seed: Double(seed))
            else { continue }
            let attributor = TreeAttributor(model)
            let scorer = TreeScorer(model)
            // Deep trees split a feature again on the same way, which is where the algorithm's
            // unwinding matters.
            #expect(model.trees.contains { $0.depth > 4 }, "seed \(seed)")
            for index in 0..<40 {
                let row = table.row(index)
                let found = attributor.attribution(of: row)
                let expected = bruteForce(model, row)
                for (feature, contribution) in found.contributions.enumerated() {
                    #expect(
                        (contribution - expected[feature]).magnitude < 1e-9,
                        "seed \(seed) row \(index) feature \(feature)")
                }
                #expect(
                    (found.total - scorer.margin(of: row)).magnitude < 1e-9,
                    "seed \(seed) row \(index)")
                #expect((found.base - value(model, row, known: 0)).magnitude < 1e-9)
            }
        }
    }

    /// Deeper trees than all subsets can be tried for, against the algorithm as published.
    @Test func treesAgreeWithTheListingOfThePaper() throws {
        for (seed, depth) in [(11, 8), (12, 6), (13, 1), (14, 3)] as [(UInt64, Double)] {
            let table = try SmallTable(rows: 3000, seed: seed)
            guard case .boosting(let model) = try table.trees(20, depth: depth, seed: Double(seed))
            else { continue }
            let (attributor, listing) = (TreeAttributor(model), PathAttributor(model))
            for index in 0..<100 {
                let row = table.row(index)
                let (found, expected) = (
                    attributor.attribution(of: row), listing.attribution(of: row)
                )
                #expect((found.base - expected.base).magnitude < 1e-10, "seed \(seed)")
                for (one, other) in zip(found.contributions, expected.contributions) {
                    #expect((one - other).magnitude < 1e-10, "seed \(seed) row \(index)")
                }
            }
        }
    }

    @Test func combinedScoresAreTheSumOfTheirReasons() throws {
        let table = try SmallTable(rows: 1500, seed: 9)
        let (local, joint) = (try table.trees(6, seed: 1), try table.linear())
        let kinds: [CombinationRule.Kind] = [
            .federated, .local,
            .stacked(intercept: -0.2, localWeight: 0.4, federatedWeight: 0.7),
        ]
        for kind in kinds {
            let model = try BankModel(
                version: 1, local: local, federated: joint, residual: nil,
                choice: CombinationChoice(
                    rule: CombinationRule(kind: kind, lenience: 0.1), reason: .incumbent,
                    calibration: .identity),
                reviewShare: 0.01)
            let explainer = try ReasonExplainer(model, standard: table.standard)
            let scorer = try BankScorer(model, standard: table.standard)
            let all = try scorer.logOdds(of: table.rows).combined
            var floors = 0
            for index in 0..<200 {
                let row = table.row(index)
                let parts = scorer.parts(of: row)
                if parts.isFloor { floors += 1 }
                #expect((parts.combined - all[index]).magnitude < 1e-9, "\(kind) row \(index)")
                let total = explainer.attribution(of: row).total
                #expect((total - parts.combined).magnitude < 1e-9, "\(kind) row \(index)")
            }
            if case .stacked = kind { #expect((1..<200).contains(floors)) }
        }
    }

    @Test func reasonsComeInTwoLanguagesTheStrongestFirst() throws {
        let table = try SmallTable(rows: 1500, seed: 3)
        let model = try BankModel(
            version: 1, local: nil, federated: try table.trees(), residual: nil,
            choice: CombinationChoice(
                rule: CombinationRule(kind: .federated), reason: .noLocalModel,
                calibration: .identity),
            reviewShare: 0.01)
        let explainer = try ReasonExplainer(model, standard: table.standard)
        let reasons = explainer.reasons(for: [8000, 30, 1, 2], count: 3)
        #expect(reasons.count == 3)
        #expect(reasons.map(\.contribution) == reasons.map(\.contribution).sorted(by: >))
        let amount = try #require(reasons.first { $0.feature == "amount" })
        #expect(amount.description == "Amount of the payment.")
        #expect(amount.descriptionChinese == "交易金额")
        #expect(amount.value == 8000)
        let other = try #require(reasons.first { $0.feature != "amount" })
        #expect(other.descriptionChinese == other.description)
        #expect(
            explainer.reasons(for: [8000, .nan, 1, .nan], count: 9).allSatisfy {
                $0.contribution > 0
            })
    }

    @Test func aStandardWithChineseReadsBackAndOneWithoutKeepsItsHash() throws {
        let table = try SmallTable(rows: 2, seed: 1)
        let again = try FeatureStandard(json: table.standard.readableBytes)
        #expect(again == table.standard)
        let plain = String(decoding: table.standard.canonicalBytes, as: UTF8.self)
        #expect(plain.contains("\"description_zh\":\"交易金额\""))
        #expect(plain.split(separator: "description_zh").count == 2)
    }
}
