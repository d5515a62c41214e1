import FedCore
import Testing

@Suite("The combination of local and federated scores")
struct CombinedModelTests {
    private struct Vectors: Decodable {
        struct Combination: Decodable {
            let seed: Int
            let rows: Int
            let intercept: Double
            let localWeight: Double
            let federatedWeight: Double
        }
        let combinations: [Combination]
    }

    @Test func weightsAreThoseOfScikitLearn() throws {
        let vectors = try LogisticSamples.vectors("logistic-evaluation", as: Vectors.self)
        for vector in vectors.combinations {
            var generator = SampleGenerator(seed: vector.seed)
            var local: [Double] = []
            var federated: [Double] = []
            var labels: [UInt8] = []
            for _ in 0..<vector.rows {
                let truth = generator.uniform() * 40 - 22
                local.append(truth + (generator.uniform() * 4 - 2))
                federated.append(truth + (generator.uniform() * 3 - 1.5))
                let rate = 1 / (1 + exponential(-(truth * 0.4))) * 0.8 + 0.05
                labels.append(generator.uniform() < rate ? 1 : 0)
            }
            let model = try CombinedModel.fit(local: local, federated: federated, labels: labels)
            guard case .stacked(let intercept, let localWeight, let federatedWeight) = model.rule
            else {
                Issue.record("seed \(vector.seed): \(model.rule)")
                continue
            }
            let difference = LogisticSamples.largestDifference(
                [intercept, localWeight, federatedWeight],
                [vector.intercept, vector.localWeight, vector.federatedWeight])
            #expect(difference < 1e-8, "seed \(vector.seed)")
            let bound = naturalLogarithm((1 - 1e-6) / 1e-6)
            let expected = intercept + localWeight * bound - federatedWeight * bound
            #expect((model.logOdds(local: 99, federated: -99) - expected).magnitude < 1e-12)
        }
    }

    @Test func rowsThatCannotCarryAFitGiveTheMeanWithItsReason() throws {
        func rule(_ labels: [UInt8]) throws -> CombinedModel.Rule {
            let scores = labels.indices.map { Double($0) }
            return try CombinedModel.fit(local: scores, federated: scores, labels: labels).rule
        }
        #expect(try rule([]) == .mean(.noRows))
        #expect(try rule([1, 1, 1, 1, 0, 0]) == .mean(.fewFrauds))
        #expect(try rule([1, 1, 1, 1, 1]) == .mean(.noNormalRows))
        guard case .stacked = try rule([1, 0, 1, 1, 0, 1, 0, 1]) else {
            Issue.record("five frauds and three normal rows carry a fit")
            return
        }
        let mean = CombinedModel(rule: .mean(.fewFrauds))
        #expect(mean.logOdds(local: [1, 2], federated: [3, -4]) == [2, -1])
        #expect(throws: LearningError.self) {
            try CombinedModel.fit(local: [.nan], federated: [0], labels: [1])
        }
    }

    @Test func readingGivesBackWhatWasWritten() throws {
        let stacked = CombinedModel.Rule.stacked(
            intercept: 0.1, localWeight: 0.3, federatedWeight: 1)
        let rules = [stacked] + CombinedModel.MeanReason.allCases.map { .mean($0) }
        for rule in rules {
            let bytes = CombinedModel(rule: rule).bytes
            #expect(try CombinedModel(bytes: bytes).rule == rule)
            for length in 0..<bytes.count {
                #expect(throws: LearningError.self) {
                    try CombinedModel(bytes: Array(bytes.prefix(length)))
                }
            }
            #expect(throws: LearningError.self) { try CombinedModel(bytes: bytes + [0x20]) }
        }
    }
}
