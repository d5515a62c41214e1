public import FedCore
public import FedCrypto

/// A consortium of toy banks named A, B, C…, everything from one seed.
public struct ToyConsortium: Sendable {
    /// The coordinator's identity key.
    public let coordinatorKey: SigningKey
    /// The banks' identity keys.
    public let identities: [NodeID: SigningKey]
    /// The banks.
    public let banks: [NodeID]
    /// Their charter.
    public let charter: Charter
    /// What a run does.
    public let manifest: Manifest
    let seed: UInt64
    /// Groups of a run.
    public var rounds = 3
    /// Sums of a group.
    public var depth = 2
    /// The shape of a sum.
    public var layout = ToyConsortium.defaultLayout
    /// Sums of an undisturbed run.
    public var queries: Int { rounds * depth }

    /// Seven lanes of 48 bits.
    public static let defaultLayout = small

    private static var small: VectorLayout {
        guard let layout = VectorLayout(laneCount: 7, ringBits: 48) else {
            preconditionFailure("seven lanes of 48 bits are a shape")
        }
        return layout
    }

    private static func made<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw ToyFailure() }
        return value
    }

    /// Makes keys, charter and manifest.
    public init(bankCount: Int, seed: UInt64, run: UInt8 = 1) throws {
        var generator = SeededGenerator(seed: seed)
        coordinatorKey = try SigningKey(seed: SecretBytes(generator.bytes(32)))
        var identities: [NodeID: SigningKey] = [:]
        var members: [Member] = []
        for index in 0..<bankCount {
            let bank = try Self.made(NodeID(String(UnicodeScalar(UInt8(65 + index)))))
            let key = try SigningKey(seed: SecretBytes(generator.bytes(32)))
            identities[bank] = key
            members.append(try Self.made(Member(bank: bank, identityKey: key.publicKey)))
        }
        self.identities = identities
        banks = members.map(\.bank)
        charter = try Charter(roster: try Roster(members))
        manifest = Manifest(
            run: try Self.made(RunID(bytes: [run] + generator.bytes(15))),
            algorithm: .boosting(
                try GradientBoostingConfiguration([.treesMax: 5, .contributorsMin: 2])),
            standardDigest: SHA256.hash(Array("standard".utf8)), standardName: "toy 1",
            charter: charter)
        self.seed = seed
    }

    /// What a bank brings to the run.
    public func configuration(
        of bank: NodeID, knownKeys: [NodeID: [UInt8]] = [:], knownCharter: Charter? = nil,
        standard: String = "standard", safetyEntries: [SafetyEntry] = []
    ) throws -> NodeRun.Configuration {
        var generator = SeededGenerator(
            seed: seed &* 1_000_003 &+ UInt64(bank.name.utf8.first ?? 0))
        return NodeRun.Configuration(
            bank: bank, identity: try Self.made(identities[bank]),
            coordinatorKey: coordinatorKey.publicKey, knownKeys: knownKeys,
            knownCharter: knownCharter, standardDigest: SHA256.hash(Array(standard.utf8)),
            rowCount: 100, datasetDigest: SHA256.hash(Array(bank.name.utf8)),
            safetyEntries: safetyEntries, runSeed: SecretBytes(generator.bytes(32)))
    }

    /// A bank's learner.
    public func toyBank(_ bank: NodeID) -> ToyBank {
        ToyBank(seed: seed ^ UInt64(bank.name.utf8.first ?? 0) << 32)
    }

    /// The coordinator's learner.
    public func toyLearner() -> ToyLearner {
        ToyLearner(rounds: rounds, depth: depth, layout: layout)
    }

    /// A simulated world with this consortium in it.
    public func world(
        faults: FaultPlan = FaultPlan(), schedule: UInt64 = 0,
        configure: ((NodeID) throws -> NodeRun.Configuration)? = nil,
        tamper: SimulatedConsortium.Tampering? = nil, lie: SimulatedConsortium.Lying? = nil
    ) throws -> SimulatedConsortium {
        SimulatedConsortium(
            manifest: manifest, charter: charter, coordinatorKey: coordinatorKey,
            learner: { toyLearner() },
            banks: try banks.map { bank in
                SimulatedConsortium.Bank(
                    configuration: try configure?(bank) ?? configuration(of: bank),
                    learner: { toyBank(bank) })
            },
            faults: faults, seed: schedule, tamper: tamper, lie: lie)
    }

    /// Runs one schedule to its end.
    public func run(
        faults: FaultPlan = FaultPlan(), schedule: UInt64 = 0,
        configure: ((NodeID) throws -> NodeRun.Configuration)? = nil,
        tamper: SimulatedConsortium.Tampering? = nil, lie: SimulatedConsortium.Lying? = nil
    ) throws -> SimulatedConsortium.Result {
        var world = try world(
            faults: faults, schedule: schedule, configure: configure, tamper: tamper, lie: lie)
        return world.run()
    }
}

/// A part of a toy that cannot be made, such as a name beyond Z.
private struct ToyFailure: Error {}
