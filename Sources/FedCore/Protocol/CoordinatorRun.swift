public import FedCrypto

/// The coordinator's side of one run as a state machine: statements in, effects out.
///
/// It holds the learner's state and sums only. The roster is fixed for the whole run: when a bank
/// is lost, refuses or breaks the protocol, the run ends with one reason that names it, and every
/// other bank is told the same reason.
public struct CoordinatorRun: Sendable {
    /// What happens to the machine.
    public enum Event: Sendable {
        /// All banks of the roster are connected: begin.
        case start
        /// Bytes came over a bank's authenticated connection.
        case received([UInt8], from: NodeID)
        /// A bank's connection is gone.
        case lost(NodeID)
        /// The phase's time is over.
        case deadlinePassed(phase: UInt64)
        /// The operator, or the end of the process.
        case abort(AbortReason)
    }

    /// What the machine wants done, in order.
    public enum Effect: Sendable {
        /// Send the same bytes to every bank of the roster.
        case broadcast([UInt8], kind: String)
        /// Give ``Event/deadlinePassed(phase:)`` with this number when the phase's time is over,
        /// and forget earlier ones.
        case setDeadline(phase: UInt64)
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
        /// Masked sums asked for so far.
        public let slots: Int
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

    private enum State {
        case idle
        case collectingHellos([NodeID: [UInt8]])
        case collectingAcknowledgements([NodeID: [UInt8]], epochDigest: [UInt8])
        case collectingUpdates(SlotAccumulator, slot: UInt32)
        case collectingStored(ModelDocument, waiting: Set<NodeID>)
        case ended
    }

    /// The manifest.
    public let manifest: Manifest
    private let manifestDigest: [UInt8]
    private let key: SigningKey
    private var learner: any JointLearner
    private var state = State.idle
    private var transcript: Transcript
    private var epochDigest: [UInt8] = []
    private var sent: UInt64 = 0
    private var slots: UInt32 = 0
    private var phase: UInt64 = 0
    private var expected: [NodeID: UInt64] = [:]
    private var receipt = SlotReceipt.none

    /// Prepares a run; nothing is sent before ``Event/start``.
    public init(manifest: Manifest, key: SigningKey, learner: any JointLearner) {
        self.manifest = manifest
        self.key = key
        self.learner = learner
        manifestDigest = manifest.digest
        transcript = Transcript(run: manifest.run)
    }

    /// Whether the run is over.
    public var isEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// Takes one event.
    public mutating func handle(_ event: Event) -> [Effect] {
        if case .ended = state { return [] }
        switch event {
        case .start:
            guard case .idle = state else { return [] }
            state = .collectingHellos([:])
            let proposal = RunMessage.proposal(manifest: manifest.bytes)
            return [broadcast(proposal), nextDeadline(), report()]
        case .received(let bytes, let bank): return receive(bytes, from: bank)
        case .lost(let bank):
            guard manifest.roster.index(of: bank) != nil else { return [] }
            if case .collectingStored(let model, let waiting) = state {
                return stored(by: bank, model: model, waiting: waiting, confirmed: false)
            }
            return abort(.bankLost(bank, phase: phaseName))
        case .deadlinePassed(let phase):
            guard phase == self.phase, let bank = waitingFor.first else { return [] }
            if case .collectingStored(let model, _) = state { return end(.model(model)) }
            return abort(.bankSilent(bank, phase: phaseName))
        case .abort(let reason): return abort(reason)
        }
    }

    // MARK: Statements

    private mutating func receive(_ bytes: [UInt8], from bank: NodeID) -> [Effect] {
        guard let identityKey = manifest.roster.identityKey(of: bank) else { return [] }
        let statement: SignedStatement
        let message: RunMessage
        do {
            statement = try SignedStatement(bytes: bytes)
            message = try RunMessage(bytes: statement.body)
        } catch {
            return abort(.bankViolation(bank, "malformed statement"))
        }
        guard statement.author == .bank(bank), statement.isSigned(by: identityKey) else {
            return abort(.bankViolation(bank, "its signature does not verify"))
        }
        guard statement.run == manifest.run else {
            return abort(.bankViolation(bank, "statement of another run"))
        }
        let due = expected[bank] ?? 0
        if statement.sequence < due {
            return [.note(Notice(.debug, "bank \(bank): a repeated statement was ignored"))]
        }
        guard statement.sequence == due else {
            return abort(
                .bankViolation(bank, "statement \(statement.sequence) came where \(due) was due"))
        }
        expected[bank] = due + 1
        if case .refusal(let reason) = message { return abort(.bankRefused(bank, reason)) }
        switch (state, message) {
        case (.collectingHellos(let hellos), .hello(let digest, _)):
            guard digest == manifestDigest else {
                return abort(.bankViolation(bank, "it consents to another manifest"))
            }
            return collect(hello: bytes, from: bank, hellos: hellos)
        case (
            .collectingAcknowledgements(let others, let epochDigest), .acknowledgement(let digest)
        ):
            guard digest == epochDigest else {
                return abort(.bankViolation(bank, "it acknowledges another epoch"))
            }
            return collect(acknowledgement: bytes, from: bank, others: others)
        case (
            .collectingUpdates(let accumulator, let due), .update(let slot, let digest, let lanes)
        ):
            guard slot == due else {
                return abort(.bankViolation(bank, "an update of slot \(slot) for slot \(due)"))
            }
            return add(
                accumulator, contextDigest: digest, lanes: lanes, bank: bank, statement: bytes)
        case (.collectingStored(let model, let waiting), .stored(let digest)):
            guard digest == SHA256.hash(model.bytes) else {
                return abort(.bankViolation(bank, "it stored another model"))
            }
            return stored(by: bank, model: model, waiting: waiting, confirmed: true)
        default:
            return abort(.bankViolation(bank, "\(message.kind) is out of place"))
        }
    }

    private mutating func collect(
        hello: [UInt8], from bank: NodeID, hellos: [NodeID: [UInt8]]
    ) -> [Effect] {
        var hellos = hellos
        hellos[bank] = hello
        state = .collectingHellos(hellos)
        guard hellos.count == manifest.roster.members.count else { return [report()] }
        let ordered = manifest.roster.banks.compactMap { hellos[$0] }
        epochDigest = NodeRun.epochDigest(ordered)
        state = .collectingAcknowledgements([:], epochDigest: epochDigest)
        return [broadcast(.epoch(hellos: ordered)), nextDeadline(), report()]
    }

    private mutating func collect(
        acknowledgement: [UInt8], from bank: NodeID, others: [NodeID: [UInt8]]
    ) -> [Effect] {
        var all = others
        all[bank] = acknowledgement
        state = .collectingAcknowledgements(all, epochDigest: epochDigest)
        guard all.count == manifest.roster.members.count else { return [report()] }
        let ordered = manifest.roster.banks.compactMap { all[$0] }
        return [broadcast(.agreement(acknowledgements: ordered))] + advance()
    }

    private mutating func add(
        _ accumulator: SlotAccumulator, contextDigest: [UInt8], lanes: [UInt8], bank: NodeID,
        statement: [UInt8]
    ) -> [Effect] {
        // The sums are moved out of the state and back, so that they are not copied.
        state = .idle
        var accumulator = accumulator
        do {
            try accumulator.add(
                contextDigest: contextDigest, laneBytes: lanes, from: bank, statement: statement)
            guard accumulator.missing.isEmpty else {
                state = .collectingUpdates(accumulator, slot: slots - 1)
                return [report()]
            }
            let aggregate = try accumulator.open()
            receipt = SlotReceipt(
                updateDigests: accumulator.orderedDigests, sumDigest: Self.digest(of: aggregate))
            try learner.absorb(aggregate)
        } catch let failure as UpdateFailure {
            if failure == .checkLanesDiffer { return abort(.garbledSum(slot: Int(slots) - 1)) }
            return abort(.bankViolation(bank, failure.description))
        } catch let error as LearningError {
            return abort(.learning(error.description))
        } catch {
            return abort(.learning("\(error)"))
        }
        return advance()
    }

    /// Asks the learner what is next.
    private mutating func advance() -> [Effect] {
        let step: JointStep
        do {
            step = try learner.next()
        } catch {
            return abort(.learning(error.description))
        }
        switch step {
        case .query(let query):
            let message = SlotQuery(slot: slots, query: query, receipt: receipt)
            let effect = broadcast(.query(message))
            let context = SlotContext(
                manifestDigest: manifestDigest, epochDigest: epochDigest, slot: slots,
                layout: query.layout, transcriptHead: transcript.head, roster: manifest.roster)
            state = .collectingUpdates(SlotAccumulator(context: context), slot: slots)
            slots += 1
            return [effect, nextDeadline(), report()]
        case .finished(let model):
            state = .collectingStored(model, waiting: Set(manifest.roster.banks))
            let outcome = RunMessage.outcome(model: model.bytes, receipt: receipt)
            return [broadcast(outcome), nextDeadline(), report()]
        }
    }

    private mutating func stored(
        by bank: NodeID, model: ModelDocument, waiting: Set<NodeID>, confirmed: Bool
    ) -> [Effect] {
        var waiting = waiting
        waiting.remove(bank)
        let note: [Effect] =
            confirmed
            ? []
            : [.note(Notice(.warning, "bank \(bank) went away before it confirmed the model"))]
        guard waiting.isEmpty else {
            state = .collectingStored(model, waiting: waiting)
            return note + [report()]
        }
        return note + end(.model(model))
    }

    // MARK: Helpers

    private enum Ending {
        case model(ModelDocument)
        case aborted(AbortReason)
    }

    private mutating func end(_ ending: Ending) -> [Effect] {
        state = .ended
        switch ending {
        case .model(let model): return [.finish(.model(model, slots: Int(slots)))]
        case .aborted(let reason): return [.finish(.aborted(reason))]
        }
    }

    private mutating func abort(_ reason: AbortReason) -> [Effect] {
        if case .collectingStored(let model, _) = state {
            // The model is out already; what went wrong now concerns one bank's confirmation.
            return [.note(Notice(.warning, reason.description))] + end(.model(model))
        }
        return [broadcast(.abort(reason))] + end(.aborted(reason))
    }

    private mutating func broadcast(_ message: RunMessage) -> Effect {
        let statement = SignedStatement(
            run: manifest.run, author: .coordinator, sequence: sent, message: message, key: key)
        sent += 1
        transcript.append(statement.bytes)
        return .broadcast(statement.bytes, kind: message.kind)
    }

    private mutating func nextDeadline() -> Effect {
        phase += 1
        return .setDeadline(phase: phase)
    }

    private func report() -> Effect {
        .progress(
            Progress(
                phase: phaseName, slots: Int(slots), learner: learner.progress,
                waitingFor: waitingFor))
    }

    private var phaseName: String {
        switch state {
        case .idle: "start"
        case .collectingHellos: "consent"
        case .collectingAcknowledgements: "key agreement"
        case .collectingUpdates(_, let slot): "slot \(slot)"
        case .collectingStored: "delivery of the model"
        case .ended: "end"
        }
    }

    private var waitingFor: [NodeID] {
        switch state {
        case .idle, .ended: []
        case .collectingHellos(let done): manifest.roster.banks.filter { done[$0] == nil }
        case .collectingAcknowledgements(let done, _):
            manifest.roster.banks.filter { done[$0] == nil }
        case .collectingUpdates(let accumulator, _): accumulator.missing
        case .collectingStored(_, let waiting): waiting.sorted()
        }
    }

    private static func digest(of aggregate: Aggregate) -> [UInt8] {
        // Eight bytes a lane, least significant first.
        aggregate.integers.map { $0.littleEndian }.withUnsafeBytes { SHA256.hash($0) }
    }
}
