public import FedCrypto

extension CoordinatorRun {
    /// What the coordinator decided rather than was told.
    public enum Decision: Equatable, Sendable {
        /// The run begins.
        case started
        /// The pending group has this roster, by places; or the set-up goes on with these banks.
        case roster([Int])
        /// The group's first slot is tried again with this smaller roster.
        case retry([Int])
        /// Shares of these banks' gates are asked for.
        case recover([Int])
        /// The tree ends without the last query's sum, for want of these banks.
        case truncated(missing: [Int])
        /// This bank is out of the run for good.
        case excluded(Int, AbortReason)
        /// The model was delivered to all who could be waited for.
        case delivered
        /// The run ends without a model.
        case aborted(AbortReason)
    }

    /// What a coordinator must not forget: with the manifest, its key and a fresh learner it is the
    /// whole state of a run, and what anyone needs to check every sum of it (``RunReplay``).
    public enum JournalEntry: Equatable, Sendable {
        /// A bank's statement was accepted.
        case statement(NodeID, [UInt8])
        /// The coordinator decided.
        case decision(Decision)

        /// The form on disk.
        public var bytes: [UInt8] {
            var writer = ByteWriter()
            switch self {
            case .statement(let bank, let statement):
                writer.write(UInt8(1))
                writer.write(bank.name)
                writer.write(statement)
            case .decision(let decision):
                writer.write(UInt8(2))
                decision.write(to: &writer)
            }
            return writer.bytes
        }

        /// Reads the form on disk.
        public init(bytes: [UInt8]) throws(DecodingFailure) {
            var reader = ByteReader(bytes)
            switch try reader.read(UInt8.self) {
            case 1:
                guard let bank = NodeID(try reader.readString(limit: 64)) else {
                    throw .invalidValue(field: "bank", at: 1)
                }
                self = .statement(bank, try reader.readBytes(limit: 1 << 30))
            case 2: self = .decision(try Decision(from: &reader))
            default: throw .invalidValue(field: "journal entry", at: 0)
            }
            try reader.finish()
        }
    }

    /// Replays a journal after a restart.
    ///
    /// The journal is the entries of all ``Effect/persist(_:)`` in order.
    ///
    /// - Parameter learner: as at the run's beginning.
    /// - Returns: the machine as it was, with no bank connected, and what to do first.
    public static func restore(
        manifest: Manifest, charter: Charter, key: SigningKey, learner: any JointLearner,
        journal: [JournalEntry]
    ) -> (CoordinatorRun, [Effect]) {
        var run = CoordinatorRun(
            manifest: manifest, charter: charter, key: key, learner: learner)
        run.isReplaying = true
        var last: [Effect] = []
        for entry in journal {
            run.deferred = nil
            switch entry {
            case .statement(let bank, let bytes): last = run.handle(.received(bytes, from: bank))
            case .decision(let decision): last = run.apply(decision)
            }
        }
        run.isReplaying = false
        let finish = last.filter { if case .finish = $0 { true } else { false } }
        if run.phase == .idle || run.phase == .ended { return (run, finish) }
        // The process may have ended between the last entry and what was decided for its sake.
        let decided = run.deferred.map { run.decide($0) } ?? []
        if run.phase == .ended || run.isHeld { return (run, finish + decided) }
        // Before the machine is given away: the clock must be of the phase that it returns in.
        let clock = [run.nextDeadline(), run.report()]
        return (run, finish + decided + clock)
    }

    /// Every statement that the coordinator made for all banks, in order; with the banks'
    /// statements in the journal this is the run's full record.
    public var statements: [[UInt8]] {
        said.compactMap { if case .common(let bytes, _) = $0 { bytes } else { nil } }
    }

    /// Journals a decision and acts on it; during a replay the journal decides.
    mutating func decide(_ decision: Decision) -> [Effect] {
        guard !isReplaying else {
            if deferred == nil { deferred = decision }
            return []
        }
        return [.persist(.decision(decision))] + apply(decision)
    }

    private mutating func apply(_ decision: Decision) -> [Effect] {
        switch decision {
        case .started: return begin()
        case .roster(let places):
            return phase == .forming ? beginGroup(places: places) : narrow(to: places)
        case .retry(let places): return retry(places: places)
        case .recover(let places): return askShares(of: places)
        case .truncated(let missing): return truncate(missing: missing)
        case .excluded(let place, let reason): return shutOut(place, reason)
        case .delivered: return end()
        case .aborted(let reason):
            phase = .ended
            return [say(.abort(reason)), .finish(.aborted(reason))]
        }
    }
}

extension CoordinatorRun.Decision {
    func write(to writer: inout ByteWriter) {
        func write(_ tag: UInt8, _ places: [Int]) {
            writer.write(tag)
            writer.writeEach(places) { $0.write(UInt8($1)) }
        }
        switch self {
        case .started: writer.write(UInt8(1))
        case .roster(let places): write(2, places)
        case .retry(let places): write(3, places)
        case .recover(let places): write(4, places)
        case .truncated(let missing): write(5, missing)
        case .excluded(let place, let reason):
            write(6, [place])
            reason.write(to: &writer)
        case .delivered: writer.write(UInt8(7))
        case .aborted(let reason):
            writer.write(UInt8(8))
            reason.write(to: &writer)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        switch try reader.read(UInt8.self) {
        case 1: self = .started
        case 2: self = .roster(try reader.readPlaces())
        case 3: self = .retry(try reader.readPlaces())
        case 4: self = .recover(try reader.readPlaces())
        case 5: self = .truncated(missing: try reader.readPlaces())
        case 6:
            guard let place = try reader.readPlaces().first else {
                throw .invalidValue(field: "place", at: reader.position)
            }
            self = .excluded(place, try AbortReason(from: &reader))
        case 7: self = .delivered
        case 8: self = .aborted(try AbortReason(from: &reader))
        default: throw .invalidValue(field: "decision", at: reader.position)
        }
    }
}
