import FedCore
import FedDecision
import FedService
import Testing

@Suite("A challenger in shadow") struct ShadowTests {
    /// A source that always has the same model.
    private struct Fixed: ModelSource {
        let name = "challenger"
        let model: BankModel

        func mark() -> ModelMark? { ModelMark("\(model.version)") }
        func load() throws(ServiceError) -> BankModel { model }
    }

    /// A model that believes the opposite of the bank's.
    private func contrary(_ bank: SmallBank) throws -> BankModel {
        let configuration = try GradientBoostingConfiguration([
            .treesMax: 8, .depthMax: 3, .contributorsMin: 1, .childRowsMin: 1, .gridCells: 512,
        ])
        let turned = Dataset(columns: bank.rows.columns, labels: bank.rows.labels.map { 1 - $0 })
        let trained = try AlgorithmConfiguration.boosting(configuration)
            .train(standard: bank.standard, fit: [turned], threads: 1)
        return try BankModel(
            version: 2, local: nil, federated: trained, residual: nil,
            choice: CombinationChoice(
                rule: CombinationRule(kind: .federated), reason: .noLocalModel,
                calibration: .identity),
            reviewShare: 0)
    }

    private func bench(_ models: [BankModel], standard: FeatureStandard) throws -> Bench {
        let folder = try ScratchFolder()
        let first = try Bench(folder: folder)
        let clock = first.clock
        let shadow = ShadowScorer(
            sources: models.map(Fixed.init), standard: standard, store: first.store,
            now: { clock.now }, logger: first.logger)
        return try Bench(folder: folder) { $0.shadow = shadow }
    }

    @Test func itIsHeldAgainstTheModelThatAnswersOnTheSameListsAndVerdicts() async throws {
        let bank = try SmallBank()
        let model = try contrary(bank)
        let bench = try bench([model], standard: bank.standard)
        let (ours, theirs) = (
            try BankScorer(bench.reference.current.model, standard: bank.standard),
            try BankScorer(model, standard: bank.standard)
        )
        let rows = (0..<60).map { bank.row($0) }
        @Sendable func name(_ index: Int) -> String { "e\(index % 20)" }
        @Sendable func amount(_ index: Int) -> Int64 { Int64(10_000 + 137 * index) }
        /// The entities with the greatest expected losses, computed anew.
        func leading(_ scorer: BankScorer) -> Set<String> {
            var losses: [String: Double] = [:]
            for (index, row) in rows.enumerated() {
                losses[name(index), default: 0] +=
                    scorer.parts(of: row).probability * Double(amount(index))
            }
            return Set(
                losses.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(6).map(\.key))
        }
        let (champion, challenger) = (leading(ours), leading(theirs))
        try #require(champion != challenger)
        try await bench.test { caller in
            let body = rows.enumerated().map { index, row in
                bank.json(row, id: "t\(index)", entity: name(index), amount: amount(index))
            }
            #expect(try await caller.post("/v1/score?record=true", .array(body)).status == 200)
            // Eight places, a quarter of them drawn: six are ranked.
            let order = CanonicalJSON.object([
                "capacity": .integer(8), "exploration_share": .number(0.25),
            ])
            #expect(try await caller.post("/v1/lists", order).status == 201)
            for found in try await bench.store.cases(.all, list: nil, limit: 100)
            where found.slice == "ranked" {
                let verdict = CanonicalJSON.object([
                    "case": .string(found.id), "entity": .string(found.entity),
                    "verdict": .string(found.rank <= 4 ? "confirmed_fraud" : "false_alarm"),
                    "reviewer": .string("li"),
                ])
                #expect(try await caller.post("/v1/verdicts", verdict).status == 200)
            }
            let missed = try #require(challenger.subtracting(champion).min())
            let fraud = CanonicalJSON.array([.object(["entity": .string(missed)])])
            #expect(try await caller.post("/v1/frauds", fraud).status == 200)

            let comparisons = try await bench.store.shadowComparisons()
            let compared = try #require(comparisons.first)
            #expect(comparisons.count == 1 && compared.model == model.digest.hexadecimal)
            #expect(compared.transactions == 60)
            let distance = rows.reduce(0.0) {
                $0 + abs(ours.parts(of: $1).probability - theirs.parts(of: $1).probability)
            }
            #expect(abs(compared.meanDifference - distance / 60) < 1e-9)
            #expect(compared.lists == 1)
            #expect(compared.listedByBoth == champion.intersection(challenger).count)
            #expect(compared.listedByChampionOnly == champion.subtracting(challenger).count)
            #expect(compared.listedByChallengerOnly == challenger.subtracting(champion).count)
            #expect(compared.fraudsOfBoth + compared.fraudsOfChampionOnly == 4)
            #expect(compared.fraudsOfChallengerOnly == 1)
            let metrics = try await caller.get("/metrics").text
            #expect(
                metrics.contains("fed_shadow_transactions{model=\"\(compared.model)\"} 60"),
                "\(metrics)")
        }
    }

    @Test func eachOfTwoChallengersIsHeldAgainstTheModelThatAnswers() async throws {
        let bank = try SmallBank()
        let models = [try contrary(bank), try bank.model(version: 3, trees: 5)]
        let bench = try bench(models, standard: bank.standard)
        try await bench.test { caller in
            let body = (0..<30).map { index in
                bank.json(bank.row(index), id: "t\(index)", entity: "e\(index)", amount: 10_000)
            }
            #expect(try await caller.post("/v1/score?record=true", .array(body)).status == 200)
            let order = CanonicalJSON.object(["capacity": .integer(5)])
            #expect(try await caller.post("/v1/lists", order).status == 201)
            let compared = try await bench.store.shadowComparisons()
            #expect(
                Set(compared.map(\.model)) == Set(models.map { $0.digest.hexadecimal }))
            for comparison in compared {
                #expect(comparison.transactions == 30 && comparison.lists == 1)
            }
        }
    }

    @Test func withoutAChallengerNothingIsCompared() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let body = bench.bank.json(bench.bank.row(0), id: "t", entity: "e", amount: 100)
            #expect(try await caller.post("/v1/score?record=true", body).status == 200)
            let order = CanonicalJSON.object(["capacity": .integer(1)])
            let made = try await caller.post("/v1/lists", order)
            #expect(made.status == 201)
            #expect(try await bench.store.shadowComparisons().isEmpty)
        }
    }
}
