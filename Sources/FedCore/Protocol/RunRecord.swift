internal import FedCrypto

/// What a run's signed statements prove, whoever checks them.
public struct VerifiedRun: Equatable, Sendable {
    /// A group: its roster, and whether it ended before its last sum.
    public struct Group: Equatable, Sendable {
        /// The derived identifier.
        public let id: [UInt8]
        /// The banks whose vectors were summed.
        public internal(set) var roster: [NodeID]
        /// Sums opened.
        public internal(set) var slots: Int
        /// Whether it was ended early for want of a bank.
        public internal(set) var isTruncated: Bool
    }

    /// The run.
    public let run: RunID
    /// The cryptographic suite.
    public let suite: String
    /// SHA-256 of the manifest.
    public let manifestDigest: [UInt8]
    /// The charter: its digest, floors and threshold.
    public let charter: Charter
    /// The groups in order.
    public internal(set) var groups: [Group]
    /// SHA-256 of the model.
    public internal(set) var modelDigest: [UInt8]
    /// Head of the chain over all that the coordinator said to every bank.
    public internal(set) var transcriptHead: [UInt8]
}

/// Why a record does not prove a run.
public enum RecordFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// A statement cannot be read.
    case malformed(place: Int)
    /// A statement is not signed by its author, where it must be.
    case badSignature(Author, sequence: UInt64)
    /// A statement does not follow the ones before it.
    case brokenChain(Author, sequence: UInt64)
    /// The record does not begin with the proposal of a readable manifest and charter.
    case proposal(String)
    /// A statement is out of place.
    case outOfPlace(String)
    /// A receipt names an update that is not in the record, or not this bank's.
    case receipt(slot: UInt32)
    /// A gate seed is missing or not the one committed to.
    case gate(slot: UInt32, NodeID)
    /// A recomputed sum is not the one that the coordinator named.
    case sum(slot: UInt32)
    /// The recomputed training asks something else than the coordinator did.
    case query(slot: UInt32)
    /// The recomputed training fails.
    case learning(LearningError)
    /// The recomputed model is not the one delivered.
    case model
    /// The record ends before a model was delivered.
    case incomplete

    /// The words for a person.
    public var description: String {
        switch self {
        case .malformed(let place): "statement \(place) cannot be read"
        case .badSignature(let author, let sequence):
            "statement \(sequence) of \(author): its signature does not verify"
        case .brokenChain(let author, let sequence):
            "statement \(sequence) of \(author) does not follow the ones before it"
        case .proposal(let what): "the proposal cannot be used: \(what)"
        case .outOfPlace(let kind): "\(kind) is out of place"
        case .receipt(let slot): "the receipt of slot \(slot) names another update"
        case .gate(let slot, let bank): "slot \(slot): no valid gate seed of bank \(bank)"
        case .sum(let slot): "the sum of slot \(slot) is not the one named"
        case .query(let slot): "slot \(slot) asks something else than the training would"
        case .learning(let error): "the training cannot be computed again: \(error)"
        case .model: "the model is not the one delivered"
        case .incomplete: "the record ends before a model was delivered"
        }
    }
}

/// Follows the coordinator's statements: signatures, order, groups.
struct RecordReader {
    let manifest: Manifest
    let charter: Charter
    private(set) var verified: VerifiedRun
    private(set) var transcript: Transcript
    private var sequence: GroupSequence
    private var epochDigest: [UInt8] = []
    /// Places of the banks that acknowledged the epoch.
    private var participants: Set<Int> = []
    private var next: UInt64 = 0
    private let coordinatorKey: [UInt8]
    /// The slot last asked for, with its context.
    private(set) var slot: (query: SlotQuery, context: SlotContext)?

    /// Reads the proposal.
    init(first bytes: [UInt8], coordinatorKey: [UInt8]) throws(RecordFailure) {
        let (statement, message) = try Self.parse(bytes, place: 0)
        guard case .proposal(let manifestBytes, let charterBytes) = message else {
            throw .proposal("it is missing")
        }
        do {
            manifest = try Manifest(bytes: manifestBytes)
            charter = try Charter(bytes: charterBytes)
        } catch {
            throw .proposal("\(error)")
        }
        guard manifest.charterDigest == charter.digest, manifest.run == statement.run else {
            throw .proposal("its parts do not belong together")
        }
        self.coordinatorKey = coordinatorKey
        transcript = Transcript(run: manifest.run)
        sequence = GroupSequence(manifest: manifest)
        verified = VerifiedRun(
            run: manifest.run, suite: Manifest.suite, manifestDigest: manifest.digest,
            charter: charter, groups: [], modelDigest: [], transcriptHead: [])
        try check(statement, message)
    }

    static func parse(
        _ bytes: [UInt8], place: Int
    ) throws(RecordFailure) -> (SignedStatement, RunMessage) {
        do {
            let statement = try SignedStatement(bytes: bytes)
            return (statement, try RunMessage(bytes: statement.body))
        } catch {
            throw .malformed(place: place)
        }
    }

    private mutating func check(
        _ statement: SignedStatement, _ message: RunMessage
    ) throws(RecordFailure) {
        // Parcels, which differ from bank to bank, have a number and no place in the chain.
        guard statement.author == .coordinator, statement.run == manifest.run,
            statement.sequence >= next, statement.chainHead == transcript.head
        else { throw .brokenChain(.coordinator, sequence: statement.sequence) }
        guard
            statement.isSealed
                ? statement.isSigned(by: coordinatorKey) : !message.needsSeal
        else { throw .badSignature(.coordinator, sequence: statement.sequence) }
        next = statement.sequence + 1
        if case .parcel = message { return }
        transcript.append(digest: statement.digest)
    }

    /// Takes the next statement; the sum of the slot before counts as opened when it moves on.
    mutating func take(_ bytes: [UInt8], place: Int) throws(RecordFailure) -> RunMessage {
        let (statement, message) = try Self.parse(bytes, place: place)
        try check(statement, message)
        switch message {
        case .epoch(let hellos): epochDigest = NodeRun.epochDigest(hellos)
        case .agreement(let acknowledgements):
            participants = Set(
                acknowledgements.indices.filter { !acknowledgements[$0].isEmpty })
        case .query(let query):
            if let slot, slot.query.slot != query.slot { count() }
            try take(query)
        case .truncation:
            guard !verified.groups.isEmpty else { throw .outOfPlace("truncation") }
            verified.groups[verified.groups.count - 1].isTruncated = true
            slot = nil
        case .outcome(let model, _):
            if slot != nil { count() }
            verified.modelDigest = SHA256.hash(model)
            verified.transcriptHead = transcript.head
        default: break
        }
        return message
    }

    private mutating func count() {
        guard !verified.groups.isEmpty else { return }
        verified.groups[verified.groups.count - 1].slots += 1
    }

    private mutating func take(_ query: SlotQuery) throws(RecordFailure) {
        guard let roster = manifest.roster.choosing(query.places), charter.permits(roster.banks),
            participants.isSuperset(of: query.places)
        else { throw .outOfPlace("a roster against the charter") }
        let isRetry = slot?.query.slot == query.slot
        if !isRetry {
            guard query.isGated == sequence.isStart(query.query) else {
                throw .outOfPlace("a gate")
            }
            sequence.advance(by: query.query)
        }
        if query.isGated {
            if isRetry { verified.groups.removeLast() }
            verified.groups.append(
                VerifiedRun.Group(
                    id: sequence.id, roster: roster.banks, slots: 0, isTruncated: false))
        } else if verified.groups.last?.roster != roster.banks {
            throw .outOfPlace("a roster that changes inside of a group")
        }
        slot = (
            query,
            SlotContext(
                manifestDigest: manifest.digest, epochDigest: epochDigest,
                group: sequence.count - 1, groupID: sequence.id, attempt: query.attempt,
                slot: query.slot, layout: query.query.layout, transcriptHead: transcript.head,
                roster: roster)
        )
    }
}
