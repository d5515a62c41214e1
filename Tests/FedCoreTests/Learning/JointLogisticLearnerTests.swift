import FedCore
import Testing

@Suite("Logistic regression on sums of several banks")
struct JointLogisticLearnerTests {
    @Test(arguments: 1...12)
    func federatedEqualsPooledForRandomDealings(seed: Int) throws {
        var generator = SampleGenerator(seed: 100 + seed)
        let features = 1 + generator.below(6)
        let banks = 3 + generator.below(5)
        let data = LogisticSamples.dataset(
            seed: 200 + seed, rows: 300 + generator.below(3_000), features: features,
            rateShift: generator.uniform())
        try #require(data.fraudCount > 0, "seed \(seed)")
        // Bank 0 has no rows, bank 1 no frauds.
        let parts = LogisticSamples.deal(data, to: banks) { row in
            let bank = 1 + generator.below(banks - 1)
            return data.labels[row] == 1 && bank == 1 ? banks - 1 : bank
        }
        #expect(parts[0].rowCount == 0 && parts[1].fraudCount == 0, "seed \(seed)")
        let space = try LogisticSamples.space(features: features)
        let configuration = try LogisticConfiguration([
            "lambda": [0.1, 1, 10][seed % 3], "fraudWeight": [1, 5][seed % 2],
        ])
        let pooled = try LogisticTrainer.train(
            on: [data], space: space, configuration: configuration)
        let (joint, sums) = try LogisticSamples.trainJointly(
            parts, space: space, configuration: configuration)
        let difference = LogisticSamples.largestDifference(
            joint.coefficients + [joint.intercept], pooled.coefficients + [pooled.intercept])
        #expect(difference < 1e-8, "seed \(seed)")
        let errors = LogisticSamples.largestDifference(joint.standardErrors, pooled.standardErrors)
        #expect(errors < 1e-8, "seed \(seed)")
        #expect(joint.rowCount == data.rowCount && joint.fraudCount == data.fraudCount)
        #expect(sums <= 12, "seed \(seed)")
    }

    @Test func aConstantFeatureIsSeenInTheSums() throws {
        let data = LogisticSamples.dataset(seed: 31, rows: 2_000, features: 2, rateShift: 0.5)
        let constant = [Double](repeating: 1.0 / 3, count: data.rowCount)
        let widened = Dataset(columns: data.columns + [constant], labels: data.labels)
        let space = try LogisticSamples.space(features: 3)
        let parts = LogisticSamples.deal(widened, to: 3) { $0 % 3 }
        let (joint, _) = try LogisticSamples.trainJointly(
            parts, space: space, configuration: .init())
        let pooled = try LogisticTrainer.train(
            on: [widened], space: space, configuration: .init())
        #expect(joint.standardisation.varies == [true, true, false])
        #expect(joint.coefficients[2] == 0)
        #expect(
            LogisticSamples.largestDifference(joint.coefficients, pooled.coefficients) < 1e-8)
    }

    @Test func wideRangesWithRareLargeValuesStayWithinTheBounds() throws {
        // All that a bank may hold at the ends of a range of 10^6, in one bank's hands.
        var generator = SampleGenerator(seed: 32)
        let values = (0..<2_000).map { _ in generator.uniform() < 0.01 ? 1e6 : generator.uniform() }
        let labels = values.map { UInt8($0 > 0.9 ? 1 : 0) }
        let data = Dataset(columns: [values], labels: labels)
        let space = try LogisticSamples.space(features: 1, transform: .identity, range: 0...1e6)
        let parts = LogisticSamples.deal(data, to: 3) { _ in 1 }
        let (joint, _) = try LogisticSamples.trainJointly(
            parts, space: space, configuration: .init())
        let pooled = try LogisticTrainer.train(on: [data], space: space, configuration: .init())
        #expect(
            LogisticSamples.largestDifference(joint.coefficients, pooled.coefficients) < 1e-8)
    }

    @Test func aRangeTooWideForExactSumsIsRefused() throws {
        let space = try LogisticSamples.space(features: 1, transform: .identity, range: 0...1e12)
        #expect(throws: LearningError.self) {
            try JointLogisticLearner(
                space: space, configuration: .init(), contributors: 5, manifestHash: nil)
        }
    }

    @Test func sumsThatCannotBeAreRefused() throws {
        let space = try LogisticSamples.space(features: 1)
        func absorb(_ integers: [Int64]) throws {
            var joint = try JointLogisticLearner(
                space: space, configuration: .init(), contributors: 3, manifestHash: nil)
            try joint.absorb(Aggregate(integers: integers))
        }
        #expect(throws: LearningError.laneCount(got: 2, expected: 3)) { try absorb([5, 1]) }
        for sums: [Int64] in [[-1, 0, 0], [5, 6, 0], [5, -1, 0], [5, 1, .max], [.max, 1, 0]] {
            #expect(throws: LearningError.self) { try absorb(sums) }
        }
        for sums: [Int64] in [[0, 0, 0], [5, 0, 0], [5, 5, 0]] {
            #expect(throws: LearningError.self) { try absorb(sums) }
        }
    }

    @Test func progressCountsNewtonRounds() throws {
        let data = LogisticSamples.dataset(seed: 33, rows: 600, features: 2, rateShift: 0.3)
        let space = try LogisticSamples.space(features: 2)
        var joint = try JointLogisticLearner(
            space: space, configuration: .init(), contributors: 1, manifestHash: nil)
        var local = try LocalLogisticLearner(dataset: data, space: space, configuration: .init())
        var rounds: [Int] = []
        var kinds: [String] = []
        while case .query(let query) = try joint.next() {
            let again = try joint.next()
            guard case .query(query) = again else {
                Issue.record("next() moved the learner")
                return
            }
            rounds.append(query.round)
            kinds.append(query.kind)
            let vector = try local.answer(query, contributors: 1)
            try joint.absorb(Aggregate(plaintextSumOf: [vector]))
        }
        #expect(kinds.prefix(3) == ["row-sums", "moments", "newton"])
        #expect(rounds == [0, 0] + Array(1...rounds.count - 2))
        #expect(joint.progress.roundsDone == rounds.count - 2)
        #expect(throws: LearningError.self) { try joint.absorb(Aggregate(integers: [1])) }
        guard case .finished(let document) = try joint.next() else {
            Issue.record("not finished")
            return
        }
        #expect(try LogisticModel(bytes: document.bytes) == joint.model)
    }
}
