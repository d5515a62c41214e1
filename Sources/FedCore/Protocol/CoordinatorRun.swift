public import FedCrypto

/// The coordinator's side of one run as a state machine: statements in, effects out.
///
/// It holds the learner's state and sums only. It is a deterministic function of the banks'
/// statements and of its own ``Decision``s, both of which are journalled before anything follows
/// from them; so a coordinator that restarts says the same again. Banks that vanish are waited for;
/// when the hold time is over, a group goes on without their blocs, a tree ends early, or the run
/// stays held until they are back or the operator ends it. Banks that refuse or break the protocol
/// are not waited for: the run goes on without their blocs, or ends with the reason.
public struct CoordinatorRun: Sendable {
    /// What happens to the machine.
    public enum Event: Sendable {
        /// All banks of the roster are connected: begin.
        case start
        /// Bytes came over a bank's authenticated connection.
        case received([UInt8], from: NodeID)
        /// A bank is connected, and says how many of the coordinator's statements it has.
        case connected(NodeID, has: UInt64)
        /// A bank's connection is gone.
        case lost(NodeID)
        /// The phase's time is over.
        case deadlinePassed(phase: UInt64)
        /// The charter's hold time is over, counted from ``Effect/hold(phase:missing:)``.
        case holdExpired(phase: UInt64)
        /// The operator, or the end of the process for good.
        case abort(AbortReason)
    }

    /// What the machine wants done, in order, and before the next event is given to it: the
    /// journal must have the order in which it decided.
    public enum Effect: Sendable {
        /// Append the entry to the journal; it must be durable before any statement that follows.
        case persist(JournalEntry)
        /// Send the same bytes to every connected bank that is not ``CoordinatorRun/isExcluded(_:)``.
        case broadcast([UInt8], kind: String)
        /// Send bytes to one bank, if it is connected.
        case send([UInt8], to: NodeID, kind: String)
        /// Statements of this bank are missing: end its connection, it will make a new one.
        case disconnect(NodeID)
        /// Give ``Event/deadlinePassed(phase:)`` with this number when the phase's time is over,
        /// and forget earlier ones.
        case setDeadline(phase: UInt64)
        /// The run waits for banks: give ``Event/holdExpired(phase:)`` after the hold time.
        case hold(phase: UInt64, missing: [NodeID])
        /// Where the run stands.
        case progress(Progress)
        /// Worth a log line.
        case note(Notice)
        /// The run is over.
        case finish(Outcome)
    }

    /// Where a run stands.
    public struct Progress: Equatable, Sendable {
        /// What is being done, in words.
        public let phase: String
        /// Whether the run is held for a lost bank.
        public let isHeld: Bool
        /// Masked sums asked for so far.
        public let slots: Int
        /// Banks of the group in work.
        public let roster: [NodeID]
        /// How far the learner is.
        public let learner: LearnerProgress
        /// Banks that are still to answer.
        public let waitingFor: [NodeID]
    }

    /// How a run ended.
    public enum Outcome: Equatable, Sendable {
        /// With a model, after so many masked sums.
        case model(ModelDocument, slots: Int)
        /// Without one.
        case aborted(AbortReason)
    }

    enum Phase: Equatable, Sendable {
        case idle, hellos, dealings, acknowledgements, forming, uploads, releases, delivering, ended
    }

    /// What is known of one bank's statements.
    struct BankState: Sendable {
        var digests: [[UInt8]] = []
        var chain: Transcript
        var isPresent = false
        /// Why it is out of the run for good.
        var exclusion: AbortReason?
        /// Statements of the coordinator that the bank must have had to say what it said.
        var mustHave: UInt64 = 0
        /// Sums that it was asked for and has not answered, in order.
        var owed: [Asked] = []
        /// The sum that it answered last; `nil` also when it answered others that lapsed.
        var answered: Asked?
    }

    /// One attempt at one sum.
    struct Asked: Equatable, Sendable, CustomStringConvertible {
        let slot: UInt32
        let attempt: UInt32

        var description: String {
            attempt == 0 ? "slot \(slot)" : "slot \(slot) in attempt \(attempt)"
        }
    }

    /// A sum in work.
    struct OpenSlot: Sendable {
        var number: UInt32
        var attempt: UInt32
        var isGated: Bool
        var gate: UInt32
        var places: [Int]
        var roster: Roster
        var query: Query
        var context: [UInt8]
        var accumulator: SlotAccumulator
        /// Statements that a bank must have had to answer.
        var saidBefore: UInt64
        var certificates: [NodeID: [UInt8]] = [:]
        /// Banks whose gates are being recovered, with the shares that came.
        var recovering: [Int: [SecretShare]] = [:]
    }

    /// The manifest.
    public let manifest: Manifest
    /// The consortium's charter.
    public let charter: Charter
    /// Head of the chain over all that was said to every bank so far.
    public var transcriptHead: [UInt8] { transcript.head }
    let key: SigningKey
    var learner: any JointLearner
    var phase = Phase.idle
    var phaseNumber: UInt64 = 0
    var isHeld = false
    var transcript: Transcript
    /// Everything said so far, by sequence: the same bytes for all, or one entry a bank.
    var said: [Saying] = []
    var banks: [BankState]
    /// Places of the banks that the epoch is set up with.
    var participants: Set<Int>
    var collected: [Int: [UInt8]] = [:]
    /// During the set-up: dealers whose shares a bank cannot use, by its place.
    var complaints: [Int: [Int]] = [:]
    var commitments: [Int: GateCommitment] = [:]
    var seedDigests: [Int: [UInt8]] = [:]
    var boxes: [Int: [[UInt8]]] = [:]
    var epochDigest: [UInt8] = []
    var dealingDigest: [UInt8] = []
    var groups: GroupSequence
    var slot: OpenSlot?
    var pendingQuery: Query?
    var slots: UInt32 = 0
    var gates: UInt32 = 0
    /// Banks that the next group is expected to have.
    var expected: Set<NodeID>
    /// Banks of the first group: only their rows are in the statistics.
    var eligible: Set<NodeID>
    var receipt = SlotReceipt.none
    var model: ModelDocument?
    var waiting: Set<NodeID> = []
    /// Why the last excluded bank is out.
    var blame: AbortReason?
    var isReplaying = false
    /// During a replay: what the last entry asks to be decided, if the journal does not go on.
    var deferred: Decision?

    enum Saying: Sendable {
        case common([UInt8], kind: String)
        case each([[UInt8]], kind: String)
    }

    /// Prepares a run; nothing is sent before ``Event/start``.
    public init(
        manifest: Manifest, charter: Charter, key: SigningKey, learner: any JointLearner
    ) {
        precondition(manifest.charterDigest == charter.digest, "a manifest of another charter")
        self.manifest = manifest
        self.charter = charter
        self.key = key
        self.learner = learner
        transcript = Transcript(run: manifest.run)
        banks = manifest.roster.banks.map {
            BankState(chain: Transcript(run: manifest.run, author: .bank($0)))
        }
        groups = GroupSequence(manifest: manifest)
        participants = Set(manifest.roster.banks.indices)
        expected = Set(manifest.roster.banks)
        eligible = expected
    }

    /// Whether the run is over.
    public var isEnded: Bool { phase == .ended }

    /// How many statements of a bank were accepted: what to tell it on a new connection.
    public func position(of bank: NodeID) -> UInt64 {
        manifest.roster.index(of: bank).map { UInt64(banks[$0].digests.count) } ?? 0
    }

    /// Takes one event.
    public mutating func handle(_ event: Event) -> [Effect] {
        switch event {
        case .connected(let bank, let count): return connect(bank, has: count)
        case .lost(let bank): return lose(bank)
        default: break
        }
        if phase == .ended { return [] }
        switch event {
        case .start:
            guard phase == .idle else { return [] }
            for place in banks.indices { banks[place].isPresent = true }
            return decide(.started)
        case .received(let bytes, let bank): return receive(bytes, from: bank)
        case .deadlinePassed(let number):
            guard number == phaseNumber, !isHeld, !waitingFor.isEmpty else { return [] }
            return holdBack(for: waitingFor)
        case .holdExpired(let number):
            guard number == phaseNumber, isHeld else { return [] }
            return expire()
        case .abort(let reason): return abort(reason)
        case .connected, .lost: return []
        }
    }

    // MARK: Statements

    private mutating func receive(_ bytes: [UInt8], from bank: NodeID) -> [Effect] {
        guard let place = manifest.roster.index(of: bank), !isExcluded(bank) else { return [] }
        let statement: SignedStatement
        let message: RunMessage
        do {
            statement = try SignedStatement(bytes: bytes)
            message = try RunMessage(bytes: statement.body)
        } catch {
            return exclude(.bankViolation(bank, "malformed statement"))
        }
        guard statement.author == .bank(bank), statement.isSealed || !message.needsSeal,
            isReplaying || !statement.isSealed
                || statement.isSigned(by: manifest.roster.members[place].identityKey)
        else { return exclude(.bankViolation(bank, "its signature does not verify")) }
        guard statement.run == manifest.run else {
            return exclude(.bankViolation(bank, "statement of another run"))
        }
        let due = UInt64(banks[place].digests.count)
        let digest: [UInt8]
        if case .lapsed(let original) = message {
            digest = original
        } else {
            digest = statement.digest
        }
        if statement.sequence < due {
            let before = banks[place].digests[Int(statement.sequence)]
            guard before == digest else {
                return exclude(
                    .bankViolation(bank, "statement \(statement.sequence) came again, and differs"))
            }
            return [.note(Notice(.debug, "bank \(bank): a repeated statement was ignored"))]
        }
        guard statement.sequence == due else {
            return [
                .note(
                    Notice(
                        .warning,
                        "bank \(bank): statement \(statement.sequence) came where \(due) was due")),
                .disconnect(bank),
            ]
        }
        guard statement.chainHead == banks[place].chain.head else {
            return exclude(
                .bankViolation(bank, "statement \(due) does not follow the ones before it"))
        }
        banks[place].digests.append(digest)
        banks[place].chain.append(digest: digest)
        return [.persist(.statement(bank, bytes))]
            + take(message, place: place, bank: bank, bytes: bytes, digest: digest)
    }

    private mutating func take(
        _ message: RunMessage, place: Int, bank: NodeID, bytes: [UInt8], digest: [UInt8]
    ) -> [Effect] {
        switch (phase, message) {
        case (_, .refusal(let reason)): return exclude(.bankRefused(bank, reason))
        case (_, .lapsed):
            banks[place].answered = nil
            return []
        case (.delivering, .stored(let digest)):
            guard let model, digest == SHA256.hash(model.bytes) else {
                return exclude(.bankViolation(bank, "it stored another model"))
            }
            waiting.remove(bank)
            return waiting.isEmpty ? end() : [report()]
        case _ where !participants.contains(place):
            return [.note(Notice(.debug, "bank \(bank): too late for the set-up"))]
        case (.hellos, .hello(let digest, _)):
            guard digest == manifest.digest else {
                return exclude(.bankViolation(bank, "it consents to another manifest"))
            }
            confirm(bank, 1)
            return collectHello(bytes, place: place)
        case (.dealings, .shares(let shares)):
            confirm(bank, 2)
            return collect(shares.commitment, statement: bytes, place: place)
        case (.dealings, .boxes(let boxes, let digests)):
            return collect(boxes: boxes, seedDigests: digests, place: place)
        case (.acknowledgements, .acknowledgement(let epoch, let dealing, let unusable)):
            guard epoch == epochDigest, dealing == dealingDigest else {
                return exclude(.bankViolation(bank, "it acknowledges another epoch"))
            }
            confirm(bank, 4)
            complaints[place] = unusable
            return collectAcknowledgement(bytes, place: place)
        case (_, .update(let slot, let attempt, let context, let lanes, let certificate)):
            return add(
                Upload(
                    asked: Asked(slot: slot, attempt: attempt), context: context, lanes: lanes,
                    certificate: certificate, digest: digest), place: place, from: bank)
        case (_, .release(let slot, let attempt, let seed)):
            return release(
                seed: seed, of: Asked(slot: slot, attempt: attempt), place: place, bank: bank)
        case (_, .recovery(let slot, let attempt, let shares)):
            return recover(
                shares, of: Asked(slot: slot, attempt: attempt), holder: place, bank: bank)
        default: return exclude(.bankViolation(bank, "\(message.kind) is out of place"))
        }
    }

    struct Upload {
        let asked: Asked
        let context: [UInt8]
        let lanes: [UInt8]
        let certificate: [UInt8]
        let digest: [UInt8]
    }
}
