package import FedCore
internal import FedCrypto
internal import FedDecision
internal import Foundation
internal import GRDB

/// Recording scores and making lists.
extension ReviewStore {
    /// Records scored transactions, each name once.
    ///
    /// - Parameter retention: seconds for which they are kept.
    /// - Returns: how many were new.
    package func record(
        _ scores: [RecordedScore], standardDigest: [UInt8], at now: Int64, retention: Int64
    ) async throws -> Int {
        try await write { database in
            for table in ["scored", "shadow"] {
                try database.execute(
                    sql: "DELETE FROM \(table) WHERE scored_at < ?", arguments: [now - retention])
            }
            let statement = try database.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO scored (
                        id, entity, amount, probability, local_probability, features, standard,
                        scored_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """)
            var new = 0
            for score in scores {
                try statement.execute(arguments: [
                    score.id, score.entity, score.amount, score.probability,
                    score.localProbability, score.row.blob, Data(standardDigest), now,
                ])
                new += database.changesCount
            }
            return new
        }
    }

    /// Makes a list of the entities whose transactions were recorded lately.
    ///
    /// Beside it stands the list that the local model alone would have made in the same capacity,
    /// which nobody is shown: the effect is measured against it.
    ///
    /// - Parameters:
    ///   - key: under which the list is made once.
    ///   - challengers: digests of models whose lists are kept too, for ``shadowComparisons()``.
    ///   - destinations: where it is to be delivered.
    package func makeList(
        _ order: ListOrder, engine: ScoringEngine, key: OnceKey?,
        challengers: [String] = [], for destinations: [ListDestination] = [], at now: Int64
    ) async throws -> OnceAnswer {
        try await once(key, at: now) { database in
            let number =
                try Int64.fetchOne(database, sql: "SELECT IFNULL(MAX(number), 0) + 1 FROM list")
                ?? 1
            let digits = String(number)
            let id = "L" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            let recent = try RecentRisk(database, since: now - order.windowSeconds)
            let drawKey = try Self.drawKey(database)
            let request = RiskList.Request(
                capacity: order.capacity, explorationShare: order.explorationShare, id: id,
                madeAt: now, restSeconds: order.restSeconds, reasonsMax: order.reasonsMax)
            let states = try Self.ledger(database).caseStates
            let chosen = RiskList(
                request, entities: recent.entities, cases: states, drawKey: drawKey)
            let listed = Set(chosen.entries.map(\.risk.entity))
            // The same request draws the same entities again, now with their reasons.
            let list = RiskList(
                request,
                entities: try recent.entities.map { risk in
                    guard listed.contains(risk.entity) else { return risk }
                    return EntityRisk(
                        entity: risk.entity, probability: risk.probability,
                        expectedLoss: risk.expectedLoss,
                        reasons: try recent.reasons(
                            database, of: risk.entity, engine: engine, count: order.reasonsMax))
                }, cases: states, drawKey: drawKey)
            try Self.save(list, number: number, model: engine.modelSHA256, database)
            try Self.saveLocal(recent, request, drawKey: drawKey, database)
            for challenger in challengers {
                try Self.saveShadow(
                    of: challenger, since: now - order.windowSeconds, request,
                    ranked: list.entries.count { $0.slice == .ranked }, states: states,
                    drawKey: drawKey, database)
            }
            try Self.enqueue(list.bytes, list: id, for: destinations, at: now, database)
            return (201, list.bytes)
        }
    }

    private static func save(
        _ list: RiskList, number: Int64, model: String, _ database: GRDB.Database
    ) throws {
        try database.execute(
            sql: """
                INSERT INTO list (number, id, made_at, entries, model, document, csv)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                number, list.request.id, list.request.madeAt, list.entries.count, model,
                Data(list.bytes), Data(list.csv),
            ])
        for entry in list.entries {
            try database.execute(
                sql: """
                    INSERT INTO listed_case (
                        id, list, rank, entity, probability, expected_loss, slice, inclusion,
                        reasons, listed_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    list.caseID(entry), list.request.id, entry.rank, entry.risk.entity,
                    entry.risk.probability, entry.risk.expectedLoss, entry.slice.rawValue,
                    entry.inclusion,
                    Data(CanonicalJSON.array(entry.risk.reasons.map(\.json)).bytes),
                    list.request.madeAt,
                ])
        }
    }

    private static func saveLocal(
        _ recent: RecentRisk, _ request: RiskList.Request, drawKey: SecretBytes,
        _ database: GRDB.Database
    ) throws {
        var states: [String: CaseState] = [:]
        let rows = try Row.fetchAll(
            database, sql: "SELECT entity, MAX(listed_at) AS at FROM local_listed GROUP BY entity")
        for row in rows { states[row["entity"]] = .closed(at: row["at"]) }
        var request = request
        request.explorationShare = 0
        let local = RiskList(
            request, entities: recent.localEntities, cases: states, drawKey: drawKey)
        for entry in local.entries {
            try database.execute(
                sql: "INSERT INTO local_listed (list, entity, listed_at) VALUES (?, ?, ?)",
                arguments: [request.id, entry.risk.entity, request.madeAt])
        }
    }

    /// A list's document, as JSON and as CSV; the latest without a name.
    package func list(_ id: String?) async throws -> (json: [UInt8], csv: [UInt8])? {
        let found: [[UInt8]]? = try await read { database in
            let row =
                if let id {
                    try Row.fetchOne(
                        database, sql: "SELECT document, csv FROM list WHERE id = ?",
                        arguments: [id])
                } else {
                    try Row.fetchOne(
                        database,
                        sql: "SELECT document, csv FROM list ORDER BY number DESC LIMIT 1")
                }
            return row.map { [$0.bytes("document"), $0.bytes("csv")] }
        }
        return found.map { ($0[0], $0[1]) }
    }

    /// All lists, the latest first: names, times, entries, models.
    package func lists() async throws -> CanonicalJSON {
        try await read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, made_at, entries, model FROM list ORDER BY number DESC LIMIT 1000
                    """)
            return .object([
                "lists": .array(
                    rows.map { row in
                        .object([
                            "list": .string(row["id"]), "made_at": .integer(row["made_at"]),
                            "entries": .integer(row["entries"]),
                            "model_sha256": .string(row["model"]),
                        ])
                    })
            ])
        }
    }
}

/// Recorded transactions, summed up by entity.
private struct RecentRisk {
    let entities: [EntityRisk]
    let localEntities: [EntityRisk]
    /// The transaction with the greatest expected loss of each entity.
    private let worst: [String: String]

    init(_ database: GRDB.Database, since: Int64) throws {
        var all: [(entity: String, probability: Double, amount: Double, reasons: [ReasonCode])] = []
        var local = all
        var worst: [String: (id: String, loss: Double)] = [:]
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT id, entity, amount, probability, local_probability FROM scored
                WHERE scored_at > ? ORDER BY scored_at, id
                """, arguments: [since])
        while let row = try rows.next() {
            let (id, entity): (String, String) = (row[0], row[1])
            let (amount, probability): (Double, Double) = (row[2], row[3])
            all.append((entity, probability, amount, []))
            if let alone = row[4] as Double? { local.append((entity, alone, amount, [])) }
            let loss = probability * amount
            if worst[entity].map({ loss > $0.loss }) ?? true { worst[entity] = (id, loss) }
        }
        entities = EntityRisk.summing(all)
        localEntities = EntityRisk.summing(local)
        self.worst = worst.mapValues(\.id)
    }

    /// Why an entity is listed: the reasons of its worst transaction; none where that was recorded
    /// under another standard.
    func reasons(
        _ database: GRDB.Database, of entity: String, engine: ScoringEngine, count: Int
    ) throws -> [ReasonCode] {
        let row = try Row.fetchOne(
            database, sql: "SELECT features, standard FROM scored WHERE id = ?",
            arguments: [worst[entity]])
        guard let row, row.bytes("standard") == engine.standard.sha256,
            let values = [Double](blob: row["features"]),
            values.count == engine.standard.features.count
        else { return [] }
        return engine.reasons(for: values, count: count)
    }
}
