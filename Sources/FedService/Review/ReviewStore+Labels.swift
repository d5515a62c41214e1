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
                    let row = try Row.fetchOne(
                        database,
                        sql: """
                            SELECT id, features FROM scored
                            WHERE entity = ? AND scored_at <= ? AND standard = ?
                            ORDER BY probability * amount DESC, id LIMIT 1
                            """,
                        arguments: [
                            listed.entity, listed.listedAt, Data(standard.sha256),
                        ]),
                    let features = [Double](blob: row["features"]),
                    features.count == standard.features.count
                else { continue }
                rows.append(
                    VerdictRow(transaction: row["id"], label: label, features: features))
            }
            return rows
        }
    }
}
