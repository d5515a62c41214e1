/// One attempt at the gated first slot of a group, and the plain slots after it.
public struct AttemptID: Hashable, Sendable {
    /// Digest of the epoch whose gates and keys are used, 32 bytes.
    public let epoch: [UInt8]
    /// The group: SHA-256 over data set version, model state and kind of query, 32 bytes.
    public let group: [UInt8]
    /// Which of the epoch's pre-shared gates; a gate serves one attempt of one group.
    public let gate: UInt32

    /// Wraps the parts.
    public init(epoch: [UInt8], group: [UInt8], gate: UInt32) {
        self.epoch = epoch
        self.group = group
        self.gate = gate
    }
}

/// A bank's safety rules: what it may send about a group, whatever the coordinator says.
///
/// A pure state machine. Each operation either throws the one ``SafetyViolation`` that forbids the
/// send, or gives the entries that must be on disk *before* the send; no entries means that nothing
/// new is remembered. After a crash, ``init(_:replaying:)`` restores the state from all entries ever
/// written, of all epochs and runs. The rules, and why they suffice: <doc:SecureAggregationArgument>.
public struct SafetyKernel: Hashable, Sendable {
    private let parameters: SafetyParameters
    private let rules: Rules
    /// The attempt that each epoch is at; older ones are closed.
    private var current: [[UInt8]: Attempt] = [:]
    /// For each group this bank ever released a gate of: the one roster it may be summed over.
    private var committed: [[UInt8]: Commitment] = [:]
    /// For each static query this bank ever answered: the one roster.
    private var asked: [[UInt8]: Commitment] = [:]

    /// Starts with the entries that were written so far; none for a bank's first run.
    public init(_ parameters: SafetyParameters, replaying entries: [SafetyEntry] = []) {
        self.init(parameters, replaying: entries, rules: .all)
    }

    /// Leaves rules out; for the model checker, which must be able to fail.
    package init(
        _ parameters: SafetyParameters, replaying entries: [SafetyEntry] = [], rules: Rules
    ) {
        self.parameters = parameters
        self.rules = rules
        for entry in entries { apply(entry) }
    }

    /// Agrees to take part in an attempt with a roster; nothing is sent on the strength of it yet.
    ///
    /// Closes the epoch's attempt before it: of that one nothing is uploaded or released any more.
    ///
    /// - Parameter roster: places of the members, ascending.
    public mutating func admit(
        _ attempt: AttemptID, roster: [Int]
    ) throws(SafetyViolation) -> [SafetyEntry] {
        try check(roster)
        if let last = current[attempt.epoch]?.id {
            if last == attempt, current[attempt.epoch]?.roster == roster { return [] }
            guard attempt.gate > last.gate else {
                throw .gateNotNew(got: attempt.gate, last: last.gate)
            }
        }
        try checkCommitment(of: attempt.group, roster)
        return record(.admitted(attempt, roster: roster))
    }

    /// Sends a masked vector: the first of an attempt behind its gate, later ones plain.
    ///
    /// - Parameters:
    ///   - slot: number of the slot; ascending within an attempt. The last one may be repeated.
    ///   - context: digest of the ``SlotContext`` that the masks are bound to.
    ///   - digest: SHA-256 of the masked vector.
    public mutating func upload(
        _ attempt: AttemptID, slot: UInt32, context: [UInt8], digest: [UInt8]
    ) throws(SafetyViolation) -> [SafetyEntry] {
        let state = try open(attempt)
        let upload = Upload(slot: slot, context: context, digest: digest)
        if let last = state.last {
            if last == upload { return [] }
            guard slot != last.slot else { throw .resendDiffers(slot: slot) }
            guard slot > last.slot else { throw .slotPassed(got: slot, last: last.slot) }
            guard state.isReleased || !rules.contains(.plainAfterRelease) else {
                throw .plainBeforeRelease(slot: slot)
            }
        }
        try checkCommitment(of: attempt.group, state.roster)
        return record(.uploaded(attempt, slot: slot, context: context, digest: digest))
    }

    /// Gives away the seed of this bank's gate, which commits the bank to the attempt's roster.
    ///
    /// - Parameter uploads: for each member of the roster the context digest in its *signed* upload
    ///   certificate; the caller has verified the signatures.
    public mutating func release(
        _ attempt: AttemptID, uploads: [Int: [UInt8]]
    ) throws(SafetyViolation) -> [SafetyEntry] {
        let state = try open(attempt)
        guard let context = state.gatedContext else { throw .releaseBeforeUpload }
        if state.isReleased { return [] }
        if rules.contains(.sameContext) {
            for member in state.roster {
                guard let other = uploads[member] else { throw .uploadMissing(member: member) }
                guard other == context else { throw .uploadDiffers(member: member) }
            }
        }
        try checkCommitment(of: attempt.group, state.roster)
        return record(
            .released(attempt, charter: parameters.charterDigest, roster: state.roster))
    }

    /// Hands out this bank's share of a vanished member's gate seed.
    ///
    /// Only for the attempt whose own gate this bank has released, which is on disk already.
    public func share(_ attempt: AttemptID, of member: Int) throws(SafetyViolation) {
        let state = try open(attempt)
        guard state.isReleased || !rules.contains(.shareAfterRelease) else {
            throw .shareBeforeRelease
        }
        guard state.roster.contains(member) else { throw .shareOfStranger(member: member) }
    }

    /// Answers a query whose answer depends on the data alone, as quantiles and totals do: for each
    /// data set version over one roster only.
    ///
    /// - Parameter query: SHA-256 over data set version and query, 32 bytes.
    public mutating func answer(
        staticQuery query: [UInt8], roster: [Int]
    ) throws(SafetyViolation) -> [SafetyEntry] {
        try check(roster)
        let commitment = Commitment(charter: parameters.charterDigest, roster: roster)
        if let before = asked[query] {
            guard before == commitment else { throw .staticQueryAnswered }
            return []
        }
        return record(.answered(query, charter: parameters.charterDigest, roster: roster))
    }

    /// Ends an epoch, whose keys are gone: its attempts are closed; what was committed stays.
    public mutating func close(epoch: [UInt8]) -> [SafetyEntry] {
        current[epoch] == nil ? [] : record(.closed(epoch: epoch))
    }

    private func check(_ roster: [Int]) throws(SafetyViolation) {
        let members = Set(roster)
        guard members.count == roster.count, roster == roster.sorted(),
            roster.allSatisfy({ (0..<parameters.memberCount).contains($0) })
        else { throw .rosterMalformed }
        guard members.contains(parameters.own) else { throw .rosterWithoutOwn }
        for (index, bloc) in parameters.blocs.enumerated() {
            let present = bloc.count(where: members.contains)
            guard present == 0 || present == bloc.count else { throw .blocSplit(bloc: index) }
        }
        guard roster.count >= parameters.rosterMin else {
            throw .rosterTooSmall(got: roster.count, least: parameters.rosterMin)
        }
    }

    private func checkCommitment(of group: [UInt8], _ roster: [Int]) throws(SafetyViolation) {
        guard rules.contains(.oneCommitment), let before = committed[group] else { return }
        guard before == Commitment(charter: parameters.charterDigest, roster: roster) else {
            throw .groupCommitted
        }
    }

    private func open(_ attempt: AttemptID) throws(SafetyViolation) -> Attempt {
        guard let state = current[attempt.epoch] else { throw .attemptUnknown }
        guard state.id == attempt else {
            throw attempt.gate < state.id.gate ? .attemptClosed : .attemptUnknown
        }
        return state
    }

    private mutating func record(_ entry: SafetyEntry) -> [SafetyEntry] {
        apply(entry)
        return [entry]
    }

    private mutating func apply(_ entry: SafetyEntry) {
        switch entry {
        case .admitted(let attempt, let roster):
            current[attempt.epoch] = Attempt(id: attempt, roster: roster)
        case .uploaded(let attempt, let slot, let context, let digest):
            current[attempt.epoch]?.last = Upload(slot: slot, context: context, digest: digest)
            if current[attempt.epoch]?.gatedContext == nil {
                current[attempt.epoch]?.gatedContext = context
            }
        case .released(let attempt, let charter, let roster):
            current[attempt.epoch]?.isReleased = true
            committed[attempt.group] = Commitment(charter: charter, roster: roster)
        case .answered(let query, let charter, let roster):
            asked[query] = Commitment(charter: charter, roster: roster)
        case .closed(let epoch):
            current[epoch] = nil
        }
    }

    /// The rules that can be left out to see that they are needed.
    package struct Rules: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// Plain slots only after the release.
        package static let plainAfterRelease = Rules(rawValue: 1)
        /// One roster for each group for ever.
        package static let oneCommitment = Rules(rawValue: 2)
        /// Shares only of the attempt that this bank released.
        package static let shareAfterRelease = Rules(rawValue: 4)
        /// A release only when all members signed uploads of the same context.
        package static let sameContext = Rules(rawValue: 8)
        package static let all: Rules = [
            .plainAfterRelease, .oneCommitment, .shareAfterRelease, .sameContext,
        ]
    }

    private struct Attempt: Hashable, Sendable {
        let id: AttemptID
        let roster: [Int]
        var gatedContext: [UInt8]?
        var last: Upload?
        var isReleased = false
    }

    private struct Upload: Hashable, Sendable {
        let slot: UInt32
        let context: [UInt8]
        let digest: [UInt8]
    }

    private struct Commitment: Hashable, Sendable {
        let charter: [UInt8]
        let roster: [Int]
    }
}
