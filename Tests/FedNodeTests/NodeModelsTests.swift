import FedCore
import FedCrypto
import FedDecision
import FedNode
import FedRuntime
import FedService
import Foundation
import Testing

/// A node's models on disk.
struct NodeModelsTests {
    private let now: Int64 = 1_800_000_000_000

    @Test func `an admitted model scores at once, the former comes back, and all is in the log`()
        throws
    {
        let bank = try VotingBank()
        let models = bank.models
        #expect(try models.active() == nil)
        for version in 1...2 as ClosedRange<UInt64> {
            let record = try bank.examined(version)
            #expect(try bank.admit(record, at: now) == .success(.champion))
            #expect(try bank.activeFile() == record.bankModel)
        }
        #expect(try models.rollBack(now: now) == 1)
        #expect(try models.active()?.version == 1)
        #expect(try bank.activeFile() == bank.store.models.candidate(1)?.bankModel)
        #expect(throws: ModelChangeFailure.refused(.nothingBefore)) {
            try models.rollBack(now: now)
        }
        #expect(
            try bank.store.models.log().map(\.event) == [
                "voted", "admitted", "activated", "voted", "admitted", "activated", "rolled-back",
                "not-rolled-back",
            ])
        // Another process sees the same.
        let again = NodeModels(
            store: try NodeStore(path: bank.folder.path(of: "node.sqlite")), folder: bank.folder)
        #expect(try again.registry() == models.registry())
    }

    @Test func `without automatic activation a person lets the challenger score`() throws {
        let bank = try VotingBank()
        let record = try bank.examined(3)
        #expect(try bank.admit(record, activates: false, at: now) == .success(.challenger))
        #expect(!bank.folder.contains(NodeModels.activeFile))
        #expect(throws: ModelChangeFailure.unknown(version: 9)) {
            try bank.models.activate(9, now: now)
        }
        try bank.models.activate(3, now: now)
        #expect(try bank.activeFile() == record.bankModel)
        #expect(throws: ModelChangeFailure.notChallenger(version: 3, challenger: nil)) {
            try bank.models.activate(3, now: now)
        }
    }

    @Test func `a bad bundle changes nothing but the log, which names its reason`() throws {
        let bank = try VotingBank()
        let record = try bank.examined(1)
        var tampered = bank.bundle(record, accepting: 5)
        tampered[tampered.count - 1] ^= 1
        let later = Int64(1) << 50
        let cases: [([UInt8], Int64, String)] = [
            (tampered, now, "tampered-vote"),
            (bank.bundle(record, accepting: 3), now, "quorum-missed"), ([1, 2], now, "malformed"),
            (bank.bundle(record, accepting: 5), later, "expired"),
            (bank.bundle(record, accepting: 5), 0, "not-yet-valid"),
        ]
        for (bundle, time, reason) in cases {
            guard case .failure(let refusal) = try bank.admit(record, bundle: bundle, at: time)
            else {
                Issue.record("\(reason) was admitted")
                continue
            }
            #expect(refusal.name == reason)
            #expect(try bank.store.models.registry() == nil)
            #expect(try bank.store.models.log().last?.reason.hasPrefix("\(reason): ") == true)
        }
        #expect(!bank.folder.contains(NodeModels.activeFile))
        #expect(try bank.admit(record, at: now) == .success(.champion))
        #expect(try bank.admit(record, at: now) == .failure(.replayed(version: 1)))
        let older = try bank.examined(7)
        #expect(try bank.admit(older, at: now) == .success(.champion))
        let downgrade = try bank.examined(5)
        #expect(
            try bank.admit(downgrade, at: now) == .failure(.downgraded(version: 5, highest: 7)))
    }

    @Test func `a model that the bank itself rejected is not taken, whatever the quorum`() throws {
        let bank = try VotingBank()
        let record = try bank.examined(1, decision: .reject)
        #expect(
            try bank.admit(record, at: now) == .failure(.guardFailed([.worseThanLocal])))
        #expect(try bank.models.active() == nil)
    }

    @Test func `what a bank may try in shadow is the published model and the newest under vote`()
        throws
    {
        let bank = try VotingBank()
        let clock = now / 1000
        func source(
            _ kind: NodeChallengerSource.Kind, at time: Int64? = nil
        ) -> NodeChallengerSource {
            NodeChallengerSource(
                kind, store: bank.store, folder: bank.folder.path, now: { time ?? clock })
        }
        #expect(source(.published).mark() == nil && source(.underVote).mark() == nil)
        let first = try bank.examined(1)
        #expect(source(.published).mark() == nil)
        #expect(source(.underVote).mark() == ModelMark("1"))
        #expect(try source(.underVote).load().bytes == first.bankModel)
        // Published, it is the challenger and under vote no more.
        #expect(try bank.admit(first, activates: false, at: now) == .success(.challenger))
        #expect(source(.published).mark() == ModelMark("1"))
        #expect(source(.underVote).mark() == nil)
        // Newer ones are under vote beside it; one that the bank has rejected is passed over.
        let second = try bank.examined(2, decision: .abstain)
        _ = try bank.examined(3, decision: .reject)
        #expect(source(.underVote).mark() == ModelMark("2"))
        #expect(try source(.underVote).load().bytes == second.bankModel)
        #expect(try source(.published).load().bytes == first.bankModel)
        // A vote that nobody can act on any more is over.
        #expect(source(.underVote, at: 2_000_000_000).mark() == nil)
        // Active, nothing is left to try; an older candidate is not taken up again.
        let fourth = try bank.examined(4)
        #expect(try bank.admit(fourth, at: now) == .success(.champion))
        #expect(source(.published).mark() == nil && source(.underVote).mark() == nil)
        #expect(throws: ServiceError.self) { try source(.underVote).load() }
    }
}

/// A bank of five, with a store on disk.
private final class VotingBank {
    let folder: StateDirectory
    let store: NodeStore
    let models: NodeModels
    private let keys: [NodeID: SigningKey]
    private let charter: ConsensusCharter
    private let standard: FeatureStandard
    private let federated: TrainedModel
    private let rows: Dataset

    init() throws {
        folder = try StateDirectory(
            FileManager.default.temporaryDirectory.path + "/models-\(UUID().uuidString)")
        store = try NodeStore(in: folder)
        models = NodeModels(store: store, folder: folder)
        var keys: [NodeID: SigningKey] = [:]
        for (index, name) in ["A", "B", "C", "D", "E"].enumerated() {
            let bank = try #require(NodeID(name))
            keys[bank] = try SigningKey(seed: [UInt8](repeating: UInt8(index + 1), count: 32))
        }
        self.keys = keys
        charter = try #require(
            ConsensusCharter(identityKeys: keys.mapValues(\.publicKey), quorum: 4))
        standard = try FeatureStandard(
            name: "s", version: 1, description: "For tests.",
            features: [
                Feature(
                    name: "amount", type: .continuous, unit: "CNY", range: 0...100,
                    transform: .identity, sensitivity: .internal, description: "Amount.")
            ])
        let values = (0..<200).map { Double($0 % 100) }
        rows = Dataset(
            columns: [values], labels: values.map { $0 > 80 || $0 == 3 ? 1 : 0 })
        federated = try AlgorithmConfiguration(name: "logistic")
            .train(standard: standard, fit: [rows], threads: 1)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    func activeFile() throws -> [UInt8] { try folder.read(NodeModels.activeFile) }

    /// A candidate as the node has it after its examination.
    func examined(
        _ version: UInt64, decision: VoteDecision = .accept
    ) throws -> CandidateRecord {
        let candidate = ModelCandidate(
            charterDigest: charter.digest, version: version,
            modelDigest: federated.document.digest, standardDigest: standard.sha256,
            manifestDigest: [UInt8](repeating: 3, count: 32),
            receiptHead: [UInt8](repeating: 4, count: 32),
            validity: 1_000_000_000..<2_000_000_000)
        let examination = try CandidateExamination(
            version: version, federated: federated,
            algorithm: try AlgorithmConfiguration(name: "logistic"), active: nil, fit: rows,
            recent: nil, standard: standard)
        let bank = try #require(NodeID("A"))
        let vote = ModelVote(
            candidate: candidate, bank: bank, decision: decision,
            reasons: [decision == .reject ? .worseThanLocal : .noWorse], castAt: 1_500_000_000,
            key: try #require(keys[bank]))
        let record = CandidateRecord(
            version: version, candidate: candidate.bytes, model: federated.document.bytes,
            bankModel: examination.model.bytes, lanes: [1], vote: vote.bytes,
            examinedUnixMilliseconds: 5)
        try store.models.save(
            record,
            log: ModelLogLine(unixMilliseconds: 5, version: version, event: "voted", reason: ""))
        return record
    }

    func bundle(_ record: CandidateRecord, accepting count: Int) -> [UInt8] {
        guard let candidate = try? ModelCandidate(bytes: record.candidate) else { return [] }
        let votes = keys.sorted { $0.key < $1.key }.enumerated().map { index, member in
            ModelVote(
                candidate: candidate, bank: member.key,
                decision: index < count ? .accept : .abstain,
                reasons: [index < count ? .noWorse : .fewFrauds], castAt: 1, key: member.value)
        }
        return ModelBundle(candidate: candidate, votes: votes).bytes
    }

    func admit(
        _ record: CandidateRecord, bundle: [UInt8]? = nil, activates: Bool = true, at time: Int64
    ) throws -> Result<ModelStanding, BundleRefusal> {
        try models.admit(
            bundle ?? self.bundle(record, accepting: 5), of: record, charter: charter,
            standardDigest: standard.sha256, activates: activates, now: time)
    }
}
