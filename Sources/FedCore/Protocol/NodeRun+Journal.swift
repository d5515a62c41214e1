public import FedCrypto

extension NodeRun {
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
        /// The charter that this bank consented to last; a new one must not protect less.
        public let knownCharter: Charter?
        /// SHA-256 of the feature standard that this bank's data follow.
        public let standardDigest: [UInt8]
        /// Rows that this bank would train on.
        public let rowCount: Int
        /// SHA-256 of the bank's rows: for each version of them, a computation is done over one
        /// roster only.
        public let datasetDigest: [UInt8]
        /// All safety entries of earlier runs, in order.
        public let safetyEntries: [SafetyEntry]
        /// 32 fresh random bytes, kept with the journal until the run is over and then wiped: all
        /// of the bank's secrets of the run derive from it.
        public let runSeed: SecretBytes

        /// Wraps the parts.
        public init(
            bank: NodeID, identity: SigningKey, coordinatorKey: [UInt8],
            knownKeys: [NodeID: [UInt8]], knownCharter: Charter? = nil, standardDigest: [UInt8],
            rowCount: Int, datasetDigest: [UInt8], safetyEntries: [SafetyEntry] = [],
            runSeed: SecretBytes
        ) {
            self.bank = bank
            self.identity = identity
            self.coordinatorKey = coordinatorKey
            self.knownKeys = knownKeys
            self.knownCharter = knownCharter
            self.standardDigest = standardDigest
            self.rowCount = rowCount
            self.datasetDigest = datasetDigest
            self.safetyEntries = safetyEntries
            self.runSeed = runSeed
        }
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

    /// What a bank must not forget: with its configuration it is the whole state of a run.
    public enum JournalEntry: Equatable, Sendable {
        /// A statement of the coordinator was accepted.
        case accepted([UInt8])
        /// What the safety rules must remember; it outlives the run.
        case safety(SafetyEntry)

        /// The form on disk.
        public var bytes: [UInt8] {
            var writer = ByteWriter()
            switch self {
            case .accepted(let statement):
                writer.write(UInt8(1))
                writer.write(statement)
            case .safety(let entry):
                writer.write(UInt8(2))
                writer.write(entry.bytes)
            }
            return writer.bytes
        }

        /// Reads the form on disk.
        public init(bytes: [UInt8]) throws(DecodingFailure) {
            var reader = ByteReader(bytes)
            switch try reader.read(UInt8.self) {
            case 1: self = .accepted(try reader.readBytes(limit: 1 << 30))
            case 2: self = .safety(try SafetyEntry(bytes: try reader.readBytes(limit: 1 << 16)))
            default: throw .invalidValue(field: "journal entry", at: 0)
            }
            try reader.finish()
        }
    }

    /// Replays a journal after a restart.
    ///
    /// The journal is the entries of all ``Effect/persist(_:)`` in order; the configuration is that
    /// of the first start, without this run's safety entries.
    ///
    /// - Returns: the machine as it was, and what to do first: bring the learner up to date, and
    ///   answer the query that was open. Statements are sent again once connected.
    /// - Throws: ``RefusalReason`` when the journal is not one of this run and configuration.
    public static func restore(
        run: RunID, configuration: Configuration, journal: [JournalEntry]
    ) throws(RefusalReason) -> (NodeRun, [Effect]) {
        var node = NodeRun(run: run, configuration: configuration)
        node.restoredQueries = []
        node.restoredSafety = journal.compactMap { entry in
            if case .safety(let entry) = entry { entry } else { nil }
        }
        var first: [Effect] = []
        for entry in journal {
            switch entry {
            case .accepted(let bytes):
                for effect in node.handle(.received(bytes)) {
                    switch effect {
                    case .consented, .adopt, .finish: first.append(effect)
                    case .persist, .send, .compute, .replay, .note: break
                    case .reconnect: throw .protocolViolation("the journal has a gap")
                    }
                }
            case .safety(.uploaded(_, _, _, let digest)):
                guard node.phase == .running, node.current?.isMember == true else {
                    if case .finish(.refused(let reason))? = first.last { throw reason }
                    throw .protocolViolation("the journal has an upload out of place")
                }
                node.current?.upload = node.outbox.count
                node.append(digest: digest, bytes: nil, entry: node.uploadEntry(digest, bytes: 0))
            case .safety: break
            }
        }
        // Nothing of the past is sent or written again; uploads of the open slot may be.
        node.unpersisted = []
        let queries = node.restoredQueries ?? []
        node.restoredQueries = nil
        for (query, slot) in queries {
            if let current = node.current, current.query.slot == slot, current.isMember,
                !current.isCommitted, !node.isEnded
            {
                first.append(
                    .compute(query, slot: slot, contributors: current.roster.members.count))
            } else {
                first.append(.replay(query))
            }
        }
        return (node, first)
    }

    // MARK: Sending

    /// Signs, where that is due, and sends the next statement, after the journal.
    mutating func send(_ message: RunMessage) -> [Effect] {
        let statement = SignedStatement(
            run: run, author: .bank(configuration.bank), sequence: UInt64(outbox.count),
            chainHead: chain.head, message: message,
            key: message.needsSeal ? configuration.identity : nil)
        let entry = EgressEntry(
            kind: message.kind, slot: nil, laneCount: 0, digest: statement.digest,
            byteCount: statement.bytes.count)
        append(digest: statement.digest, bytes: statement.bytes, entry: entry)
        return flush() + [.send(statement.bytes, entry)]
    }

    mutating func append(digest: [UInt8], bytes: [UInt8]?, entry: EgressEntry) {
        outbox.append(
            Outgoing(digest: digest, chainHead: chain.head, bytes: bytes, entry: entry))
        chain.append(digest: digest)
    }

    func uploadEntry(_ digest: [UInt8], bytes: Int) -> EgressEntry {
        EgressEntry(
            kind: current?.query.query.kind ?? "update", slot: current?.query.slot,
            laneCount: current?.query.query.layout.laneCount ?? 0, digest: digest,
            byteCount: bytes)
    }

    mutating func flush() -> [Effect] {
        guard !unpersisted.isEmpty else { return [] }
        defer { unpersisted = [] }
        return [.persist(unpersisted)]
    }

    /// Sends again what the coordinator does not have.
    mutating func resend(from count: UInt64) -> [Effect] {
        guard count <= UInt64(outbox.count) else {
            phase = .ended
            return [.finish(.refused(.stateLost))]
        }
        // What was accepted and not yet written is in no journal; the coordinator's next
        // statements build on it.
        var effects = flush()
        for index in Int(count)..<outbox.count {
            let outgoing = outbox[index]
            if let bytes = outgoing.bytes {
                effects.append(.send(bytes, outgoing.entry))
            } else if current?.upload == index {
                // It follows as soon as it is computed again.
                break
            } else {
                let statement = SignedStatement(
                    run: run, author: .bank(configuration.bank), sequence: UInt64(index),
                    chainHead: outgoing.chainHead, message: .lapsed(digest: outgoing.digest),
                    key: nil)
                effects.append(
                    .send(
                        statement.bytes,
                        EgressEntry(
                            kind: "lapsed", slot: nil, laneCount: 0, digest: statement.digest,
                            byteCount: statement.bytes.count)))
            }
        }
        return effects
    }

    /// Forgets the bytes of a statement that nobody will ask for any more.
    mutating func lapse(_ index: Int?) {
        guard let index, outbox.indices.contains(index) else { return }
        outbox[index].bytes = nil
    }
}
