import FedCore
import FedCrypto
import FedSimulation
import Testing

/// A coordinator that goes on with a sum that it has made up, and says the same to all banks.
///
/// It would have to learn something that the true sums do not show. What it gets is the true sum of
/// each query that it asks, over the whole roster, as it would in an honest run; what the banks get
/// is a wrong model. No bank can see that from what it is told: masks hide the sum from it. Whoever
/// computes the run again from the coordinator's record sees it, and at which sum.
@Suite struct ForgedSumTests {
    /// Passes a changed sum to the real learner, once.
    private struct Forging: JointLearner {
        var learner: any JointLearner
        let index: Int
        var count = 0

        var progress: LearnerProgress { learner.progress }

        mutating func next() throws(LearningError) -> JointStep { try learner.next() }

        mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
            count += 1
            guard count == index + 1 else { return try learner.absorb(aggregate) }
            let forged = aggregate.integers.enumerated().map { lane, sum in
                sum &+ Int64(lane % 3) * (sum / 4)
            }
            try learner.absorb(Aggregate(integers: forged))
        }

        mutating func truncateGroup() throws(LearningError) { try learner.truncateGroup() }
    }

    /// A training of five toy banks.
    private struct Training {
        let toy: ToyConsortium
        let manifest: Manifest
        let joint: any JointLearner
        let locals: [any LocalLearner]

        func run(forging index: Int?) throws -> SimulatedConsortium.Result {
            var world = SimulatedConsortium(
                manifest: manifest, charter: toy.charter, coordinatorKey: toy.coordinatorKey,
                learner: {
                    index.map { Forging(learner: joint, index: $0) as any JointLearner } ?? joint
                },
                banks: try toy.banks.enumerated().map { place, bank in
                    SimulatedConsortium.Bank(
                        configuration: try toy.configuration(of: bank),
                        learner: { locals[place] })
                }, seed: 0)
            return world.run()
        }

        func replay(_ result: SimulatedConsortium.Result) throws -> VerifiedRun {
            try RunReplay.verify(
                statements: result.statements,
                bankStatements: result.journal.compactMap {
                    if case .statement(let bank, let bytes) = $0 { (bank, bytes) } else { nil }
                }, coordinatorKey: toy.coordinatorKey.publicKey
            ) { _ in joint }
        }
    }

    private static func rows(_ bank: Int, _ generator: inout SeededGenerator) -> Dataset {
        var columns = [[Double]](repeating: [], count: 2)
        var labels: [UInt8] = []
        for _ in 0..<(80 + 10 * bank) {
            let (amount, speed) = (generator.unit(), generator.unit())
            columns[0].append(amount)
            columns[1].append(speed)
            labels.append(amount + speed / 2 + generator.unit() > 1.5 ? 1 : 0)
        }
        return Dataset(columns: columns, labels: labels)
    }

    private static func trees() throws -> Training {
        let toy = try ToyConsortium(bankCount: 5, seed: 61)
        var generator = SeededGenerator(seed: 62)
        let schema = try TreeSchema(
            features: try ["amount", "speed"].map {
                try TreeFeature(name: $0, kind: .continuous, range: 0...1, allowsMissing: false)
            }, standardHash: [UInt8](repeating: 7, count: 32))
        let configuration = try GradientBoostingConfiguration([
            .treesMax: 3, .depthMax: 3, .contributorsMin: 2, .childRowsMin: 2, .gridCells: 64,
            .binsMax: 16,
        ])
        let manifest = Manifest(
            run: toy.manifest.run, algorithm: .boosting(configuration),
            standardDigest: toy.manifest.standardDigest, standardName: "toy 1",
            charter: toy.charter)
        return Training(
            toy: toy, manifest: manifest,
            joint: try JointBoostingLearner(
                schema: schema, configuration: configuration, bankCount: 5,
                manifestHash: manifest.digest),
            locals: try (0..<5).map {
                try LocalBoostingLearner(
                    fit: rows($0, &generator), schema: schema, configuration: configuration)
            })
    }

    private static func logistic() throws -> Training {
        let toy = try ToyConsortium(bankCount: 5, seed: 63)
        var generator = SeededGenerator(seed: 64)
        let configuration = LogisticConfiguration()
        let space = try LinearFeatureSpace(
            names: ["amount", "speed"], transforms: [.identity, .identity],
            imputedValues: [0, 0], transformedRanges: [0...1, 0...1],
            standardHash: [UInt8](repeating: 7, count: 32))
        let manifest = Manifest(
            run: toy.manifest.run, algorithm: .logistic(configuration),
            standardDigest: toy.manifest.standardDigest, standardName: "toy 1",
            charter: toy.charter)
        return Training(
            toy: toy, manifest: manifest,
            joint: try JointLogisticLearner(
                space: space, configuration: configuration, contributors: 5,
                manifestHash: manifest.digest),
            locals: try (0..<5).map {
                try LocalLogisticLearner(
                    dataset: rows($0, &generator), space: space, configuration: configuration)
            })
    }

    @Test(arguments: ["gbdt", "logistic"])
    func aForgedSumGivesAWrongModelNothingMoreAndTheReplayShowsIt(algorithm: String) throws {
        let training = try algorithm == "gbdt" ? Self.trees() : Self.logistic()
        let honest = try training.run(forging: nil)
        let model = try #require(honest.model, "\(honest.bankOutcomes)")
        #expect(try training.replay(honest).modelDigest == SHA256.hash(model.bytes))
        var (wrong, refused) = (0, 0)
        for index in 0..<(honest.progress?.slots ?? 0) {
            let result = try training.run(forging: index)
            // What it learns: the sums that it asks for, each over all banks, and no other.
            #expect(result.wrongSums.isEmpty && result.doubleOpenings.isEmpty, "sum \(index)")
            #expect(result.hasFullRosters && result.recoveries == 0, "sum \(index)")
            guard let forged = result.model else {
                // The learner itself finds some forgeries impossible.
                guard case .aborted(.learning) = result.outcome else {
                    Issue.record("sum \(index): \(String(describing: result.outcome))")
                    continue
                }
                refused += 1
                continue
            }
            guard forged != model else { continue }
            wrong += 1
            // What no bank sees: each holds the wrong model, and its own record is in order.
            for bank in training.toy.banks {
                #expect(result.models[bank] == forged, "sum \(index)")
                let verified = try ReceiptVerifier.verify(
                    journal: result.bankJournals[bank] ?? [], bank: bank,
                    coordinatorKey: training.toy.coordinatorKey.publicKey)
                #expect(verified.modelDigest == SHA256.hash(forged.bytes), "sum \(index)")
            }
            // What a replay shows: the training asks something else from the next sum on, or the
            // model is another one.
            #expect {
                try training.replay(result)
            } throws: { error in
                switch error as? RecordFailure {
                case .query(let slot): Int(slot) > index
                case .model: true
                default: false
                }
            }
        }
        // The features of a forged histogram do not agree with each other, and the trees' learner
        // finds that itself; an honest one would stop there, and a liar need not ask it.
        #expect(algorithm == "gbdt" ? wrong + refused > 0 : wrong > 0, "\(refused) refused")
    }

    /// Asks what it is told to.
    private struct Asking: JointLearner {
        let queries: [Query]
        var count = 0
        var progress: LearnerProgress { LearnerProgress(roundsDone: 0, roundsMax: 1, note: "") }

        mutating func next() throws(LearningError) -> JointStep { .query(queries[count]) }

        mutating func absorb(_ aggregate: Aggregate) throws(LearningError) { count += 1 }
    }

    /// The digest that a receipt announces is the coordinator's word: banks carry it on, bound to
    /// all their later masks, so that it cannot be taken back.
    @Test(arguments: [false, true])
    func aForgedDigestAnnouncedToAllOpensNothingMoreAndTheReplayNamesTheSlot(
        isForged: Bool
    ) throws {
        var hostile = try HostileCoordinator(try ToyConsortium(bankCount: 5, seed: 65))
        try hostile.setUp()
        let banks = hostile.consortium.banks
        let first = try hostile.query()
        try hostile.tell(banks, first)
        try hostile.tell(banks, hostile.commit(of: banks))
        let sum = try hostile.opened(banks)
        let integers = sum.map { Int64(bitPattern: $0 << 16) >> 16 }
        let truth = SHA256.hash(
            integers.flatMap { lane in (0..<8).map { UInt8(truncatingIfNeeded: lane >> (8 * $0)) } }
        )
        let receipt = SlotReceipt(
            updateDigests: hostile.receipt(of: banks, slot: 0).updateDigests,
            sumDigest: isForged ? SHA256.hash([1]) : truth)
        let second = try hostile.query(slot: 1, isGated: false, body: "p", receipt: receipt)
        try hostile.tell(banks, second)
        // All banks answer: the lie is the same for all, so their masks cancel, in the true sum.
        #expect(banks.allSatisfy { hostile.refusal($0) == nil })
        var guesses = Guesses()
        guesses.add(
            try hostile.opened(banks, slot: 1),
            wanted: try hostile.plain(banks, bodies: ["q", "p"]))
        #expect(guesses.areAllRight)

        guard case .query(let one) = first, case .query(let two) = second else { return }
        let learner = Asking(queries: [one.query, two.query])
        let said = try #require(hostile.lines[banks[0]]).said
        let heard = banks.flatMap { bank in
            (hostile.lines[bank]?.heard ?? []).map { (bank, $0.statement) }
        }
        #expect(throws: isForged ? RecordFailure.sum(slot: 0) : .incomplete) {
            try RunReplay.verify(
                statements: said, bankStatements: heard,
                coordinatorKey: hostile.consortium.coordinatorKey.publicKey
            ) { _ in learner }
        }
    }
}
