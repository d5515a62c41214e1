import FedCore
import FedCrypto
import FedSimulation
import Testing

/// A coordinator that says to each bank what it likes, in well-formed and signed statements, and
/// computes with all that it gets.
///
/// Drives the banks' real machines. What the banks answer honestly is known to the test, not to the
/// coordinator; only ``vector(of:_:)`` looks there.
struct HostileCoordinator {
    /// A bank's machine and what the coordinator has said to it.
    struct Line {
        var machine: NodeRun
        var learner: ToyBank
        var told: UInt64 = 0
        /// What was said to it and goes to every bank alike.
        var said: [[UInt8]] = []
        var transcript: Transcript
        var heard: [(statement: [UInt8], message: RunMessage)] = []
        var outcome: NodeRun.Outcome?
        var entries: [SafetyEntry] = []
    }

    /// One bank's masked vector in the coordinator's hands.
    struct Upload {
        let context: [UInt8]
        let lanes: [UInt64]
        let digest: [UInt8]
        let certificate: [UInt8]
    }

    let consortium: ToyConsortium
    let manifest: Manifest
    var lines: [NodeID: Line] = [:]

    /// - Parameter run: another run than the consortium's first one, with what banks remember of it.
    init(
        _ consortium: ToyConsortium, run: RunID? = nil, entries: [NodeID: [SafetyEntry]] = [:]
    ) throws {
        self.consortium = consortium
        let first = consortium.manifest
        manifest = Manifest(
            run: run ?? first.run, algorithm: first.algorithm,
            standardDigest: first.standardDigest, standardName: "toy 1",
            charter: consortium.charter)
        for bank in consortium.banks {
            lines[bank] = Line(
                machine: NodeRun(
                    run: manifest.run,
                    configuration: try consortium.configuration(
                        of: bank, safetyEntries: entries[bank] ?? [])),
                learner: consortium.toyBank(bank), transcript: Transcript(run: manifest.run))
        }
    }

    /// Says something to some banks.
    mutating func tell(_ banks: [NodeID], _ message: RunMessage) throws {
        for bank in banks { try tell(bank, message) }
    }

    /// Says something to one bank and takes what it answers.
    mutating func tell(_ bank: NodeID, _ message: RunMessage) throws {
        var line = try #require(lines[bank])
        let statement = SignedStatement(
            run: manifest.run, author: .coordinator, sequence: line.told,
            chainHead: line.transcript.head, message: message, key: consortium.coordinatorKey)
        line.told += 1
        if case .parcel = message {
        } else {
            line.transcript.append(digest: statement.digest)
            line.said.append(statement.bytes)
        }
        lines[bank] = line
        _ = try pass(statement.bytes, to: bank)
    }

    /// Passes bytes on to one bank.
    ///
    /// - Returns: what it sends.
    mutating func pass(_ bytes: [UInt8], to bank: NodeID) throws -> [[UInt8]] {
        var line = try #require(lines[bank])
        let before = line.heard.count
        var effects = line.machine.handle(.received(bytes))
        while !effects.isEmpty {
            switch effects.removeFirst() {
            case .send(let bytes, _):
                let sent = try SignedStatement(bytes: bytes)
                line.heard.append((bytes, try RunMessage(bytes: sent.body)))
            case .compute(let query, let slot, let contributors):
                let vector = try line.learner.answer(query, contributors: contributors)
                effects += line.machine.handle(.computed(vector, slot: slot))
            case .replay(let query): try line.learner.replay(query)
            case .persist(let entries):
                line.entries += entries.compactMap {
                    if case .safety(let entry) = $0 { entry } else { nil }
                }
            case .finish(let outcome): line.outcome = outcome
            case .consented, .adopt, .reconnect, .note: break
            }
        }
        lines[bank] = line
        return line.heard[before...].map(\.statement)
    }

    /// Sets an epoch up as an honest coordinator does.
    mutating func setUp() throws {
        let banks = consortium.banks
        try tell(
            banks, .proposal(manifest: manifest.bytes, charter: consortium.charter.bytes))
        try tell(banks, .epoch(hellos: try statements(kind: "hello")))
        try tell(banks, .dealing(commitments: try statements(kind: "shares")))
        for (place, bank) in banks.enumerated() {
            try tell(bank, .parcel(boxes: try boxes(for: place)))
        }
        try tell(banks, .agreement(acknowledgements: try statements(kind: "acknowledgement")))
        #expect(lines.values.allSatisfy { $0.outcome == nil })
    }

    /// Every bank's statement of a kind, verbatim.
    func statements(kind: String) throws -> [[UInt8]] {
        try consortium.banks.map { bank in
            try #require(lines[bank]?.heard.last { $0.message.kind == kind }).statement
        }
    }

    /// The boxes for one bank, verbatim.
    func boxes(for place: Int) throws -> [[UInt8]] {
        try consortium.banks.map { dealer in
            let message = try #require(lines[dealer]?.heard.last { $0.message.kind == "boxes" })
            guard case .boxes(let boxes, _) = message.message else { return [] }
            return boxes[place]
        }
    }

    /// A query; every field as an honest coordinator has it unless said otherwise.
    func query(
        slot: UInt32 = 0, attempt: UInt32 = 0, isGated: Bool = true, gate: UInt32 = 0,
        places: [Int]? = nil, round: Int = 0, body: String = "q", ringBits: Int = 48,
        receipt: SlotReceipt = .none
    ) throws -> RunMessage {
        let layout = try #require(VectorLayout(laneCount: 7, ringBits: ringBits))
        return .query(
            SlotQuery(
                slot: slot, attempt: attempt, isGated: isGated, gate: gate,
                places: places ?? Array(consortium.banks.indices),
                query: Query(round: round, kind: "toy", body: Array(body.utf8), layout: layout),
                receipt: receipt))
    }

    /// A bank's upload, if it made one.
    func upload(_ bank: NodeID, slot: UInt32 = 0, attempt: UInt32 = 0) -> Upload? {
        for (statement, message) in lines[bank]?.heard ?? [] {
            guard
                case .update(slot, attempt, let context, let bytes, let certificate) = message,
                let ring = RingWidth(bits: bytes.count * 8 / 9),
                let lanes = LanePacking.unpack(bytes, in: ring)
            else { continue }
            return Upload(
                context: context, lanes: lanes, digest: SHA256.hash(statement),
                certificate: certificate)
        }
        return nil
    }

    /// The commit that the uploads of some banks would justify; certificates of others are empty.
    func commit(of banks: [NodeID], slot: UInt32 = 0, attempt: UInt32 = 0) -> RunMessage {
        let uploads = banks.map { upload($0, slot: slot, attempt: attempt) }
        return .commit(
            slot: slot, attempt: attempt,
            updateDigests: uploads.map { $0?.digest ?? [UInt8](repeating: 0, count: 32) },
            certificates: uploads.map { $0?.certificate ?? [UInt8](repeating: 0, count: 64) })
    }

    /// The receipt of a slot over some banks.
    func receipt(of banks: [NodeID], slot: UInt32, sum: UInt8 = 1) -> SlotReceipt {
        SlotReceipt(
            updateDigests: banks.compactMap { upload($0, slot: slot)?.digest },
            sumDigest: [UInt8](repeating: sum, count: 32))
    }

    /// The seed that a bank released, if it did.
    func seed(_ bank: NodeID, attempt: UInt32 = 0) -> [UInt8]? {
        for (_, message) in lines[bank]?.heard ?? [] {
            if case .release(_, attempt, let seed) = message { return seed }
        }
        return nil
    }

    /// How many statements of a kind a bank has made.
    func count(_ bank: NodeID, kind: String) -> Int {
        lines[bank]?.heard.count { $0.message.kind == kind } ?? 0
    }

    /// Adds up vectors and takes off every self-mask whose seed is known; those of plain slots have
    /// none.
    func opened(
        _ banks: [NodeID], slot: UInt32 = 0, attempt: UInt32 = 0
    ) throws -> [UInt64] {
        var sums = [UInt64](repeating: 0, count: 9)
        for bank in banks {
            let upload = try #require(self.upload(bank, slot: slot, attempt: attempt))
            for lane in sums.indices { sums[lane] &+= upload.lanes[lane] }
            guard slot == 0, let seed = seed(bank, attempt: attempt) else { continue }
            let mask = MaskSeed(
                deriving: SecretBytes(seed), info: Array("fed/v1/gate-mask".utf8) + upload.context)
            MaskGenerator.add(mask, to: &sums, subtract: true)
        }
        return Array(sums.prefix(7))
    }

    /// What a bank answers to the last of some queries.
    func vector(
        of bank: NodeID, bodies: [String] = ["q"], ringBits: Int = 48
    ) throws -> [UInt64] {
        var learner = consortium.toyBank(bank)
        var lanes: [UInt64] = []
        for body in bodies {
            guard case .query(let query) = try query(body: body, ringBits: ringBits) else {
                return []
            }
            let vector = try learner.answer(query.query, contributors: 5)
            let sum = try #require(PlaintextAggregation.sum([vector]))
            lanes = sum.integers.map { UInt64(bitPattern: $0) }
        }
        return lanes
    }

    /// The sum of what banks answer.
    func plain(_ banks: [NodeID], bodies: [String] = ["q"]) throws -> [UInt64] {
        try banks.map { try vector(of: $0, bodies: bodies) }.reduce(
            [UInt64](repeating: 0, count: 7)
        ) { zip($0, $1).map { $0 &+ $1 } }
    }

    /// Why a bank left.
    func refusal(_ bank: NodeID) -> RefusalReason? {
        if case .refused(let reason) = lines[bank]?.outcome { reason } else { nil }
    }
}

/// What an adversary computed against what it would have to learn, over many seeds.
struct Guesses {
    private var differences: [UInt64] = []
    private let bits: Int

    init(bits: Int = 48) { self.bits = bits }

    /// Notes one attempt of all lanes.
    mutating func add(_ computed: [UInt64], wanted: [UInt64]) {
        for (left, right) in zip(computed, wanted) {
            differences.append((left &- right) << UInt64(64 - bits))
        }
    }

    /// Whether everything was learned.
    var areAllRight: Bool { !differences.isEmpty && differences.allSatisfy { $0 == 0 } }

    /// Whether the results say nothing of what was wanted: none is right, and the differences fall
    /// evenly into sixteen classes by their first and by their last four bits.
    ///
    /// Chi-square with 15 degrees of freedom exceeds 56.5 by chance once in a million.
    var areIndependent: Bool {
        guard differences.count >= 300, !differences.contains(0) else { return false }
        return [60, 64 - bits].allSatisfy { shift in
            var counts = [Double](repeating: 0, count: 16)
            for difference in differences { counts[Int(difference >> UInt64(shift) & 15)] += 1 }
            let expected = Double(differences.count) / 16
            let chiSquare = counts.reduce(0) { sum, count in
                sum + (count - expected) * (count - expected) / expected
            }
            return chiSquare < 56.5
        }
    }
}
