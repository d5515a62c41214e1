internal import FedCore
package import FedDecision
internal import Foundation
internal import GRDB

/// Verdicts, cases and their effect.
extension ReviewStore {
    /// Takes verdicts, whole or not at all.
    ///
    /// - Returns: what became of each, in `receptions` and as the answer.
    package func take(
        _ verdicts: [Verdict], key: OnceKey?, at now: Int64
    ) async throws -> OnceAnswer {
        try await once(key, at: now) { database in
            var answers: [CanonicalJSON] = []
            var counts: [String: Int64] = [:]
            for verdict in verdicts {
                var ledger = try Self.ledger(database, caseID: verdict.caseID)
                let reception = ledger.take(verdict)
                switch reception {
                case .stands, .contradicts, .superseded, .disputed:
                    try Self.insert(verdict, at: now, database)
                case .known, .unknownCase, .beforeListing: break
                }
                counts[reception.rawValue, default: 0] += 1
                answers.append(
                    .object([
                        "case": .string(verdict.caseID),
                        "reception": .string(reception.rawValue),
                    ]))
            }
            let body = CanonicalJSON.object([
                "counts": .object(counts.mapValues { .integer($0) }),
                "verdicts": .array(answers),
            ])
            return (200, body.bytes)
        }
    }

    private static func insert(
        _ verdict: Verdict, at now: Int64, _ database: GRDB.Database
    ) throws {
        try database.execute(
            sql: """
                INSERT INTO verdict (
                    case_id, entity, outcome, amount_kept, decided_at, reviewer, received_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                verdict.caseID, verdict.entity, verdict.outcome.rawValue, verdict.amountKept,
                verdict.decidedAt, verdict.reviewer, now,
            ])
    }

    /// The ledger as it is stored, or the part of it on one case.
    static func ledger(
        _ database: GRDB.Database, caseID: String? = nil
    ) throws -> VerdictLedger {
        var ledger = VerdictLedger()
        let cases = try Row.fetchCursor(
            database,
            sql: """
                SELECT id, entity, inclusion, listed_at FROM listed_case WHERE ?1 IS NULL OR id = ?1
                """, arguments: [caseID])
        while let row = try cases.next() {
            ledger.restore(
                VerdictLedger.ListedCase(
                    id: row["id"], entity: row["entity"], inclusion: row["inclusion"],
                    listedAt: row["listed_at"]))
        }
        let verdicts = try Row.fetchCursor(
            database, sql: "SELECT * FROM verdict WHERE ?1 IS NULL OR case_id = ?1",
            arguments: [caseID])
        while let row = try verdicts.next() {
            guard let outcome = VerdictOutcome(rawValue: row["outcome"]) else { continue }
            _ = ledger.take(
                try Verdict(
                    caseID: row["case_id"], entity: row["entity"], outcome: outcome,
                    amountKept: row["amount_kept"], decidedAt: row["decided_at"],
                    reviewer: row["reviewer"]))
        }
        return ledger
    }

    /// All verdicts and cases, for labels of the next run.
    package func ledger() async throws -> VerdictLedger {
        try await read { try Self.ledger($0) }
    }

    /// Listed cases without a verdict.
    package func openCaseCount() async throws -> Int {
        try await read { database in
            try Int.fetchOne(
                database,
                sql: """
                    SELECT COUNT(*) FROM listed_case
                    WHERE id NOT IN (SELECT case_id FROM verdict)
                    """) ?? 0
        }
    }

    /// Which cases are asked for.
    package enum CaseFilter: String, CaseIterable, Sendable {
        case open, decided, all
    }

    /// Cases, the latest list first, each list in its order.
    package func cases(
        _ filter: CaseFilter, list: String?, limit: Int
    ) async throws -> [ReviewCase] {
        try await read { database in
            let condition =
                switch filter {
                case .open: "AND id NOT IN (SELECT case_id FROM verdict)"
                case .decided: "AND id IN (SELECT case_id FROM verdict)"
                case .all: ""
                }
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM listed_case WHERE (?1 IS NULL OR list = ?1) \(condition)
                    ORDER BY listed_at DESC, list DESC, rank LIMIT ?2
                    """, arguments: [list, limit])
            return try rows.map { row in
                let id: String = row["id"]
                return ReviewCase(
                    id: id, list: row["list"], rank: row["rank"], entity: row["entity"],
                    probability: row["probability"], expectedLoss: row["expected_loss"],
                    slice: row["slice"], inclusion: row["inclusion"], listedAt: row["listed_at"],
                    reasons: row.bytes("reasons"),
                    standing: filter == .open
                        ? nil : try Self.ledger(database, caseID: id).standing(of: id))
            }
        }
    }

    /// Takes frauds that are known from elsewhere; of an entity known already the earlier time
    /// stands.
    package func add(
        _ frauds: [KnownFraud], key: OnceKey?, at now: Int64
    ) async throws -> OnceAnswer {
        try await once(key, at: now) { database in
            for fraud in frauds {
                try database.execute(
                    sql: """
                        INSERT INTO known_fraud (entity, found_at) VALUES (?, ?)
                        ON CONFLICT (entity) DO UPDATE SET found_at = MIN(found_at, excluded.found_at)
                        """, arguments: [fraud.entity, fraud.foundAt])
            }
            let body = CanonicalJSON.object(["received": .integer(Int64(frauds.count))])
            return (200, body.bytes)
        }
    }

    /// What the lists of a period led to, and how many frauds of it are known from elsewhere.
    ///
    /// Without the latter no fraud can be known that only the local list had, and the gain over
    /// local alone says nothing.
    ///
    /// - Parameter first: from when on lists can have had a fraud of the period; `nil` for its
    ///   beginning. A fraud that a list before the period led to is not counted again.
    package func effect(
        _ period: Range<Int64>, listedSince first: Int64? = nil
    ) async throws -> (counts: EffectCounts, knownElsewhere: Int) {
        try await read { database in
            let bounds: StatementArguments = [period.lowerBound, period.upperBound]
            let ledger = try Self.ledger(database)
            let elsewhere = Set(
                try String.fetchAll(
                    database,
                    sql: "SELECT entity FROM known_fraud WHERE found_at >= ? AND found_at < ?",
                    arguments: bounds))
            let first = min(first ?? period.lowerBound, period.lowerBound)
            let local = Set(
                try String.fetchAll(
                    database,
                    sql: "SELECT entity FROM local_listed WHERE listed_at >= ? AND listed_at < ?",
                    arguments: [first, period.upperBound]))
            var counts = EffectCounts()
            var frauds = elsewhere
            var listed: Set<String> = []
            for found in ledger.cases.values
            where (first..<period.lowerBound).contains(
                found.listedAt)
            {
                listed.insert(found.entity)
                if ledger.standing(of: found.id)?.outcome == .confirmedFraud {
                    frauds.remove(found.entity)
                }
            }
            for found in ledger.cases.values where period.contains(found.listedAt) {
                counts.listed += 1
                listed.insert(found.entity)
                guard let standing = ledger.standing(of: found.id) else { continue }
                switch standing.outcome {
                case .confirmedFraud:
                    counts.confirmed += 1
                    counts.amountKept = min(counts.amountKept + standing.amountKept, 1 << 52)
                    frauds.insert(found.entity)
                case .falseAlarm: counts.falseAlarms += 1
                case .unclear: counts.unclear += 1
                }
            }
            for entity in frauds {
                switch (listed.contains(entity), local.contains(entity)) {
                case (true, true): counts.byBoth += 1
                case (true, false): counts.byListOnly += 1
                case (false, true): counts.byLocalOnly += 1
                case (false, false): counts.byNeither += 1
                }
            }
            return (counts, elsewhere.count)
        }
    }
}
