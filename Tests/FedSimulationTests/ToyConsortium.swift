import FedCore
import FedCrypto
import FedSimulation
import Testing

/// A learner that asks for a few plain sums, so that tests of the protocol need no training.
struct ToyLearner: JointLearner {
    let queries: Int
    let layout: VectorLayout
    var sums: [[Int64]] = []

    var progress: LearnerProgress {
        LearnerProgress(roundsDone: sums.count, roundsMax: queries, note: "toy")
    }

    mutating func next() throws(LearningError) -> JointStep {
        if sums.count < queries {
            let body = sums.last.map { Array("\($0)".utf8) } ?? []
            return .query(Query(round: sums.count, kind: "toy", body: body, layout: layout))
        }
        return .finished(ModelDocument(bytes: Array("\(sums)".utf8)))
    }

    mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
        sums.append(aggregate.integers)
    }
}

/// Answers with numbers of its own seed.
struct ToyBank: LocalLearner {
    var generator: SeededGenerator

    mutating func answer(
        _ query: Query, contributors: Int
    ) throws(LearningError) -> EncodedVector {
        let limit = min(query.layout.laneMagnitudeMax(contributors: contributors), 1 << 40)
        let integers = (0..<query.layout.laneCount).map { _ in
            Int64.random(in: -limit...limit, using: &generator)
        }
        return try EncodedVector(
            integers: integers, layout: query.layout, contributors: contributors)
    }
}

/// A consortium of toy banks named A, B, C…, everything from one seed.
struct ToyConsortium {
    let coordinatorKey: SigningKey
    let identities: [NodeID: SigningKey]
    let banks: [NodeID]
    let manifest: Manifest
    let seed: UInt64
    var queries = 3
    var layout = ToyConsortium.defaultLayout

    static let defaultLayout = VectorLayout(laneCount: 7, ringBits: 48) ?? .one

    init(bankCount: Int, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        coordinatorKey = try SigningKey(seed: SecretBytes(generator.bytes(32)))
        var identities: [NodeID: SigningKey] = [:]
        var members: [Member] = []
        for index in 0..<bankCount {
            let bank = try #require(NodeID(String(UnicodeScalar(UInt8(65 + index)))))
            let key = try SigningKey(seed: SecretBytes(generator.bytes(32)))
            identities[bank] = key
            members.append(try #require(Member(bank: bank, identityKey: key.publicKey)))
        }
        self.identities = identities
        banks = members.map(\.bank)
        manifest = Manifest(
            run: try #require(RunID(bytes: generator.bytes(16))),
            algorithm: .logistic(LogisticConfiguration()),
            standardDigest: SHA256.hash(Array("standard".utf8)), standardName: "toy 1",
            roster: try Roster(members))
        self.seed = seed
    }

    func configuration(
        of bank: NodeID, knownKeys: [NodeID: [UInt8]] = [:], standard: String = "standard"
    ) throws -> NodeRun.Configuration {
        var generator = SeededGenerator(
            seed: seed &* 1_000_003 &+ UInt64(bank.name.utf8.first ?? 0))
        return NodeRun.Configuration(
            bank: bank, identity: try #require(identities[bank]),
            coordinatorKey: coordinatorKey.publicKey, knownKeys: knownKeys,
            standardDigest: SHA256.hash(Array(standard.utf8)), rowCount: 100,
            epochSeed: SecretBytes(generator.bytes(32)))
    }

    func toyBank(_ bank: NodeID) -> ToyBank {
        ToyBank(
            generator: SeededGenerator(seed: seed ^ UInt64(bank.name.utf8.first ?? 0) << 32))
    }

    func world(
        faults: FaultPlan = FaultPlan(), schedule: UInt64 = 0,
        configure: ((NodeID) throws -> NodeRun.Configuration)? = nil,
        tamper: SimulatedRun.Tampering? = nil
    ) throws -> SimulatedRun {
        SimulatedRun(
            manifest: manifest, coordinatorKey: coordinatorKey,
            learner: ToyLearner(queries: queries, layout: layout),
            banks: try banks.map {
                SimulatedRun.Bank(
                    configuration: try configure?($0) ?? configuration(of: $0),
                    learner: toyBank($0))
            },
            faults: faults, seed: schedule, tamper: tamper)
    }

    func run(
        faults: FaultPlan = FaultPlan(), schedule: UInt64 = 0,
        configure: ((NodeID) throws -> NodeRun.Configuration)? = nil,
        tamper: SimulatedRun.Tampering? = nil
    ) throws -> SimulatedRun.Result {
        var world = try world(
            faults: faults, schedule: schedule, configure: configure, tamper: tamper)
        return world.run()
    }
}

extension VectorLayout {
    static var one: VectorLayout { VectorLayout(laneCount: 1)! }
}
