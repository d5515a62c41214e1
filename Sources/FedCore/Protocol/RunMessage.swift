package import FedCrypto

/// What coordinator and banks say to each other in a run, in the order in which it is said.
public enum RunMessage: Equatable, Sendable {
    // From the coordinator, the same bytes to every bank but for parcels.

    /// The manifest of a run, and the consortium's charter.
    case proposal(manifest: [UInt8], charter: [UInt8])
    /// All banks' ``hello(manifestDigest:epochKey:)`` statements, verbatim, in roster order. Here
    /// and in what follows, nothing stands in the place of a bank that is left out.
    case epoch(hellos: [[UInt8]])
    /// All banks' ``shares(_:)`` statements, verbatim, in roster order.
    case dealing(commitments: [[UInt8]])
    /// For one bank: the sealed box of every other bank for it, in roster order, its own empty.
    case parcel(boxes: [[UInt8]])
    /// All banks' ``acknowledgement(epochDigest:dealingDigest:unusable:)`` statements, in roster
    /// order.
    case agreement(acknowledgements: [[UInt8]])
    /// One masked sum is asked for.
    case query(SlotQuery)
    /// Every bank of the roster has uploaded a group's first vector: SHA-256 and certificate of
    /// each upload, in order.
    case commit(slot: UInt32, attempt: UInt32, updateDigests: [[UInt8]], certificates: [[UInt8]])
    /// Banks, by their places in the epoch, that uploaded and then vanished: shares are asked for.
    case recover(slot: UInt32, attempt: UInt32, missing: [Int])
    /// The last query is given up, and the group with it.
    case truncation(slot: UInt32)
    /// Training is over; the model.
    case outcome(model: [UInt8], receipt: SlotReceipt)
    /// The run has ended without a model.
    case abort(AbortReason)

    // From a bank to the coordinator.

    /// Consent to the manifest and the bank's key for this epoch.
    case hello(manifestDigest: [UInt8], epochKey: [UInt8])
    /// The bank does not take part, or no longer.
    case refusal(RefusalReason)
    /// What the bank commits to about its gate seeds and their shares.
    case shares(GateShares)
    /// The sealed shares themselves, a box for every other bank, and the digests of the seeds.
    case boxes([[UInt8]], seedDigests: [UInt8])
    /// The bank has verified every key and commitment of the epoch; of the dealers in these places
    /// it cannot use the shares.
    case acknowledgement(epochDigest: [UInt8], dealingDigest: [UInt8], unusable: [Int])
    /// The answer to a query; a gated one carries an ``UploadCertificate``.
    case update(
        slot: UInt32, attempt: UInt32, contextDigest: [UInt8], laneBytes: [UInt8],
        certificate: [UInt8])
    /// The self-mask of a committed upload is given up.
    case release(slot: UInt32, attempt: UInt32, seed: [UInt8])
    /// Shares of vanished banks' gate seeds.
    case recovery(slot: UInt32, attempt: UInt32, shares: [RecoveredShare])
    /// The bank has stored the model.
    case stored(modelDigest: [UInt8])
    /// In place of a statement that is of no use any more: its SHA-256.
    case lapsed(digest: [UInt8])
}

/// The signed part of a bank's dealing.
public struct GateShares: Equatable, Sendable {
    let commitment: GateCommitment

    /// Wraps a commitment.
    package init(commitment: GateCommitment) { self.commitment = commitment }
}

/// A bank's signature that it uploaded a group's first vector in one context, so that other banks
/// can see it without the vector: no bank gives up its self-mask before all of its roster have
/// uploaded in the very same context.
package enum UploadCertificate {
    package static func sign(context: [UInt8], bank: NodeID, run: RunID, key: SigningKey) -> [UInt8]
    {
        key.sign(message(context, bank, run))
    }

    static func holds(
        _ certificate: [UInt8], context: [UInt8], member: Member, run: RunID
    ) -> Bool {
        VerifyingKey.isValid(
            signature: certificate, message: message(context, member.bank, run),
            publicKey: member.identityKey)
    }

    private static func message(_ context: [UInt8], _ bank: NodeID, _ run: RunID) -> [UInt8] {
        var writer = ByteWriter()
        writer.write("fed/v1/upload")
        writer.writeFixed(run.bytes)
        writer.write(bank.name)
        writer.write(context)
        return writer.bytes
    }
}

/// A query with its place in the run and the receipt of the slot before.
public struct SlotQuery: Equatable, Sendable {
    /// Counted from 0; the same for every attempt.
    public let slot: UInt32
    /// The attempt of the group, counted from 0.
    public let attempt: UInt32
    /// Whether it begins a group, so that answers carry self-masks.
    public let isGated: Bool
    /// Number of the group's gate among all attempts of the run, counted from 0.
    public let gate: UInt32
    /// The roster, by places in the epoch's roster.
    public let places: [Int]
    /// What is asked.
    public let query: Query
    /// What became of the slot before.
    public let receipt: SlotReceipt

    /// Wraps the parts.
    public init(
        slot: UInt32, attempt: UInt32, isGated: Bool, gate: UInt32, places: [Int], query: Query,
        receipt: SlotReceipt
    ) {
        self.slot = slot
        self.attempt = attempt
        self.isGated = isGated
        self.gate = gate
        self.places = places
        self.query = query
        self.receipt = receipt
    }
}

/// What became of a slot.
///
/// Which updates were summed, and the hash of the sum. Empty before the first slot. Each
/// bank finds its own update in it.
public struct SlotReceipt: Equatable, Sendable {
    /// SHA-256 of every update as it travelled, in the order of the slot's roster; empty before the first slot.
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
