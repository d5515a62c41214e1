import FedCore
import FedCrypto
import FedSimulation
import Testing

/// A bank that follows the protocol but for the shares of its gates, which it deals as it likes.
struct LyingDealer {
    enum Lie: CaseIterable {
        /// The victims' boxes cannot be opened.
        case garbageBox
        /// The victims' boxes hold other shares than it signed.
        case otherRoot
        /// The victims' shares are signed, and of no polynomial.
        case otherPolynomial
        /// All shares are signed and of one polynomial, whose secret is another seed.
        case otherSeed
    }

    let bank: NodeID
    private let consortium: ToyConsortium
    private let lie: Lie?
    private let victims: [Int]
    private let place: Int
    private let identity: SigningKey
    private let key: AgreementKey
    private let dealer: GateDealer
    private let otherDealer: GateDealer
    private var learner: ToyBank
    private var keys: EpochKeys?
    private var dealingDigest: [UInt8] = []
    private var said: UInt64 = 0
    private var chain: Transcript
    private var transcript: Transcript

    init(_ consortium: ToyConsortium, bank: NodeID, lie: Lie?, victims: [Int]) throws {
        self.consortium = consortium
        self.bank = bank
        self.lie = lie
        self.victims = victims
        place = try #require(consortium.manifest.roster.index(of: bank))
        identity = try #require(consortium.identities[bank])
        key = try AgreementKey(seed: SecretBytes([UInt8](repeating: 9, count: 32)))
        func dealer(_ byte: UInt8, _ place: Int) -> GateDealer {
            GateDealer(
                root: SecretBytes([UInt8](repeating: byte, count: 32)),
                count: consortium.manifest.gates, threshold: consortium.charter.threshold,
                bankCount: consortium.banks.count, place: place)
        }
        self.dealer = dealer(10, place)
        otherDealer = dealer(11, place)
        learner = consortium.toyBank(bank)
        chain = Transcript(run: consortium.manifest.run, author: .bank(bank))
        transcript = Transcript(run: consortium.manifest.run)
    }

    /// Takes a statement of the coordinator.
    ///
    /// - Returns: what it says then.
    mutating func take(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let statement = try SignedStatement(bytes: bytes)
        let message = try RunMessage(bytes: statement.body)
        if case .parcel = message {} else { transcript.append(digest: statement.digest) }
        switch message {
        case .proposal:
            return [
                say(
                    .hello(
                        manifestDigest: consortium.manifest.digest, epochKey: key.publicKey))
            ]
        case .epoch(let hellos): return try deal(hellos)
        case .dealing(let commitments):
            dealingDigest = NodeRun.dealingDigest(commitments)
            return []
        case .parcel:
            return [
                say(
                    .acknowledgement(
                        epochDigest: keys?.digest ?? [], dealingDigest: dealingDigest,
                        unusable: []))
            ]
        case .query(let query) where query.isGated && query.slot == 0:
            return try upload(query)
        case .commit(let slot, let attempt, _, _):
            let seed = dealer.seed(of: 0).withUnsafeBytes { Array($0) }
            return [say(.release(slot: slot, attempt: attempt, seed: seed))]
        default: return []
        }
    }

    private mutating func deal(_ hellos: [[UInt8]]) throws -> [[UInt8]] {
        var publicKeys: [NodeID: [UInt8]] = [:]
        for (bank, hello) in zip(consortium.banks, hellos) {
            guard
                case .hello(_, let key) = try RunMessage(bytes: SignedStatement(bytes: hello).body)
            else { continue }
            publicKeys[bank] = key
        }
        let keys = try EpochKeys(
            own: bank, key: key, publicKeys: publicKeys, roster: consortium.manifest.roster,
            digest: NodeRun.epochDigest(hellos))
        self.keys = keys
        var dealt = try (lie == .otherSeed ? otherDealer : dealer).deal()
        if lie == .otherPolynomial {
            for victim in victims {
                var bytes = dealt[victim].withUnsafeBytes { Array($0) }
                for index in stride(from: 5, to: bytes.count, by: 32) { bytes[index] ^= 0x40 }
                dealt[victim] = SecretBytes(bytes)
            }
        }
        var roots = dealt.map { GateCommitment.tree(of: $0).root }
        var boxes: [[UInt8]] = []
        for (holder, bank) in consortium.banks.enumerated() {
            boxes.append(holder == place ? [] : try keys.seal(dealt[holder], to: bank))
        }
        for victim in victims {
            if lie == .garbageBox { boxes[victim][7] ^= 1 }
            if lie == .otherRoot { roots[victim] = SHA256.hash([1]) }
        }
        let leaves = dealer.leaves()
        let commitment = GateCommitment(
            seedRoot: MerkleTree(leaves: leaves).root, shareRoots: roots,
            boxDigests: boxes.map { SHA256.hash($0) })
        return [
            say(.shares(GateShares(commitment: commitment))),
            say(.boxes(boxes, seedDigests: leaves.flatMap { $0 }), isSealed: false),
        ]
    }

    private mutating func upload(_ query: SlotQuery) throws -> [[UInt8]] {
        guard query.places.contains(place), let keys else { return [] }
        let roster = try Roster(query.places.map { consortium.manifest.roster.members[$0] })
        var groups = GroupSequence(manifest: consortium.manifest)
        groups.advance(by: query.query)
        let context = SlotContext(
            manifestDigest: consortium.manifest.digest, epochDigest: keys.digest, group: 0,
            groupID: groups.id, attempt: query.attempt, slot: query.slot,
            layout: query.query.layout, transcriptHead: transcript.head, roster: roster)
        let vector = try learner.answer(query.query, contributors: roster.members.count)
        let update = keys.mask(vector, context: context, gate: dealer.seed(of: 0))
        return [
            say(
                .update(
                    slot: query.slot, attempt: query.attempt,
                    contextDigest: update.contextDigest, laneBytes: update.laneBytes,
                    certificate: UploadCertificate.sign(
                        context: update.contextDigest, bank: bank, run: consortium.manifest.run,
                        key: identity)), isSealed: false)
        ]
    }

    private mutating func say(_ message: RunMessage, isSealed: Bool = true) -> [UInt8] {
        let statement = SignedStatement(
            run: consortium.manifest.run, author: .bank(bank), sequence: said,
            chainHead: chain.head, message: message, key: isSealed ? identity : nil)
        said += 1
        chain.append(digest: statement.digest)
        return statement.bytes
    }
}
