import FedCore
import FedCrypto
import FedSimulation
import Testing

/// Trees trained through the whole protocol, with faults.
@Suite struct BoostingRunTests {
    let toy: ToyConsortium
    let schema: TreeSchema
    let configuration: GradientBoostingConfiguration
    let datasets: [Dataset]
    let manifest: Manifest

    init() throws {
        toy = try ToyConsortium(bankCount: 5, seed: 51)
        var generator = SeededGenerator(seed: 52)
        schema = try TreeSchema(
            features: [
                try TreeFeature(
                    name: "amount", kind: .continuous, range: 0...1, allowsMissing: false),
                try TreeFeature(
                    name: "speed", kind: .continuous, range: 0...1, allowsMissing: true),
                try TreeFeature(name: "night", kind: .binary, range: 0...1, allowsMissing: false),
            ], standardHash: [UInt8](repeating: 7, count: 32))
        configuration = try GradientBoostingConfiguration([
            .treesMax: 4, .depthMax: 3, .contributorsMin: 2, .childRowsMin: 2, .gridCells: 64,
            .binsMax: 16,
        ])
        datasets = (0..<5).map { bank in
            var columns = [[Double]](repeating: [], count: 3)
            var labels: [UInt8] = []
            for _ in 0..<(60 + 20 * bank) {
                let (amount, speed) = (generator.unit(), generator.unit())
                let night = generator.unit() < 0.3 ? 1.0 : 0
                columns[0].append(amount)
                columns[1].append(speed < 0.1 ? .nan : speed)
                columns[2].append(night)
                labels.append(amount + night / 4 + generator.unit() / 2 > 1.1 ? 1 : 0)
            }
            return Dataset(columns: columns, labels: labels)
        }
        manifest = Manifest(
            run: toy.manifest.run, algorithm: .boosting(configuration),
            standardDigest: toy.manifest.standardDigest, standardName: "toy 1",
            charter: toy.charter)
    }

    private func learner() throws -> JointBoostingLearner {
        try JointBoostingLearner(
            schema: schema, configuration: configuration, bankCount: 5,
            manifestHash: manifest.digest)
    }

    private func run(
        _ faults: FaultPlan = FaultPlan(), seed: UInt64 = 0
    ) throws -> SimulatedConsortium.Result {
        let joint = try learner()
        let locals = try datasets.map {
            try LocalBoostingLearner(fit: $0, schema: schema, configuration: configuration)
        }
        var world = SimulatedConsortium(
            manifest: manifest, charter: toy.charter, coordinatorKey: toy.coordinatorKey,
            learner: { joint },
            banks: try toy.banks.enumerated().map { index, bank in
                SimulatedConsortium.Bank(
                    configuration: try toy.configuration(of: bank), learner: { locals[index] })
            }, faults: faults, seed: seed)
        return world.run()
    }

    @Test func restartsGiveTheVeryModelOfAnUndisturbedRun() throws {
        let undisturbed = try run()
        let model = try #require(undisturbed.model, "\(undisturbed.bankOutcomes)")
        for seed in 0..<6 as Range<UInt64> {
            var faults = FaultPlan()
            faults.delayMax = 9
            faults.bankKillShare = 0.01
            faults.coordinatorKillShare = 0.005
            let result = try run(faults, seed: seed)
            #expect(result.model == model, "seed \(seed): \(result.bankOutcomes)")
            #expect(result.wrongSums.isEmpty, "seed \(seed)")
        }
        let verified = try RunReplay.verify(
            statements: undisturbed.statements,
            bankStatements: undisturbed.journal.compactMap {
                if case .statement(let bank, let bytes) = $0 { (bank, bytes) } else { nil }
            }, coordinatorKey: toy.coordinatorKey.publicKey,
            learner: { _ throws(LearningError) in try self.joint() })
        #expect(verified.modelDigest == SHA256.hash(model.bytes))
        #expect(verified.groups.count == 1 + 4)
    }

    private func joint() throws(LearningError) -> any JointLearner {
        try JointBoostingLearner(
            schema: schema, configuration: configuration, bankCount: 5,
            manifestHash: manifest.digest)
    }

    @Test func aBankLostInATreeEndsItEarlyAndTheNextTreesAreGrownWithoutItsBloc() throws {
        var (truncated, statisticsLost) = (0, 0)
        for time in stride(from: 10, to: 100, by: 3) as StrideTo<UInt64> {
            var faults = FaultPlan()
            faults.delayMax = 3
            faults.kills[toy.banks[4]] = time
            let result = try run(faults, seed: time)
            #expect(result.wrongSums.isEmpty && result.doubleOpenings.isEmpty, "tick \(time)")
            guard let model = result.model else {
                // Statistics and what comes before cannot go on without a bank.
                #expect(result.isHeld || result.statements.count < 6, "tick \(time)")
                statisticsLost += 1
                continue
            }
            #expect(throws: Never.self) { try GradientBoostingModel(document: model) }
            truncated += result.truncations
        }
        #expect(truncated > 0 && statisticsLost > 0)
    }
}
