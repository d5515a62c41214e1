import FedCore
import Testing

@Suite("Measures of a ranking")
struct RankedScoresTests {
    private struct Vectors: Decodable {
        struct Ranking: Decodable {
            let seed: Int
            let rows: Int
            let levels: Int
            let areaUnderROC: Double
            let averagePrecision: Double
            let kolmogorovSmirnov: Double
            let shares: [Double]
            let caught: [Int]
        }
        let rankings: [Ranking]
    }

    private func sample(seed: Int, rows: Int, levels: Int) -> (scores: [Double], labels: [UInt8]) {
        var generator = SampleGenerator(seed: seed)
        var scores: [Double] = []
        var labels: [UInt8] = []
        for _ in 0..<rows {
            let score = (generator.uniform() * Double(levels)).rounded(.down) / Double(levels)
            scores.append(score)
            labels.append(generator.uniform() < 0.05 + 0.4 * score ? 1 : 0)
        }
        return (scores, labels)
    }

    @Test func measuresAreThoseOfScikitLearn() throws {
        let vectors = try LogisticSamples.vectors("logistic-evaluation", as: Vectors.self)
        for vector in vectors.rankings {
            let (scores, labels) = sample(
                seed: vector.seed, rows: vector.rows, levels: vector.levels)
            let ranked = try RankedScores(scores: scores, labels: labels)
            let pairs = [
                (try #require(ranked.areaUnderROC), vector.areaUnderROC),
                (try #require(ranked.averagePrecision), vector.averagePrecision),
                (try #require(ranked.kolmogorovSmirnov), vector.kolmogorovSmirnov),
            ]
            for (got, expected) in pairs {
                #expect((got - expected).magnitude < 1e-13, "seed \(vector.seed)")
            }
            for (share, caught) in zip(vector.shares, vector.caught) {
                #expect(ranked.review(share: share).caught == caught, "seed \(vector.seed)")
            }
        }
    }

    @Test(arguments: 1...20)
    func theAreaIsTheShareOfPairsInOrder(seed: Int) throws {
        let (scores, labels) = sample(seed: 60 + seed, rows: 60, levels: 5)
        var pairs = 0.0
        var won = 0.0
        for fraud in labels.indices where labels[fraud] == 1 {
            for normal in labels.indices where labels[normal] == 0 {
                pairs += 1
                if scores[fraud] > scores[normal] { won += 1 }
                if scores[fraud] == scores[normal] { won += 0.5 }
            }
        }
        let area = try RankedScores(scores: scores, labels: labels).areaUnderROC
        #expect(area == (pairs > 0 ? won / pairs : nil), "seed \(seed)")
    }

    @Test func ofEqualScoresTheEarlierRowIsReviewedFirst() throws {
        let scores = [0.5, 0.9, 0.5, 0.5]
        let first = try RankedScores(scores: scores, labels: [1, 0, 0, 0])
        #expect(first.review(share: 0.5) == ReviewOutcome(reviewed: 2, caught: 1, frauds: 1))
        let last = try RankedScores(scores: scores, labels: [0, 0, 0, 1])
        #expect(last.review(share: 0.5).caught == 0)
        #expect(last.review(share: 0).reviewed == 1)
        #expect(last.review(share: 1).caught == 1)
    }

    @Test func measuresOfOneClassOrNoRowsAreNil() throws {
        let normal = try RankedScores(scores: [1, 2], labels: [0, 0])
        #expect(normal.areaUnderROC == nil && normal.averagePrecision == nil)
        #expect(
            normal.kolmogorovSmirnov == nil && normal.precisionRecallCurve(pointsMax: 9).isEmpty)
        let fraud = try RankedScores(scores: [1, 2], labels: [1, 1])
        #expect(fraud.areaUnderROC == nil && fraud.averagePrecision == 1)
        let none = try RankedScores(scores: [], labels: [])
        #expect(none.review(share: 0.5) == ReviewOutcome(reviewed: 0, caught: 0, frauds: 0))
        #expect(throws: LearningError.self) { try RankedScores(scores: [.nan], labels: [1]) }
    }

    @Test func gainIsMeasuredOnAllBanksTogether() {
        let old = ReviewOutcome(reviewed: 10, caught: 4, frauds: 9)
        let total = old + ReviewOutcome(reviewed: 5, caught: 1, frauds: 2)
        #expect(total == ReviewOutcome(reviewed: 15, caught: 5, frauds: 11))
        let new = ReviewOutcome(reviewed: 15, caught: 6, frauds: 11)
        #expect(new.interceptionGain(over: total) == 6.0 / 5 - 1)
        #expect(new.interceptionGain(over: .init(reviewed: 1, caught: 0, frauds: 1)) == nil)
        #expect(new.recall == 6.0 / 11 && new.precision == 6.0 / 15)
    }

    @Test func theThinnedCurveKeepsItsEndsAndItsPoints() throws {
        let (scores, labels) = sample(seed: 70, rows: 5_000, levels: 100_000)
        let ranked = try RankedScores(scores: scores, labels: labels)
        let whole = ranked.precisionRecallCurve(pointsMax: 1_000_000)
        let thin = ranked.precisionRecallCurve(pointsMax: 50)
        #expect(thin.count <= 53 && thin.count >= 48)
        #expect(thin.first == whole.first && thin.last == whole.last)
        #expect(thin.last?.recall == 1)
        #expect(zip(thin, thin.dropFirst()).allSatisfy { $0.recall <= $1.recall })
        #expect(thin.allSatisfy { whole.contains($0) })
    }
}
