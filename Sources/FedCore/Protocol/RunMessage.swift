/// What coordinator and banks say to each other in a run, in the order in which it is said.
public enum RunMessage: Equatable, Sendable {
    // From the coordinator, the same bytes to every bank.

    /// The manifest of a run.
    case proposal(manifest: [UInt8])
    /// All banks' ``hello(manifestDigest:epochKey:)`` statements, verbatim, in roster order.
    case epoch(hellos: [[UInt8]])
    /// All banks' ``acknowledgement(epochDigest:)`` statements, verbatim, in roster order.
    case agreement(acknowledgements: [[UInt8]])
    /// One masked sum is asked for.
    case query(SlotQuery)
    /// Training is over; the model.
    case outcome(model: [UInt8], receipt: SlotReceipt)
    /// The run has ended without a model.
    case abort(AbortReason)

    // From a bank to the coordinator.

    /// Consent to the manifest and the bank's key for this epoch.
    case hello(manifestDigest: [UInt8], epochKey: [UInt8])
    /// The bank does not take part, or no longer.
    case refusal(RefusalReason)
    /// The bank has verified every key of the epoch.
    case acknowledgement(epochDigest: [UInt8])
    /// The answer to a query.
    case update(slot: UInt32, contextDigest: [UInt8], laneBytes: [UInt8])
    /// The bank has stored the model.
    case stored(modelDigest: [UInt8])
}

/// A query with its place in the run and the receipt of the slot before.
public struct SlotQuery: Equatable, Sendable {
    /// Counted from 0.
    public let slot: UInt32
    /// What is asked.
    public let query: Query
    /// What became of the slot before.
    public let receipt: SlotReceipt

    /// Wraps the parts.
    public init(slot: UInt32, query: Query, receipt: SlotReceipt) {
        self.slot = slot
        self.query = query
        self.receipt = receipt
    }
}

/// What became of a slot.
///
/// Which signed updates were summed, and the hash of the sum. Empty before the first slot. Each
/// bank finds its own update in it.
public struct SlotReceipt: Equatable, Sendable {
    /// SHA-256 of every bank's signed update, in roster order; empty before the first slot.
    public let updateDigests: [[UInt8]]
    /// SHA-256 of the summed lanes; empty before the first slot.
    public let sumDigest: [UInt8]

    /// The receipt before the first slot.
    public static let none = SlotReceipt(updateDigests: [], sumDigest: [])

    /// Wraps the digests.
    public init(updateDigests: [[UInt8]], sumDigest: [UInt8]) {
        self.updateDigests = updateDigests
        self.sumDigest = sumDigest
    }
}

extension RunMessage {
    /// A short name for logs and the egress ledger.
    public var kind: String {
        switch self {
        case .proposal: "proposal"
        case .epoch: "epoch"
        case .agreement: "agreement"
        case .query: "query"
        case .outcome: "outcome"
        case .abort: "abort"
        case .hello: "hello"
        case .refusal: "refusal"
        case .acknowledgement: "acknowledgement"
        case .update: "update"
        case .stored: "stored"
        }
    }

    /// The canonical encoding.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .proposal(let manifest):
            writer.write(UInt8(1))
            writer.write(manifest)
        case .epoch(let hellos):
            writer.write(UInt8(2))
            writer.writeEach(hellos) { $0.write($1) }
        case .agreement(let acknowledgements):
            writer.write(UInt8(3))
            writer.writeEach(acknowledgements) { $0.write($1) }
        case .query(let query):
            writer.write(UInt8(4))
            query.write(to: &writer)
        case .outcome(let model, let receipt):
            writer.write(UInt8(5))
            writer.write(model)
            receipt.write(to: &writer)
        case .abort(let reason):
            writer.write(UInt8(6))
            reason.write(to: &writer)
        case .hello(let manifestDigest, let epochKey):
            writer.write(UInt8(17))
            writer.write(manifestDigest)
            writer.write(epochKey)
        case .refusal(let reason):
            writer.write(UInt8(18))
            reason.write(to: &writer)
        case .acknowledgement(let epochDigest):
            writer.write(UInt8(19))
            writer.write(epochDigest)
        case .update(let slot, let contextDigest, let laneBytes):
            writer.write(UInt8(20))
            writer.write(slot)
            writer.write(contextDigest)
            writer.write(laneBytes)
        case .stored(let modelDigest):
            writer.write(UInt8(21))
            writer.write(modelDigest)
        }
        return writer.bytes
    }

    /// Decodes a message; every byte must be used.
    public init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        self = try Self.read(&reader)
        try reader.finish()
    }

    private static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> RunMessage {
        switch try reader.read(UInt8.self) {
        case 1: return .proposal(manifest: try reader.readBytes(limit: 1 << 22))
        case 2: return .epoch(hellos: try readStatements(&reader))
        case 3: return .agreement(acknowledgements: try readStatements(&reader))
        case 4: return .query(try SlotQuery(from: &reader))
        case 5:
            let model = try reader.readBytes()
            return .outcome(model: model, receipt: try SlotReceipt(from: &reader))
        case 6: return .abort(try AbortReason(from: &reader))
        case 17:
            let digest = try reader.readBytes(limit: 32)
            return .hello(manifestDigest: digest, epochKey: try reader.readBytes(limit: 32))
        case 18: return .refusal(try RefusalReason(from: &reader))
        case 19: return .acknowledgement(epochDigest: try reader.readBytes(limit: 32))
        case 20:
            let slot = try reader.read(UInt32.self)
            let digest = try reader.readBytes(limit: 32)
            return .update(
                slot: slot, contextDigest: digest, laneBytes: try reader.readBytes(limit: 1 << 29))
        case 21: return .stored(modelDigest: try reader.readBytes(limit: 32))
        default: throw .invalidValue(field: "message kind", at: 0)
        }
    }

    private static func readStatements(
        _ reader: inout ByteReader
    ) throws(DecodingFailure) -> [[UInt8]] {
        try reader.readEach(limit: Roster.banksMax) { reader throws(DecodingFailure) in
            try reader.readBytes(limit: 1 << 16)
        }
    }
}

extension SlotQuery {
    func write(to writer: inout ByteWriter) {
        writer.write(slot)
        writer.write(UInt32(query.round))
        writer.write(query.kind)
        writer.write(UInt32(query.layout.laneCount))
        writer.write(UInt8(query.layout.ringBits))
        writer.write(query.body)
        receipt.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        slot = try reader.read(UInt32.self)
        let round = Int(try reader.read(UInt32.self))
        let kind = try reader.readString(limit: 64)
        let laneCount = Int(try reader.read(UInt32.self))
        let ringBits = Int(try reader.read(UInt8.self))
        guard let layout = VectorLayout(laneCount: laneCount, ringBits: ringBits) else {
            throw .invalidValue(field: "layout", at: reader.position)
        }
        query = Query(round: round, kind: kind, body: try reader.readBytes(), layout: layout)
        receipt = try SlotReceipt(from: &reader)
    }
}

extension SlotReceipt {
    func write(to writer: inout ByteWriter) {
        writer.writeEach(updateDigests) { $0.write($1) }
        writer.write(sumDigest)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        updateDigests = try reader.readEach(limit: Roster.banksMax) {
            reader throws(DecodingFailure) in try reader.readBytes(limit: 32)
        }
        sumDigest = try reader.readBytes(limit: 32)
    }
}
