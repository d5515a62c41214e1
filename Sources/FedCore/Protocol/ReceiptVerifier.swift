internal import FedCrypto

/// Checks a bank's own record of a run, offline and without any secret: that the coordinator signed
/// one unbroken account of it, and that every sum that it names holds this bank's own update, in
/// its place.
public enum ReceiptVerifier {
    /// Checks a record.
    ///
    /// - Parameters:
    ///   - journal: as ``NodeRun/Effect/persist(_:)`` gave it.
    ///   - bank: whose record it is.
    ///   - coordinatorKey: the coordinator's identity key.
    /// - Throws: ``RecordFailure``.
    public static func verify(
        journal: [NodeRun.JournalEntry], bank: NodeID, coordinatorKey: [UInt8]
    ) throws(RecordFailure) -> VerifiedRun {
        var reader: RecordReader?
        var uploads: [UInt32: [UInt8]] = [:]
        for (place, entry) in journal.enumerated() {
            switch entry {
            case .safety(.uploaded(_, let slot, _, let digest)): uploads[slot] = digest
            case .safety: break
            case .accepted(let bytes):
                guard var open = reader else {
                    reader = try RecordReader(first: bytes, coordinatorKey: coordinatorKey)
                    continue
                }
                let before = open.slot
                let message = try open.take(bytes, place: place)
                let receipt: SlotReceipt
                switch message {
                case .query(let query) where query.slot != before?.query.slot:
                    receipt = query.receipt
                case .outcome(_, let last): receipt = last
                default:
                    reader = open
                    continue
                }
                try check(receipt, of: before, bank: bank, uploads: uploads)
                reader = open
            }
        }
        guard let reader, !reader.verified.modelDigest.isEmpty else { throw .incomplete }
        return reader.verified
    }

    private static func check(
        _ receipt: SlotReceipt, of slot: (query: SlotQuery, context: SlotContext)?, bank: NodeID,
        uploads: [UInt32: [UInt8]]
    ) throws(RecordFailure) {
        guard let (query, context) = slot else {
            guard receipt == .none else { throw .receipt(slot: 0) }
            return
        }
        guard receipt.updateDigests.count == context.roster.members.count else {
            throw .receipt(slot: query.slot)
        }
        guard let place = context.roster.index(of: bank) else { return }
        guard receipt.updateDigests[place] == uploads[query.slot] else {
            throw .receipt(slot: query.slot)
        }
    }
}
