internal import FedCrypto

/// A bank's side of one run as a state machine.
///
/// Statements in, effects out. No clock, no sockets, no randomness of its own: everything secret
/// derives from one run seed, so the journal of what was accepted and sent replays it exactly.
///
/// ```
/// proposal ─► hello ─► epoch ─► shares, boxes ─► dealing, parcel ─► acknowledgement ─► agreement
///   group:  gated query ─► update ─► commit ─► release   (recover ─► recovery)
///           plain query ─► update                        (truncation)
///   end:    outcome ─► stored        abort
/// ```
///
/// A statement that comes again is ignored when it is the same and refused when it differs; one
/// that comes too early asks for a new connection, on which both sides say how far they are.
/// Anything else that is not the next statement ends the run with a ``RefusalReason``. Every
/// statement accepted enters the transcript, and the transcript enters every mask; so two banks
/// that were told different things cannot be added.
public struct NodeRun: Sendable {
    /// What happens to the machine.
    public enum Event: Sendable {
        /// Bytes came from the coordinator.
        case received([UInt8])
        /// A connection stands, and the coordinator says how many of this bank's statements it
        /// has.
        case connected(coordinatorHas: UInt64)
        /// The learner has answered the query of the ``Effect/compute(_:slot:contributors:)`` with
        /// this slot.
        case computed(EncodedVector, slot: UInt32)
        /// The learner could not.
        case computationFailed(LearningError)
        /// The bank leaves the run for good. A service that only restarts says nothing.
        case stop
    }

    /// What the machine wants done, in order, and, but for the learner's work, before the next event
    /// is given to it.
    public enum Effect: Sendable {
        /// Append the entries to the journal, all or none; they must be durable before any effect
        /// that follows. Safety entries outlive the run.
        case persist([JournalEntry])
        /// Record the entry in the egress ledger, durably, and send the bytes. Without a
        /// connection: drop them, they come again after ``Event/connected(coordinatorHas:)``.
        case send([UInt8], EgressEntry)
        /// Consent was given to this manifest and charter: prepare the learner.
        case consented(Manifest, Charter)
        /// Compute the answer and give it back as an event with the slot. Learner effects must be
        /// done one after the other.
        case compute(Query, slot: UInt32, contributors: Int)
        /// Bring the learner past a query that this bank does not answer.
        case replay(Query)
        /// Store the model, then send nothing more than what follows.
        case adopt(ModelDocument)
        /// Statements are missing: end the connection and make a new one.
        case reconnect
        /// Worth a log line.
        case note(Notice)
        /// The run is over for this bank. Keep the machine until its last statement has arrived.
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

    /// How far a run has come, as one of its banks sees it.
    public struct Progress: Equatable, Sendable {
        /// Masked sums asked for.
        public var slots = 0
        /// The last round asked about: trees, or steps of the optimiser.
        public var rounds = 0
        /// Banks of the manifest that some sum was, or is to be, without.
        public var leftOut: Set<NodeID> = []

        /// A run that begins.
        public init() {}
    }

    enum Phase: Equatable, Sendable {
        case proposal, epoch, dealing, parcel, agreement, running, ended
    }

    /// What a bank holds once it has consented.
    struct Consent: Sendable {
        let manifest: Manifest
        let charter: Charter
        let ownPlace: Int
        let key: AgreementKey
        let dealer: GateDealer
    }

    /// A query being answered.
    struct OpenSlot: Sendable {
        var query: SlotQuery
        var roster: Roster
        var isMember: Bool
        var context: SlotContext
        var vector: EncodedVector?
        /// Place among this bank's statements once it was sent.
        var upload: Int?
        var isCommitted = false
    }

    /// One of this bank's statements.
    struct Outgoing: Sendable {
        let digest: [UInt8]
        let chainHead: [UInt8]
        var bytes: [UInt8]?
        var entry: EgressEntry
    }

    /// The run.
    public let run: RunID
    let configuration: Configuration
    var phase = Phase.proposal
    var transcript: Transcript
    var receivedDigests: [[UInt8]] = []
    var chain: Transcript
    var outbox: [Outgoing] = []
    var unpersisted: [JournalEntry] = []
    var consent: Consent?
    var keys: EpochKeys?
    /// Places of the banks that take part in the epoch as far as it has come; a bank that is left
    /// out of it only follows the run.
    var participants: [Int] = []
    var epochDigest: [UInt8] = []
    /// By dealer's place.
    var commitments: [Int: GateCommitment] = [:]
    var dealingDigest: [UInt8] = []
    /// By dealer's place: the shares dealt to this bank.
    var held: [SecretBytes?] = []
    var groups: GroupSequence?
    var slots: UInt32 = 0
    var gates: UInt32 = 0
    /// What the run has come to.
    public internal(set) var progress = Progress()
    var current: OpenSlot?
    /// Whether the next query must begin a group.
    var isTruncated = false
    var safety: SafetyKernel?
    var restoredSafety: [SafetyEntry] = []
    /// During a restore: the queries of all slots, in order.
    var restoredQueries: [(query: Query, slot: UInt32)]?

    /// Waits for the proposal of a run.
    public init(run: RunID, configuration: Configuration) {
        self.run = run
        self.configuration = configuration
        transcript = Transcript(run: run)
        chain = Transcript(run: run, author: .bank(configuration.bank))
    }

    /// Whether the run is over for this bank.
    public var isEnded: Bool { phase == .ended }

    /// Statements of the coordinator that were accepted: what to tell it on a new connection.
    public var position: UInt64 { UInt64(receivedDigests.count) }

    var isRestoring: Bool { restoredQueries != nil }

    /// Takes one event.
    public mutating func handle(_ event: Event) -> [Effect] {
        switch event {
        case .received(let bytes):
            if phase == .ended { return [] }
            do throws(RefusalReason) {
                return try accept(bytes)
            } catch {
                return refuse(error)
            }
        case .connected(let count): return resend(from: count)
        case .computed(let vector, let slot): return answer(vector, slot: slot)
        case .computationFailed(let error):
            guard phase == .running, current?.isMember == true, current?.vector == nil else {
                return []
            }
            return refuse(.learning(error.description))
        case .stop: return phase == .ended ? [] : refuse(.stopped)
        }
    }

    // MARK: Statements

    private mutating func accept(_ bytes: [UInt8]) throws(RefusalReason) -> [Effect] {
        let (statement, message) = try Self.parse(bytes)
        guard statement.author == .coordinator else { throw .badSignature(.coordinator) }
        guard statement.run == run else { throw .protocolViolation("statement of another run") }
        let due = UInt64(receivedDigests.count)
        if statement.sequence < due {
            guard receivedDigests[Int(statement.sequence)] == statement.digest else {
                throw .protocolViolation(
                    "statement \(statement.sequence) came again, and differs")
            }
            return [.note(Notice(.debug, "a repeated statement was ignored"))]
        }
        guard isRestoring || statement.isSealed || !message.needsSeal,
            isRestoring || !statement.isSealed
                || statement.isSigned(by: configuration.coordinatorKey)
        else { throw .badSignature(.coordinator) }
        guard statement.sequence == due else {
            return [
                .note(
                    Notice(.warning, "statement \(statement.sequence) came where \(due) was due")),
                .reconnect,
            ]
        }
        guard statement.chainHead == transcript.head else {
            throw .protocolViolation("statement \(due) does not follow the ones before it")
        }
        let headBefore = transcript.head
        receivedDigests.append(statement.digest)
        unpersisted.append(.accepted(bytes))
        // A parcel differs from bank to bank; what is in it was signed in the statement before.
        if case .parcel = message {} else { transcript.append(digest: statement.digest) }
        return try take(message, headBefore: headBefore)
    }

    private mutating func take(
        _ message: RunMessage, headBefore: [UInt8]
    ) throws(RefusalReason) -> [Effect] {
        switch (phase, message) {
        case (_, .abort(let reason)):
            phase = .ended
            closeEpoch()
            return flush() + [.finish(.aborted(reason))]
        case (.proposal, .proposal(let manifest, let charter)):
            return try consider(manifest: manifest, charter: charter)
        case (.epoch, .epoch(let hellos)): return try agree(on: hellos)
        case (.dealing, .dealing(let commitments)): return try take(commitments: commitments)
        case (.parcel, .parcel(let boxes)): return try take(boxes: boxes)
        case (.agreement, .agreement(let acknowledgements)):
            return try verify(acknowledgements)
        case (.running, .query(let query)): return try begin(query, headBefore: headBefore)
        case (.running, .commit(let slot, let attempt, let digests, let certificates)):
            return try release(
                slot: slot, attempt: attempt, digests: digests, certificates: certificates)
        case (.running, .recover(let slot, let attempt, let missing)):
            return try recover(slot: slot, attempt: attempt, missing: missing)
        case (.running, .truncation(let slot)): return try truncate(slot: slot)
        case (.running, .outcome(let model, let receipt)):
            return try finish(model: model, receipt: receipt)
        default: throw .protocolViolation("\(message.kind) is out of place")
        }
    }

    static func parse(
        _ bytes: [UInt8]
    ) throws(RefusalReason) -> (SignedStatement, RunMessage) {
        do {
            let statement = try SignedStatement(bytes: bytes)
            return (statement, try RunMessage(bytes: statement.body))
        } catch {
            throw .protocolViolation("malformed statement")
        }
    }

    mutating func refuse(_ reason: RefusalReason) -> [Effect] {
        phase = .ended
        closeEpoch()
        return send(.refusal(reason)) + [.finish(.refused(reason))]
    }
}
