extension RunMessage {
    /// A short name for logs and the egress ledger.
    public var kind: String {
        switch self {
        case .proposal: "proposal"
        case .epoch: "epoch"
        case .dealing: "dealing"
        case .parcel: "parcel"
        case .agreement: "agreement"
        case .query: "query"
        case .commit: "commit"
        case .recover: "recover"
        case .truncation: "truncation"
        case .outcome: "outcome"
        case .abort: "abort"
        case .hello: "hello"
        case .refusal: "refusal"
        case .shares: "shares"
        case .boxes: "boxes"
        case .acknowledgement: "acknowledgement"
        case .update: "update"
        case .release: "release"
        case .recovery: "recovery"
        case .stored: "stored"
        case .lapsed: "lapsed"
        }
    }

    /// Whether the message must be signed by itself.
    ///
    /// Queries and updates need none, nor does what is checked against a commitment that was signed
    /// before: parcels, boxes, and gate seeds; see ``SignedStatement``.
    var needsSeal: Bool {
        switch self {
        case .query, .parcel, .boxes, .update, .release, .lapsed: false
        default: true
        }
    }

    /// The canonical encoding.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        if case .update(_, _, _, let lanes, _) = self { writer.reserve(lanes.count + 256) }
        switch self {
        case .hello, .refusal, .shares, .boxes, .acknowledgement, .update, .release, .recovery,
            .stored, .lapsed:
            writeBank(&writer)
        default: writeCoordinator(&writer)
        }
        return writer.bytes
    }

    private func writeCoordinator(_ writer: inout ByteWriter) {
        switch self {
        case .proposal(let manifest, let charter):
            writer.write(UInt8(1))
            writer.write(manifest)
            writer.write(charter)
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
        case .dealing(let commitments):
            writer.write(UInt8(7))
            writer.writeEach(commitments) { $0.write($1) }
        case .parcel(let boxes):
            writer.write(UInt8(8))
            writer.writeEach(boxes) { $0.write($1) }
        case .commit(let slot, let attempt, let digests, let certificates):
            writer.write(UInt8(9))
            writer.write(slot)
            writer.write(attempt)
            writer.writeEach(digests) { $0.write($1) }
            writer.writeEach(certificates) { $0.write($1) }
        case .recover(let slot, let attempt, let missing):
            writer.write(UInt8(10))
            writer.write(slot)
            writer.write(attempt)
            writer.writeEach(missing) { $0.write(UInt8($1)) }
        case .truncation(let slot):
            writer.write(UInt8(11))
            writer.write(slot)
        default: break
        }
    }

    private func writeBank(_ writer: inout ByteWriter) {
        switch self {
        case .hello(let manifestDigest, let epochKey):
            writer.write(UInt8(17))
            writer.write(manifestDigest)
            writer.write(epochKey)
        case .refusal(let reason):
            writer.write(UInt8(18))
            reason.write(to: &writer)
        case .acknowledgement(let epochDigest, let dealingDigest, let unusable):
            writer.write(UInt8(19))
            writer.write(epochDigest)
            writer.write(dealingDigest)
            writer.writeEach(unusable) { $0.write(UInt8($1)) }
        case .update(let slot, let attempt, let contextDigest, let laneBytes, let certificate):
            writer.write(UInt8(20))
            writer.write(slot)
            writer.write(attempt)
            writer.write(contextDigest)
            writer.write(laneBytes)
            writer.write(certificate)
        case .stored(let modelDigest):
            writer.write(UInt8(21))
            writer.write(modelDigest)
        case .shares(let shares):
            writer.write(UInt8(22))
            shares.commitment.write(to: &writer)
        case .boxes(let boxes, let seedDigests):
            writer.write(UInt8(23))
            writer.writeEach(boxes) { $0.write($1) }
            writer.write(seedDigests)
        case .release(let slot, let attempt, let seed):
            writer.write(UInt8(24))
            writer.write(slot)
            writer.write(attempt)
            writer.write(seed)
        case .recovery(let slot, let attempt, let shares):
            writer.write(UInt8(25))
            writer.write(slot)
            writer.write(attempt)
            writer.writeEach(shares) { $1.write(to: &$0) }
        case .lapsed(let digest):
            writer.write(UInt8(26))
            writer.write(digest)
        default: break
        }
    }

    /// Decodes a message; every byte must be used.
    public init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        let tag = try reader.read(UInt8.self)
        self =
            tag < 17
            ? try Self.readCoordinator(tag, &reader) : try Self.readBank(tag, &reader)
        try reader.finish()
    }

    private static func readCoordinator(
        _ tag: UInt8, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> RunMessage {
        switch tag {
        case 1:
            let manifest = try reader.readBytes(limit: 1 << 22)
            return .proposal(manifest: manifest, charter: try reader.readBytes(limit: 1 << 20))
        case 2: return .epoch(hellos: try readStatements(&reader))
        case 3: return .agreement(acknowledgements: try readStatements(&reader))
        case 4: return .query(try SlotQuery(from: &reader))
        case 5:
            let model = try reader.readBytes()
            return .outcome(model: model, receipt: try SlotReceipt(from: &reader))
        case 6: return .abort(try AbortReason(from: &reader))
        case 7: return .dealing(commitments: try readStatements(&reader))
        case 8: return .parcel(boxes: try readBoxes(&reader))
        case 9:
            let slot = try reader.read(UInt32.self)
            let attempt = try reader.read(UInt32.self)
            let digests = try reader.readDigests(limit: Roster.banksMax)
            return .commit(
                slot: slot, attempt: attempt, updateDigests: digests,
                certificates: try reader.readEach(limit: Roster.banksMax) {
                    reader throws(DecodingFailure) in try reader.readBytes(limit: 64)
                })
        case 10:
            let slot = try reader.read(UInt32.self)
            let attempt = try reader.read(UInt32.self)
            return .recover(slot: slot, attempt: attempt, missing: try reader.readPlaces())
        case 11: return .truncation(slot: try reader.read(UInt32.self))
        default: throw .invalidValue(field: "message kind", at: 0)
        }
    }

    private static func readBank(
        _ tag: UInt8, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> RunMessage {
        switch tag {
        case 17:
            let digest = try reader.readBytes(limit: 32)
            return .hello(manifestDigest: digest, epochKey: try reader.readBytes(limit: 32))
        case 18: return .refusal(try RefusalReason(from: &reader))
        case 19:
            let epoch = try reader.readBytes(limit: 32)
            let dealing = try reader.readBytes(limit: 32)
            return .acknowledgement(
                epochDigest: epoch, dealingDigest: dealing, unusable: try reader.readPlaces())
        case 20:
            let slot = try reader.read(UInt32.self)
            let attempt = try reader.read(UInt32.self)
            let digest = try reader.readBytes(limit: 32)
            let lanes = try reader.readBytes(limit: 1 << 29)
            return .update(
                slot: slot, attempt: attempt, contextDigest: digest, laneBytes: lanes,
                certificate: try reader.readBytes(limit: 64))
        case 21: return .stored(modelDigest: try reader.readBytes(limit: 32))
        case 22: return .shares(GateShares(commitment: try GateCommitment(from: &reader)))
        case 23:
            let boxes = try readBoxes(&reader)
            return .boxes(
                boxes, seedDigests: try reader.readBytes(limit: 32 * Manifest.gatesMax))
        case 24:
            let slot = try reader.read(UInt32.self)
            let attempt = try reader.read(UInt32.self)
            return .release(slot: slot, attempt: attempt, seed: try reader.readBytes(limit: 32))
        case 25:
            let slot = try reader.read(UInt32.self)
            let attempt = try reader.read(UInt32.self)
            return .recovery(
                slot: slot, attempt: attempt,
                shares: try reader.readEach(limit: Roster.banksMax) {
                    reader throws(DecodingFailure) in try RecoveredShare(from: &reader)
                })
        case 26: return .lapsed(digest: try reader.readBytes(limit: 32))
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

    private static func readBoxes(_ reader: inout ByteReader) throws(DecodingFailure) -> [[UInt8]] {
        try reader.readEach(limit: Roster.banksMax) { reader throws(DecodingFailure) in
            try reader.readBytes(limit: 32 * Manifest.gatesMax + 64)
        }
    }
}

extension ByteReader {
    /// Reads places in a roster.
    mutating func readPlaces() throws(DecodingFailure) -> [Int] {
        try readEach(limit: Roster.banksMax) { reader throws(DecodingFailure) in
            Int(try reader.read(UInt8.self))
        }
    }
}

extension Query {
    func write(to writer: inout ByteWriter) {
        writer.write(UInt32(round))
        writer.write(kind)
        writer.write(UInt32(layout.laneCount))
        writer.write(UInt8(layout.ringBits))
        writer.write(body)
        writer.write(note)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        let round = Int(try reader.read(UInt32.self))
        let kind = try reader.readString(limit: 64)
        let laneCount = Int(try reader.read(UInt32.self))
        let ringBits = Int(try reader.read(UInt8.self))
        guard let layout = VectorLayout(laneCount: laneCount, ringBits: ringBits) else {
            throw .invalidValue(field: "layout", at: reader.position)
        }
        self.init(
            round: round, kind: kind, body: try reader.readBytes(), layout: layout,
            note: try reader.readString(limit: 256))
    }
}

extension SlotQuery {
    func write(to writer: inout ByteWriter) {
        writer.write(slot)
        writer.write(attempt)
        writer.write(UInt8(isGated ? 1 : 0))
        writer.write(gate)
        writer.writeEach(places) { $0.write(UInt8($1)) }
        query.write(to: &writer)
        receipt.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        slot = try reader.read(UInt32.self)
        attempt = try reader.read(UInt32.self)
        let gated = try reader.read(UInt8.self)
        guard gated <= 1 else { throw .invalidValue(field: "gated", at: reader.position) }
        isGated = gated == 1
        gate = try reader.read(UInt32.self)
        places = try reader.readPlaces()
        query = try Query(from: &reader)
        receipt = try SlotReceipt(from: &reader)
    }
}

extension SlotReceipt {
    func write(to writer: inout ByteWriter) {
        writer.writeEach(updateDigests) { $0.write($1) }
        writer.write(sumDigest)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        updateDigests = try reader.readDigests(limit: Roster.banksMax)
        sumDigest = try reader.readBytes(limit: 32)
    }
}
