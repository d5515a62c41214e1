internal import FedCore
internal import FedCrypto
internal import FedRuntime

/// The seeds of runs under way: kept beside the journal, gone when the run is over.
struct RunSeeds: Sendable {
    let store: NodeStore

    private func key(_ run: RunID) -> String { "seed/\(run)" }

    /// A fresh seed; on disk when this returns.
    func make(for run: RunID) throws -> SecretBytes {
        var bytes = try SystemEntropy.bytes(32)
        try store.setFact(bytes, for: key(run))
        return SecretBytes(wiping: &bytes)
    }

    /// The seed of a run that was begun before.
    func seed(of run: RunID) throws -> SecretBytes? {
        guard var bytes = try store.fact(key(run)) else { return nil }
        return SecretBytes(wiping: &bytes)
    }

    /// Makes the run's secrets unrecoverable.
    func wipe(_ run: RunID) throws(StoreError) { try store.removeFact(key(run)) }
}

extension NodeStore {
    private static var charterKey: String { "charter" }

    /// The charter that this bank consented to last.
    func charter() throws(StoreError) -> Charter? {
        guard let bytes = try fact(Self.charterKey) else { return nil }
        do {
            return try Charter(bytes: bytes)
        } catch {
            throw .corrupt(path: "the charter in node.sqlite")
        }
    }

    /// Remembers a charter.
    func setCharter(_ charter: Charter) throws(StoreError) {
        try setFact(charter.bytes, for: Self.charterKey)
    }
}

extension NodeData {
    /// SHA-256 over all rows that a run can use: names the version of the bank's data.
    var digest: [UInt8] {
        var parts: [UInt8] = []
        for rows in [fit, valid].compactMap({ $0 }) {
            for column in rows.columns { parts += column.withUnsafeBytes { SHA256.hash($0) } }
            parts += SHA256.hash(rows.labels)
        }
        return SHA256.hash(parts)
    }
}
