import FedCore
import FedCrypto
import FedSimulation
import Testing

/// A consortium of toy banks named A, B, C…, everything from one seed.
struct ToyConsortium {
    let coordinatorKey: SigningKey
    let identities: [NodeID: SigningKey]
    let banks: [NodeID]
    let charter: Charter
    let manifest: Manifest
    let seed: UInt64
    var rounds = 3
    var depth = 2
    var layout = ToyConsortium.defaultLayout
    /// Sums of an undisturbed run.
    var queries: Int { rounds * depth }

    static let defaultLayout = VectorLayout(laneCount: 7, ringBits: 48) ?? .one

    init(bankCount: Int, seed: UInt64, run: UInt8 = 1) throws {
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
        charter = try Charter(roster: try Roster(members))
        manifest = Manifest(
            run: try #require(RunID(bytes: [run] + generator.bytes(15))),
            algorithm: .boosting(
                try GradientBoostingConfiguration([.treesMax: 5, .contributorsMin: 2])),
            standardDigest: SHA256.hash(Array("standard".utf8)), standardName: "toy 1",
            charter: charter)
        self.seed = seed
    }

    func configuration(
        of bank: NodeID, knownKeys: [NodeID: [UInt8]] = [:], knownCharter: Charter? = nil,
        standard: String = "standard", safetyEntries: [SafetyEntry] = []
    ) throws -> NodeRun.Configuration {
        var generator = SeededGenerator(
            seed: seed &* 1_000_003 &+ UInt64(bank.name.utf8.first ?? 0))
        return NodeRun.Configuration(
            bank: bank, identity: try #require(identities[bank]),
            coordinatorKey: coordinatorKey.publicKey, knownKeys: knownKeys,
            knownCharter: knownCharter, standardDigest: SHA256.hash(Array(standard.utf8)),
            rowCount: 100, datasetDigest: SHA256.hash(Array(bank.name.utf8)),
            safetyEntries: safetyEntries, runSeed: SecretBytes(generator.bytes(32)))
    }

    func toyBank(_ bank: NodeID) -> ToyBank {
        ToyBank(seed: seed ^ UInt64(bank.name.utf8.first ?? 0) << 32)
    }

    func toyLearner() -> ToyLearner { ToyLearner(rounds: rounds, depth: depth, layout: layout) }

    func world(
        faults: FaultPlan = FaultPlan(), schedule: UInt64 = 0,
        configure: ((NodeID) throws -> NodeRun.Configuration)? = nil,
        tamper: SimulatedConsortium.Tampering? = nil
    ) throws -> SimulatedConsortium {
        SimulatedConsortium(
            manifest: manifest, charter: charter, coordinatorKey: coordinatorKey,
            learner: { toyLearner() },
            banks: try banks.map { bank in
                SimulatedConsortium.Bank(
                    configuration: try configure?(bank) ?? configuration(of: bank),
                    learner: { toyBank(bank) })
            },
            faults: faults, seed: schedule, tamper: tamper)
    }

    func run(
        faults: FaultPlan = FaultPlan(), schedule: UInt64 = 0,
        configure: ((NodeID) throws -> NodeRun.Configuration)? = nil,
        tamper: SimulatedConsortium.Tampering? = nil
    ) throws -> SimulatedConsortium.Result {
        var world = try world(
            faults: faults, schedule: schedule, configure: configure, tamper: tamper)
        return world.run()
    }
}

extension VectorLayout {
    static var one: VectorLayout { VectorLayout(laneCount: 1)! }
}
