import FedCore
import Testing

@Suite("A bank's answers in logistic regression")
struct LocalLogisticLearnerTests {
    private let space: LinearFeatureSpace
    private let data: Dataset

    init() throws {
        space = try LogisticSamples.space(features: 2)
        data = LogisticSamples.dataset(seed: 41, rows: 700, features: 2, rateShift: 0.3)
    }

    private func local() throws -> LocalLogisticLearner {
        try LocalLogisticLearner(dataset: data, space: space, configuration: .init())
    }

    /// Every query of an honest run with one bank.
    private func queries(contributors: Int = 3) throws -> [Query] {
        var joint = try JointLogisticLearner(
            space: space, configuration: .init(), contributors: contributors, manifestHash: nil)
        var local = try local()
        var queries: [Query] = []
        while case .query(let query) = try joint.next() {
            queries.append(query)
            let vector = try local.answer(query, contributors: contributors)
            try joint.absorb(Aggregate(plaintextSumOf: [vector]))
        }
        return queries
    }

    private func changed(_ query: Query, _ change: (inout [UInt8]) -> Void) -> Query {
        var body = query.body
        change(&body)
        return Query(round: query.round, kind: query.kind, body: body, layout: query.layout)
    }

    private func sums(_ vector: EncodedVector) -> [Int64] {
        Aggregate(plaintextSumOf: [vector]).integers
    }

    @Test func aRepeatedQueryHasTheSameAnswerAndAFreshLearnerAgrees() throws {
        var steady = try local()
        for query in try queries() {
            let answer = sums(try steady.answer(query, contributors: 3))
            #expect(sums(try steady.answer(query, contributors: 3)) == answer)
            var fresh = try local()
            #expect(sums(try fresh.answer(query, contributors: 3)) == answer)
        }
    }

    @Test func queriesOutOfOrderAreRefused() throws {
        let queries = try queries()
        for (before, after) in [(1, 0), (2, 0), (2, 1), (0, 2), (3, 2), (2, 4)] {
            var local = try local()
            _ = try local.answer(queries[before], contributors: 3)
            #expect(throws: LearningError.self, "\(before) then \(after)") {
                try local.answer(queries[after], contributors: 3)
            }
            // The refusal leaves the learner as it was.
            _ = try local.answer(queries[before], contributors: 3)
        }
    }

    @Test func aScaleOneStepTooFineIsRefused() throws {
        let queries = try queries()
        for index in [0, 1, 2] {
            var local = try local()
            let finer = changed(queries[index]) { $0[$0.count - 1] += 1 }
            #expect(throws: LearningError.self) { try local.answer(finer, contributors: 3) }
        }
        var local = try local()
        // A larger roster needs coarser scales.
        #expect(throws: LearningError.self) { try local.answer(queries[0], contributors: 12) }
        _ = try local.answer(queries[0], contributors: 2)
    }

    @Test func anotherStandardLayoutRoundOrKindIsRefused() throws {
        let queries = try queries()
        let first = queries[0]
        let layout = try #require(VectorLayout(laneCount: first.layout.laneCount + 1))
        let narrow = try #require(VectorLayout(laneCount: first.layout.laneCount, ringBits: 48))
        let bad = [
            changed(first) { $0[0] ^= 1 },
            Query(round: 0, kind: "newton", body: first.body, layout: first.layout),
            Query(round: 1, kind: first.kind, body: first.body, layout: first.layout),
            Query(round: 0, kind: first.kind, body: first.body, layout: layout),
            Query(round: 0, kind: first.kind, body: first.body, layout: narrow),
            Query(round: 0, kind: "newton", body: queries[2].body, layout: queries[2].layout),
            Query(round: 999, kind: "newton", body: queries[2].body, layout: queries[2].layout),
        ]
        for query in bad {
            var local = try local()
            #expect(throws: LearningError.self) { try local.answer(query, contributors: 3) }
        }
    }

    @Test func damagedQueriesAreRefusedOrAnsweredButNeverTrap() throws {
        var generator = SampleGenerator(seed: 42)
        for query in try queries() {
            for length in 0..<query.body.count {
                var local = try local()
                let cut = changed(query) { $0.removeLast($0.count - length) }
                #expect(throws: LearningError.self) { try local.answer(cut, contributors: 3) }
            }
            for _ in 0..<200 {
                var local = try local()
                let flipped = changed(query) {
                    $0[generator.below($0.count)] ^= UInt8(1 << generator.below(8))
                }
                if let vector = try? local.answer(flipped, contributors: 3) {
                    #expect(vector.layout == query.layout)
                }
            }
        }
    }

    @Test func fewerRowsInAllThanTheBankHasIsRefused() throws {
        let query = try queries()[1]
        // The row count is the 64-bit integer after the hash and the kind.
        let fewer = changed(query) { $0[33 + 7] = 1 }
        var local = try local()
        #expect(throws: LearningError.self) { try local.answer(fewer, contributors: 3) }
    }

    @Test func theOverflowBoundHoldsToTheUnit() throws {
        let layout = try #require(VectorLayout(laneCount: 1))
        let most = layout.laneMagnitudeMax(contributors: 5)
        for value in [most, -most] {
            let vector = try EncodedVector(integers: [value], layout: layout, contributors: 5)
            let sum = Aggregate(plaintextSumOf: [vector, vector, vector, vector, vector])
            #expect(sum.integers == [5 * value])
        }
        for value in [most + 1, -most - 1] {
            #expect(throws: LearningError.laneOutOfRange(lane: 0, laneMagnitudeMax: most)) {
                try EncodedVector(integers: [value], layout: layout, contributors: 5)
            }
        }
    }
}
