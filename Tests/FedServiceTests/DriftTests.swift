import FedCore
import FedDecision
import FedService
import Testing

@Suite("Drift of what is scored against reference rows")
struct DriftTests {
    private let bank: SmallBank
    private let engine: ScoringEngine

    init() throws {
        bank = try SmallBank()
        engine = try bank.engine()
    }

    private func meter(_ rows: [[Double]]) -> DriftMeter {
        let meter = DriftMeter(bank.rows, standard: bank.standard)
        meter.follow(engine)
        for row in rows {
            meter.count(
                row, probability: engine.score(row).parts.probability, model: engine.modelSHA256)
        }
        return meter
    }

    @Test func theReferenceItselfHasNotMoved() {
        let meter = meter((0..<bank.rows.rowCount).map(bank.row))
        #expect(meter.featureIndices.count == 3)
        for (name, index) in meter.featureIndices { #expect(index < 1e-9, "\(name)") }
        #expect((meter.scoreIndex ?? 1) < 1e-9)
    }

    @Test func whatMovesIsNamed() {
        let rows = (0..<600).map { index -> [Double] in
            var row = bank.row(index)
            row[0] = min(row[0] * 3 + 500, 10_000)
            return row
        }
        let meter = meter(rows)
        let indices = Dictionary(
            uniqueKeysWithValues: meter.featureIndices.map { ($0.name, $0.index) })
        #expect((indices["amount"] ?? 0) > 0.25)
        #expect((indices["count"] ?? 1) < 0.1)
        #expect((indices["night"] ?? 1) < 0.1)
        #expect((meter.scoreIndex ?? 0) > 0.1)
    }

    /// By hand: shares of 0.9 and 0.1 where 0.5 and 0.5 were.
    @Test func theIndexIsTheSumOfItsParts() throws {
        let half = Dataset(
            columns: [[0, 0, 1, 1], [1, 1, 1, 1], [0, 1, 0, 1]].map { $0.map(Double.init) },
            labels: [0, 0, 0, 1])
        let meter = DriftMeter(half, standard: bank.standard)
        for index in 0..<1000 {
            meter.count([index % 10 == 0 ? 1 : 0, 1, Double(index % 2)], probability: 0, model: "")
        }
        let found = try #require(meter.featureIndices.first).index
        // 0.4 ln(0.9 / 0.5) - 0.4 ln(0.1 / 0.5) = 0.4 ln 9
        #expect((found - 0.878_889_8).magnitude < 1e-6)
        #expect(meter.scoreIndex == nil)
    }

    @Test func aFewRowsSayNothing() {
        #expect(meter([bank.row(0)]).featureIndices.isEmpty)
        #expect(meter([bank.row(0)]).scoreIndex == nil)
    }

    @Test func itStandsInTheMetrics() async throws {
        let meter = meter((0..<200).map(bank.row))
        let bench = try Bench { $0.drift = meter }
        try await bench.test { caller in
            let text = try await caller.get("/metrics").text
            #expect(text.contains("fed_feature_psi{feature=\"amount\"} "))
            #expect(text.contains("\nfed_score_psi "))
        }
    }
}
