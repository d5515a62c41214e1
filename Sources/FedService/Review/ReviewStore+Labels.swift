package import FedCore
package import FedDecision
internal import Foundation
internal import GRDB

/// Verdicts as labels of the next run.
extension ReviewStore {
    /// The cases with a finding as rows to train on: of each the transaction with the greatest
    /// expected loss that was scored before its listing, by the present standard.
    ///
    /// - Parameters:
    ///   - standard: rows scored under another one are left out.
    ///   - until: findings after this time are left out, seconds since 1970.
    package func verdictRows(
        standard: FeatureStandard, until: Int64
    ) async throws -> [VerdictRow] {
        try await read { database in
            let ledger = try Self.ledger(database)
            var rows: [VerdictRow] = []
            for label in ledger.labels(until: until) {
                guard let listed = ledger.cases[label.caseID],
                    let row = try Self.leading(listed, standard: standard, database),
                    let features = [Double](blob: row["features"]),
                    features.count == standard.features.count
                else { continue }
                rows.append(
                    VerdictRow(transaction: row["id"], label: label, features: features))
            }
            return rows
        }
    }

    /// What stands as found on transactions, by the names under which they were scored: of each
    /// case the transaction that ``verdictRows(standard:until:)`` takes, scored by any standard.
    ///
    /// - Returns: whether it is a fraud, and when that was decided, seconds since 1970; of several
    ///   cases' findings on one transaction the latest.
    package func findings() async throws -> [String: (isFraud: Bool, decidedAt: Int64)] {
        try await read { database in
            let ledger = try Self.ledger(database)
            var findings: [String: (isFraud: Bool, decidedAt: Int64)] = [:]
            for listed in ledger.cases.values.sorted(by: { $0.id < $1.id }) {
                guard let standing = ledger.standing(of: listed.id), standing.outcome != .unclear,
                    let row = try Self.leading(listed, standard: nil, database)
                else { continue }
                let id: String = row["id"]
                if let known = findings[id], known.decidedAt >= standing.decidedAt { continue }
                findings[id] = (standing.outcome == .confirmedFraud, standing.decidedAt)
            }
            return findings
        }
    }

    /// The transaction that a case is about: the one with the greatest expected loss of its entity
    /// that was scored before the listing.
    private static func leading(
        _ listed: VerdictLedger.ListedCase, standard: FeatureStandard?, _ database: GRDB.Database
    ) throws -> Row? {
        try Row.fetchOne(
            database,
            sql: """
                SELECT id, features FROM scored
                WHERE entity = ?1 AND scored_at <= ?2 AND (?3 IS NULL OR standard = ?3)
                ORDER BY probability * amount DESC, id LIMIT 1
                """,
            arguments: [
                listed.entity, listed.listedAt, standard.map { Data($0.sha256) },
            ])
    }
}
