import FedCore
import FedCrypto
import FedSimulation
import Testing

/// Indicators through the real machines of the protocol: keys, masks, sums.
@Suite struct IndicatorRunTests {
    private let derivation: Derivation
    private let banks: [[RawRow]]

    init() throws {
        let count = Indicator.Measure(name: "count", kind: .count, most: 500)
        let frauds = Indicator.Measure(name: "frauds", kind: .frauds, most: 500)
        let figure = IndicatorFigure(
            indicator: "risk", measure: "frauds", window: TimeWindow(far: 300, near: 100))
        derivation = try Derivation(
            name: "shared", version: 1, description: "Shops.", standard: "shared", labelDelay: 50,
            ties: .arrival,
            columns: [
                RawColumn(name: "time", role: .time, kind: .integer),
                RawColumn(name: "shop", role: .entity, kind: .integer),
                RawColumn(name: "fraud", role: .label, kind: .integer),
            ],
            indicators: [
                Indicator(
                    name: "risk", entity: "shop", period: 100, delay: 50, floorBanks: 3,
                    floorWindow: 200, index: .sketch(width: 64, depth: 2),
                    measures: [count, frauds])
            ],
            features: [Derivation.DerivedFeature(name: "risk", value: .indicator(figure))])
        banks = (0..<5).map { bank in
            var generator = SeededGenerator(seed: UInt64(bank))
            return (0..<200).map { index in
                RawRow(
                    time: Int64(index * 2), number: Int64(index),
                    isFraud: generator.next() % 4 == 0, numbers: [],
                    entities: [EntityKey(Int64(generator.next() % 40))])
            }
        }
    }

    private func ledgers() throws -> [IndicatorLedger] {
        let secrets = try IndicatorSecrets(key: SecretBytes([UInt8](repeating: 9, count: 32)))
        return try banks.map { rows in
            var ledger = try IndicatorLedger(derivation, indicator: "risk", secrets: secrets)
            for row in rows { ledger.add(row) }
            return ledger
        }
    }

    private func run(
        _ plan: IndicatorPlan, faults: FaultPlan = FaultPlan(), schedule: UInt64 = 0
    ) throws -> SimulatedConsortium.Result {
        let consortium = try ToyConsortium(bankCount: 5, seed: 3)
        let ledgers = try ledgers()
        let manifest = Manifest(
            run: consortium.manifest.run, algorithm: .indicators(plan),
            standardDigest: consortium.manifest.standardDigest, standardName: "toy 1",
            charter: consortium.charter)
        let joint = try JointIndicatorLearner(
            plan: plan, contributors: 5, manifestHash: manifest.digest)
        var world = SimulatedConsortium(
            manifest: manifest, charter: consortium.charter,
            coordinatorKey: consortium.coordinatorKey, learner: { joint },
            banks: try consortium.banks.enumerated().map { index, bank in
                let local = try LocalIndicatorLearner(plan: plan, ledger: ledgers[index])
                return SimulatedConsortium.Bank(
                    configuration: try consortium.configuration(of: bank), learner: { local })
            },
            faults: faults, seed: schedule)
        return world.run()
    }

    @Test func everyBankGetsTheTableOfThePlainSums() throws {
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 4)
        let result = try run(plan)
        #expect(result.wrongSums.isEmpty)
        #expect(result.models.count == 5)
        let plain = try IndicatorTable.plaintext(plan, ledgers: ledgers())
        #expect(plain.periods.contains { !$0.cells.isEmpty })
        for model in result.models.values {
            let table = try IndicatorTable(bytes: model.bytes, derivation: derivation)
            #expect(table.periods == plain.periods)
            #expect(table.manifestHash != nil)
        }
    }

    @Test func withoutABankNothingIsSummedOverTheOthers() throws {
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 4)
        var faults = FaultPlan()
        faults.kills = [try #require(NodeID("E")): 5]
        let result = try run(plan, faults: faults)
        #expect(result.models.isEmpty)
        #expect(result.hasFullRosters)
        #expect(result.wrongSums.isEmpty)
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func deathsAndRestartsOfBanksChangeNothing(schedule: UInt64) throws {
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 4)
        let undisturbed = try run(plan)
        var faults = FaultPlan()
        faults.bankKillShare = 0.02
        faults.coordinatorKillShare = 0.01
        let result = try run(plan, faults: faults, schedule: schedule)
        #expect(result.wrongSums.isEmpty, "schedule \(schedule)")
        #expect(result.doubleOpenings.isEmpty, "schedule \(schedule)")
        #expect(result.hasFullRosters, "schedule \(schedule)")
        #expect(
            result.models.isEmpty || result.models == undisturbed.models, "schedule \(schedule)")
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func delaysAndDuplicatesChangeNothing(schedule: UInt64) throws {
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 1, periodCount: 1)
        let undisturbed = try run(plan)
        var faults = FaultPlan()
        faults.delayMax = 50
        faults.duplicateShare = 0.3
        let result = try run(plan, faults: faults, schedule: schedule)
        #expect(result.models == undisturbed.models, "schedule \(schedule)")
        #expect(result.wrongSums.isEmpty, "schedule \(schedule)")
    }
}
