public import FedCrypto

/// A bank's side of one run as a state machine.
///
/// Statements in, effects out. No clock, no sockets, no randomness of its own; a seed replays it
/// exactly.
///
/// ```
/// proposal ─► hello ─► epoch ─► acknowledgement ─► agreement ─► ready ─┬► query ─► update ─┐
///                                                                      ▲└──────────────────┘
///                                                            outcome ─► stored     abort ─► ended
/// ```
///
/// Anything that is not the next statement ends the run with a ``RefusalReason``, except an exact
/// repetition of the last one, which is ignored. Every statement received enters the transcript, and
/// the transcript enters every mask; so two banks that were told different things cannot be added.
public struct NodeRun: Sendable {
    /// What the bank brings to a run.
    public struct Configuration: Sendable {
        /// This bank.
        public let bank: NodeID
        /// Its Ed25519 identity key.
        public let identity: SigningKey
        /// The coordinator's identity key, from the invitation.
        public let coordinatorKey: [UInt8]
        /// Banks' identity keys that this bank has seen before; they must not change.
        public let knownKeys: [NodeID: [UInt8]]
        /// SHA-256 of the feature standard that this bank's data follow.
        public let standardDigest: [UInt8]
        /// Rows that this bank would train on.
        public let rowCount: Int
        /// 32 fresh random bytes: the epoch's X25519 key.
        public let epochSeed: SecretBytes

        /// Wraps the parts.
        public init(
            bank: NodeID, identity: SigningKey, coordinatorKey: [UInt8],
            knownKeys: [NodeID: [UInt8]], standardDigest: [UInt8], rowCount: Int,
            epochSeed: SecretBytes
        ) {
            self.bank = bank
            self.identity = identity
            self.coordinatorKey = coordinatorKey
            self.knownKeys = knownKeys
            self.standardDigest = standardDigest
            self.rowCount = rowCount
            self.epochSeed = epochSeed
        }
    }

    /// What happens to the machine.
    public enum Event: Sendable {
        /// Bytes came from the coordinator.
        case received([UInt8])
        /// The learner has answered the query of the last ``Effect/compute(_:contributors:)``.
        case computed(EncodedVector)
        /// The learner could not.
        case computationFailed(LearningError)
        /// The bank's service is stopping.
        case stop
    }

    /// What the machine wants done, in order.
    public enum Effect: Sendable {
        /// Record the entry in the egress ledger, durably, and send the bytes.
        case send([UInt8], EgressEntry)
        /// Consent was given to this manifest: prepare the learner.
        case consented(Manifest)
        /// Compute the answer and give it back as an event.
        case compute(Query, contributors: Int)
        /// Store the model, then send nothing more than what follows.
        case adopt(ModelDocument)
        /// Worth a log line.
        case note(Notice)
        /// The run is over for this bank.
        case finish(Outcome)
    }

    /// How a run ended for this bank.
    public enum Outcome: Equatable, Sendable {
        /// With a model of this SHA-256.
        case model(digest: [UInt8], transcriptHead: [UInt8])
        /// The coordinator said why.
        case aborted(AbortReason)
        /// This bank said why.
        case refused(RefusalReason)
    }

    /// One line of the bank's record of everything that left it.
    public struct EgressEntry: Equatable, Sendable {
        /// The kind of message, or of query for updates.
        public let kind: String
        /// The slot, for updates.
        public let slot: UInt32?
        /// Lanes, for updates.
        public let laneCount: Int
        /// SHA-256 of the bytes sent.
        public let digest: [UInt8]
        /// Bytes sent.
        public let byteCount: Int
    }

    private enum State {
        case awaitingProposal
        case awaitingEpoch(Manifest, AgreementKey)
        case awaitingAgreement(Manifest, EpochKeys)
        case ready(Manifest, EpochKeys)
        case computing(Manifest, EpochKeys, SlotQuery)
        case ended
    }

    /// The run.
    public let run: RunID
    private let configuration: Configuration
    private var state = State.awaitingProposal
    private var transcript: Transcript
    private var received: UInt64 = 0
    private var sent: UInt64 = 0
    private var slots: UInt32 = 0
    private var lastReceived: [UInt8]?
    private var lastUpdateDigest: [UInt8]?

    /// Waits for the proposal of a run.
    public init(run: RunID, configuration: Configuration) {
        self.run = run
        self.configuration = configuration
        transcript = Transcript(run: run)
    }

    /// Whether the run is over for this bank.
    public var isEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// Takes one event.
    public mutating func handle(_ event: Event) -> [Effect] {
        switch event {
        case .received(let bytes): return receive(bytes)
        case .computed(let vector): return answer(vector)
        case .computationFailed(let error):
            guard case .computing = state else { return [] }
            return refuse(.learning(error.description))
        case .stop:
            if case .ended = state { return [] }
            return refuse(.stopped)
        }
    }

    // MARK: Statements

    private mutating func receive(_ bytes: [UInt8]) -> [Effect] {
        if case .ended = state { return [] }
        if bytes == lastReceived {
            return [.note(Notice(.debug, "a repeated statement was ignored"))]
        }
        do {
            return try accept(bytes)
        } catch {
            return refuse(error)
        }
    }

    private mutating func accept(_ bytes: [UInt8]) throws(RefusalReason) -> [Effect] {
        let statement: SignedStatement
        let message: RunMessage
        do {
            statement = try SignedStatement(bytes: bytes)
            message = try RunMessage(bytes: statement.body)
        } catch {
            throw .protocolViolation("malformed statement")
        }
        guard statement.author == .coordinator,
            statement.isSigned(by: configuration.coordinatorKey)
        else { throw .badSignature(.coordinator) }
        guard statement.run == run else { throw .protocolViolation("statement of another run") }
        guard statement.sequence == received else {
            throw .protocolViolation(
                "statement \(statement.sequence) came where \(received) was due")
        }
        received += 1
        lastReceived = bytes
        transcript.append(bytes)
        switch (state, message) {
        case (_, .abort(let reason)):
            state = .ended
            return [.finish(.aborted(reason))]
        case (.awaitingProposal, .proposal(let manifest)):
            return try consent(to: manifest)
        case (.awaitingEpoch(let manifest, let key), .epoch(let hellos)):
            return try agree(on: hellos, manifest: manifest, key: key)
        case (.awaitingAgreement(let manifest, let keys), .agreement(let acknowledgements)):
            try verify(acknowledgements, manifest: manifest, keys: keys)
            state = .ready(manifest, keys)
            return [.note(Notice(.info, "all banks acknowledge the same epoch"))]
        case (.ready(let manifest, let keys), .query(let query)):
            return try begin(query, manifest: manifest, keys: keys)
        case (.ready, .outcome(let model, let receipt)):
            return try finish(model: model, receipt: receipt)
        default:
            throw .protocolViolation("\(message.kind) is out of place")
        }
    }

    private mutating func consent(to bytes: [UInt8]) throws(RefusalReason) -> [Effect] {
        let manifest: Manifest
        do {
            manifest = try Manifest(bytes: bytes)
        } catch {
            throw .manifest("\(error)")
        }
        guard manifest.run == run else { throw .manifest("it is of another run") }
        guard manifest.standardDigest == configuration.standardDigest else {
            throw .standardDiffers(
                expected: configuration.standardDigest, got: manifest.standardDigest)
        }
        guard
            manifest.roster.identityKey(of: configuration.bank)
                == configuration.identity.publicKey
        else { throw .notInRoster }
        for member in manifest.roster.members {
            if let known = configuration.knownKeys[member.bank], known != member.identityKey {
                throw .identityKeyChanged(member.bank)
            }
        }
        guard configuration.rowCount <= manifest.rowsMax else {
            throw .tooManyRows(rowsMax: manifest.rowsMax)
        }
        let key: AgreementKey
        do {
            key = try AgreementKey(seed: configuration.epochSeed)
        } catch {
            throw .epochKeys("\(error)")
        }
        state = .awaitingEpoch(manifest, key)
        let hello = RunMessage.hello(manifestDigest: manifest.digest, epochKey: key.publicKey)
        return [.consented(manifest), send(hello)]
    }

    private mutating func agree(
        on hellos: [[UInt8]], manifest: Manifest, key: AgreementKey
    ) throws(RefusalReason) -> [Effect] {
        let bodies = try Self.verifiedBodies(
            of: hellos, roster: manifest.roster, run: run, sequence: 0)
        var publicKeys: [NodeID: [UInt8]] = [:]
        for (bank, body) in bodies {
            guard case .hello(let digest, let epochKey) = body else {
                throw .protocolViolation("bank \(bank) has no epoch key in the roster")
            }
            guard digest == manifest.digest else { throw .splitView(bank) }
            publicKeys[bank] = epochKey
        }
        let keys: EpochKeys
        do {
            keys = try EpochKeys(
                own: configuration.bank, key: key, publicKeys: publicKeys,
                roster: manifest.roster, digest: Self.epochDigest(hellos))
        } catch {
            throw .epochKeys("\(error)")
        }
        state = .awaitingAgreement(manifest, keys)
        return [send(.acknowledgement(epochDigest: keys.digest))]
    }

    private func verify(
        _ acknowledgements: [[UInt8]], manifest: Manifest, keys: EpochKeys
    ) throws(RefusalReason) {
        let bodies = try Self.verifiedBodies(
            of: acknowledgements, roster: manifest.roster, run: run, sequence: 1)
        for (bank, body) in bodies {
            guard case .acknowledgement(let digest) = body, digest == keys.digest else {
                throw .splitView(bank)
            }
        }
    }

    private mutating func begin(
        _ query: SlotQuery, manifest: Manifest, keys: EpochKeys
    ) throws(RefusalReason) -> [Effect] {
        guard query.slot == slots else {
            throw .protocolViolation("slot \(query.slot) came where \(slots) was due")
        }
        try verify(query.receipt, manifest: manifest)
        slots += 1
        state = .computing(manifest, keys, query)
        return [.compute(query.query, contributors: manifest.roster.members.count)]
    }

    /// The receipt of the slot before must hold this bank's own update, in its place.
    private func verify(_ receipt: SlotReceipt, manifest: Manifest) throws(RefusalReason) {
        guard let own = lastUpdateDigest else {
            guard receipt == .none else { throw .receiptDiffers }
            return
        }
        guard receipt.updateDigests.count == manifest.roster.members.count,
            let place = manifest.roster.index(of: configuration.bank),
            receipt.updateDigests[place] == own, receipt.sumDigest.count == 32
        else { throw .receiptDiffers }
    }

    private mutating func answer(_ vector: EncodedVector) -> [Effect] {
        guard case .computing(let manifest, let keys, let query) = state else { return [] }
        guard vector.layout == query.query.layout else {
            return refuse(.learning("the answer has another layout than the query"))
        }
        let context = SlotContext(
            manifestDigest: manifest.digest, epochDigest: keys.digest, slot: query.slot,
            layout: query.query.layout, transcriptHead: transcript.head, roster: manifest.roster)
        let update = keys.mask(vector, context: context)
        state = .ready(manifest, keys)
        let message = RunMessage.update(
            slot: query.slot, contextDigest: update.contextDigest, laneBytes: update.laneBytes)
        let effect = send(message, query: query)
        if case .send(_, let entry) = effect { lastUpdateDigest = entry.digest }
        return [effect]
    }

    private mutating func finish(
        model: [UInt8], receipt: SlotReceipt
    ) throws(RefusalReason) -> [Effect] {
        guard case .ready(let manifest, _) = state else { return [] }
        try verify(receipt, manifest: manifest)
        state = .ended
        let digest = SHA256.hash(model)
        return [
            .adopt(ModelDocument(bytes: model)), send(.stored(modelDigest: digest)),
            .finish(.model(digest: digest, transcriptHead: transcript.head)),
        ]
    }

    // MARK: Helpers

    private mutating func refuse(_ reason: RefusalReason) -> [Effect] {
        state = .ended
        return [send(.refusal(reason)), .finish(.refused(reason))]
    }

    private mutating func send(_ message: RunMessage, query: SlotQuery? = nil) -> Effect {
        let statement = SignedStatement(
            run: run, author: .bank(configuration.bank), sequence: sent, message: message,
            key: configuration.identity)
        sent += 1
        let entry = EgressEntry(
            kind: query?.query.kind ?? message.kind, slot: query?.slot,
            laneCount: query?.query.layout.laneCount ?? 0,
            digest: SHA256.hash(statement.bytes), byteCount: statement.bytes.count)
        return .send(statement.bytes, entry)
    }

    /// SHA-256 over all hellos in roster order; `T_e` in the design.
    static func epochDigest(_ hellos: [[UInt8]]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write("fed/v1/epoch")
        writer.writeEach(hellos) { $0.write($1) }
        return SHA256.hash(writer.bytes)
    }

    /// Verifies one statement of every bank of the roster, in roster order.
    private static func verifiedBodies(
        of statements: [[UInt8]], roster: Roster, run: RunID, sequence: UInt64
    ) throws(RefusalReason) -> [(NodeID, RunMessage)] {
        guard statements.count == roster.members.count else {
            throw .protocolViolation(
                "\(statements.count) statements for a roster of "
                    + "\(roster.members.count)")
        }
        var bodies: [(NodeID, RunMessage)] = []
        for (bytes, member) in zip(statements, roster.members) {
            let statement: SignedStatement
            let message: RunMessage
            do {
                statement = try SignedStatement(bytes: bytes)
                message = try RunMessage(bytes: statement.body)
            } catch {
                throw .protocolViolation("malformed statement of bank \(member.bank)")
            }
            guard statement.author == .bank(member.bank),
                statement.isSigned(by: member.identityKey)
            else { throw .badSignature(.bank(member.bank)) }
            guard statement.run == run, statement.sequence == sequence else {
                throw .protocolViolation("a replayed statement of bank \(member.bank)")
            }
            bodies.append((member.bank, message))
        }
        return bodies
    }
}
