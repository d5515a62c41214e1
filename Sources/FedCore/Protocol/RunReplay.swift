internal import FedCrypto

/// Computes a whole run again from the coordinator's record, with no bank online and no secret:
/// every masked sum, every step of the training, and the model.
///
/// Masks cancel among the vectors of a roster, and the self-masks of a group's first slot were
/// given up by their owners or recovered from shares; so whoever has the record can open exactly
/// the sums that the coordinator opened, and no others.
public struct RunReplay {
    private var reader: RecordReader
    private var learner: any JointLearner
    /// Where in the record each update is, by the digest of its statement.
    private var updates: [[UInt8]: [UInt8]] = [:]
    /// Seeds that banks released, the false ones of a lying bank among them.
    private var seeds: [Moment: [[UInt8]]] = [:]
    /// Shares of a bank's seeds with the places of their holders, false ones among them.
    private var shares: [Moment: [(holder: Int, share: RecoveredShare)]] = [:]
    private var seedDigests: [NodeID: [UInt8]] = [:]
    private var dealt: [NodeID: GateCommitment] = [:]
    private var gate = 0

    private struct Moment: Hashable {
        let slot: UInt32
        let attempt: UInt32
        let bank: NodeID
    }

    /// Computes a run again.
    ///
    /// - Parameters:
    ///   - statements: what the coordinator said to all banks, in order.
    ///   - bankStatements: what the banks said, each bank's in order.
    ///   - coordinatorKey: the coordinator's identity key.
    ///   - learner: makes the learner as at the run's beginning.
    /// - Throws: ``RecordFailure`` at the first thing that does not fit.
    public static func verify(
        statements: [[UInt8]], bankStatements: [(NodeID, [UInt8])], coordinatorKey: [UInt8],
        learner: (Manifest) throws(LearningError) -> any JointLearner
    ) throws(RecordFailure) -> VerifiedRun {
        guard let first = statements.first else { throw .incomplete }
        let reader = try RecordReader(first: first, coordinatorKey: coordinatorKey)
        var replay: RunReplay
        do throws(LearningError) {
            replay = RunReplay(reader: reader, learner: try learner(reader.manifest))
        } catch {
            throw .learning(error)
        }
        try replay.index(bankStatements)
        for (place, bytes) in statements.enumerated().dropFirst() {
            try replay.take(bytes, place: place)
        }
        guard !replay.reader.verified.modelDigest.isEmpty else { throw .incomplete }
        return replay.reader.verified
    }

    private init(reader: RecordReader, learner: any JointLearner) {
        self.reader = reader
        self.learner = learner
    }

    /// Checks every bank's chain and remembers what is needed of it.
    private mutating func index(_ statements: [(NodeID, [UInt8])]) throws(RecordFailure) {
        var chains: [NodeID: Transcript] = [:]
        for (place, (bank, bytes)) in statements.enumerated() {
            let (statement, message) = try RecordReader.parse(bytes, place: place)
            let author = Author.bank(bank)
            let chain = chains[bank] ?? Transcript(run: reader.manifest.run, author: author)
            guard let member = reader.manifest.roster.members.first(where: { $0.bank == bank }),
                statement.author == author, statement.chainHead == chain.head
            else { throw .brokenChain(author, sequence: statement.sequence) }
            guard
                statement.isSealed
                    ? statement.isSigned(by: member.identityKey) : !message.needsSeal
            else { throw .badSignature(author, sequence: statement.sequence) }
            var digest = statement.digest
            switch message {
            case .lapsed(let original): digest = original
            case .update: updates[digest] = bytes
            case .boxes(_, let digests):
                // What comes again puts its bank out, and is nothing that others rely on.
                if seedDigests[bank] == nil { seedDigests[bank] = digests }
            case .release(let slot, let attempt, let seed):
                seeds[Moment(slot: slot, attempt: attempt, bank: bank), default: []].append(seed)
            case .recovery(let slot, let attempt, let recovered):
                guard let holder = reader.manifest.roster.index(of: bank) else { break }
                for share in recovered where share.dealer < reader.manifest.roster.banks.count {
                    let dealer = reader.manifest.roster.banks[share.dealer]
                    shares[Moment(slot: slot, attempt: attempt, bank: dealer), default: []].append(
                        (holder, share))
                }
            default: break
            }
            var next = chain
            next.append(digest: digest)
            chains[bank] = next
        }
    }

    private mutating func take(_ bytes: [UInt8], place: Int) throws(RecordFailure) {
        let before = reader.slot
        let message = try reader.take(bytes, place: place)
        switch message {
        case .dealing(let commitments): try check(commitments)
        case .query(let query):
            if query.slot != before?.query.slot {
                try open(before, receipt: query.receipt)
                guard case .query(let due) = try next(), due == query.query else {
                    throw .query(slot: query.slot)
                }
            }
            if query.isGated { gate = Int(query.gate) }
        case .truncation:
            do {
                try learner.truncateGroup()
            } catch {
                throw .learning(error)
            }
        case .outcome(let model, let receipt):
            try open(before, receipt: receipt)
            guard case .finished(let due) = try next(), due.bytes == model else { throw .model }
        default: break
        }
    }

    private mutating func next() throws(RecordFailure) -> JointStep {
        do {
            return try learner.next()
        } catch {
            throw .learning(error)
        }
    }

    /// The digests of gate seeds that banks sent must be those that they signed.
    private mutating func check(_ commitments: [[UInt8]]) throws(RecordFailure) {
        guard commitments.count == reader.manifest.roster.members.count else {
            throw .outOfPlace("dealing")
        }
        for (place, bytes) in commitments.enumerated() where !bytes.isEmpty {
            let member = reader.manifest.roster.members[place]
            let (statement, message) = try RecordReader.parse(bytes, place: place)
            guard case .shares(let shares) = message, statement.isSigned(by: member.identityKey),
                let digests = seedDigests[member.bank],
                digests.count == 32 * reader.manifest.gates,
                MerkleTree(leaves: CoordinatorRun.digests(in: digests)).root
                    == shares.commitment.seedRoot
            else { throw .gate(slot: 0, member.bank) }
            dealt[member.bank] = shares.commitment
        }
    }

    /// Sums a slot again and gives the sum to the learner.
    private mutating func open(
        _ slot: (query: SlotQuery, context: SlotContext)?, receipt: SlotReceipt
    ) throws(RecordFailure) {
        guard let (query, context) = slot else {
            guard receipt == .none else { throw .receipt(slot: 0) }
            return
        }
        let banks = context.roster.banks
        guard receipt.updateDigests.count == banks.count else { throw .receipt(slot: query.slot) }
        var accumulator = SlotAccumulator(context: context, isGated: query.isGated)
        let aggregate: Aggregate
        do throws(UpdateFailure) {
            for (bank, digest) in zip(banks, receipt.updateDigests) {
                guard let bytes = updates[digest],
                    let statement = try? SignedStatement(bytes: bytes),
                    case .update(_, _, let contextDigest, let lanes, _)? = try? RunMessage(
                        bytes: statement.body), statement.author == .bank(bank)
                else { throw .incomplete }
                try accumulator.add(
                    contextDigest: contextDigest, laneBytes: lanes, from: bank, digest: digest)
            }
        } catch {
            throw .receipt(slot: query.slot)
        }
        if query.isGated {
            for bank in banks {
                accumulator.ungate(bank, seed: try seed(of: bank, query: query))
            }
        }
        do {
            aggregate = try accumulator.open()
        } catch {
            throw .sum(slot: query.slot)
        }
        guard aggregate.digest == receipt.sumDigest else { throw .sum(slot: query.slot) }
        do {
            try learner.absorb(aggregate)
        } catch {
            throw .learning(error)
        }
    }

    /// A gate seed as released, or from shares.
    private func seed(
        of bank: NodeID, query: SlotQuery
    ) throws(RecordFailure) -> SecretBytes {
        let moment = Moment(slot: query.slot, attempt: query.attempt, bank: bank)
        guard let dealer = reader.manifest.roster.index(of: bank), let digests = seedDigests[bank],
            32 * gate + 32 <= digests.count
        else { throw .gate(slot: query.slot, bank) }
        let expected = Array(digests[(32 * gate)..<(32 * gate + 32)])
        var candidates = (seeds[moment] ?? []).map { SecretBytes($0) }
        let threshold = reader.charter.threshold
        let shares = goodShares(of: bank, at: moment)
        if shares.count >= threshold,
            let recovered = try? SecretSharing.reconstruct(shares, threshold: threshold)
        {
            candidates.append(recovered)
        }
        for seed in candidates
        where GateCommitment.leaf(of: seed, gate: gate, dealer: dealer) == expected {
            return seed
        }
        throw .gate(slot: query.slot, bank)
    }

    /// The shares of a bank's seed that are those it dealt, one a holder.
    private func goodShares(of dealer: NodeID, at moment: Moment) -> [SecretShare] {
        guard let commitment = dealt[dealer] else { return [] }
        var found: [Int: SecretShare] = [:]
        for (holder, share) in shares[moment] ?? []
        where share.isDealt(
            to: holder, gate: gate, of: reader.manifest.gates, by: commitment)
        {
            found[holder] = share.secret(of: holder)
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }
}
