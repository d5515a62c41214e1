package import FedCore
internal import FedCrypto
internal import FedDecision
internal import Foundation
internal import GRDB

/// How a challenger compares with the model that answered, on the same transactions and lists.
package struct ShadowComparison: Equatable, Sendable {
    /// The challenger's digest, hexadecimal.
    package let model: String
    /// Transactions that both have scored.
    package var transactions = 0
    /// Mean distance of the two probabilities of a transaction.
    package var meanDifference = 0.0
    /// Lists that both have ranked.
    package var lists = 0
    /// Entities of the lists' ranked slices on both, and on one only.
    package var listedByBoth = 0
    package var listedByChampionOnly = 0
    package var listedByChallengerOnly = 0
    /// Frauds among those: confirmed by reviewers or known from elsewhere.
    package var fraudsOfBoth = 0
    package var fraudsOfChampionOnly = 0
    package var fraudsOfChallengerOnly = 0

    /// Begins with nothing.
    package init(model: String) { self.model = model }

    /// Share of the champion's places that the challenger fills alike; `nil` without a place.
    package var agreement: Double? {
        let places = listedByBoth + listedByChampionOnly
        return places == 0 ? nil : Double(listedByBoth) / Double(places)
    }

    /// Canonical JSON.
    package var json: CanonicalJSON {
        func counts(_ both: Int, _ champion: Int, _ challenger: Int) -> CanonicalJSON {
            .object([
                "both": .integer(Int64(both)), "champion_only": .integer(Int64(champion)),
                "challenger_only": .integer(Int64(challenger)),
            ])
        }
        return .object([
            "model_sha256": .string(model), "transactions": .integer(Int64(transactions)),
            "mean_difference": .number(meanDifference), "lists": .integer(Int64(lists)),
            "agreement": agreement.map { .number($0) } ?? .null,
            "listed": counts(listedByBoth, listedByChampionOnly, listedByChallengerOnly),
            "frauds": counts(fraudsOfBoth, fraudsOfChampionOnly, fraudsOfChallengerOnly),
        ])
    }
}

/// A challenger's scores and lists, which nobody acts on.
extension ReviewStore {
    /// Scores recorded transactions that have no score of a challenger's, the oldest first.
    ///
    /// - Parameters:
    ///   - model: the challenger's digest, hexadecimal.
    ///   - since: the time from which transactions count, seconds since 1970.
    /// - Returns: how many were scored, at most `limit`.
    func scoreShadow(
        of model: String, standard: FeatureStandard, since: Int64, limit: Int,
        by score: @escaping @Sendable ([Double]) -> Double
    ) async throws -> Int {
        let count = standard.features.count
        let scored: [(id: String, at: Int64, probability: Double)] = try await read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, features, scored_at FROM scored
                    WHERE scored_at >= ?1 AND standard = ?2 AND NOT EXISTS (
                        SELECT 1 FROM shadow WHERE model = ?3 AND shadow.id = scored.id)
                    ORDER BY scored_at LIMIT ?4
                    """, arguments: [since, Data(standard.sha256), model, limit]
            ).map { row -> (id: String, at: Int64, probability: Double) in
                let features = [Double](blob: row["features"]) ?? []
                return (
                    row["id"], row["scored_at"], features.count == count ? score(features) : 0
                )
            }
        }
        guard !scored.isEmpty else { return 0 }
        return try await write { database in
            let statement = try database.cachedStatement(
                sql: """
                    INSERT OR IGNORE INTO shadow (model, id, probability, scored_at)
                    VALUES (?, ?, ?, ?)
                    """)
            for line in scored {
                try statement.execute(arguments: [model, line.id, line.probability, line.at])
            }
            return scored.count
        }
    }

    /// Keeps whom a challenger would have listed in the ranked places of a list.
    static func saveShadow(
        of model: String, since: Int64, _ request: RiskList.Request, ranked: Int,
        states: [String: CaseState], drawKey: SecretBytes, _ database: GRDB.Database
    ) throws {
        var rows: [(entity: String, probability: Double, amount: Double, reasons: [ReasonCode])] =
            []
        let cursor = try Row.fetchCursor(
            database,
            sql: """
                SELECT scored.entity, scored.amount, shadow.probability FROM scored
                JOIN shadow ON shadow.model = ?1 AND shadow.id = scored.id
                WHERE scored.scored_at > ?2 ORDER BY scored.scored_at, scored.id
                """, arguments: [model, since])
        while let row = try cursor.next() { rows.append((row[0], row[2], row[1], [])) }
        var request = request
        request.explorationShare = 0
        request.capacity = ranked
        let list = RiskList(
            request, entities: EntityRisk.summing(rows), cases: states, drawKey: drawKey)
        for entry in list.entries {
            try database.execute(
                sql: """
                    INSERT INTO shadow_listed (list, model, entity, listed_at)
                    VALUES (?, ?, ?, ?)
                    """, arguments: [request.id, model, entry.risk.entity, request.madeAt])
        }
    }

    /// How each challenger that has scored compares with what answered, by their digests.
    package func shadowComparisons() async throws -> [ShadowComparison] {
        try await read { database in
            let models = try String.fetchAll(
                database,
                sql: """
                    SELECT model FROM shadow UNION SELECT model FROM shadow_listed ORDER BY 1
                    """)
            guard !models.isEmpty else { return [] }
            let ledger = try Self.ledger(database)
            var frauds = Set(try String.fetchAll(database, sql: "SELECT entity FROM known_fraud"))
            for found in ledger.cases.values
            where ledger.standing(of: found.id)?.outcome == .confirmedFraud {
                frauds.insert(found.entity)
            }
            return try models.map { try Self.comparison(of: $0, frauds: frauds, database) }
        }
    }

    private static func comparison(
        of model: String, frauds: Set<String>, _ database: GRDB.Database
    ) throws -> ShadowComparison {
        var comparison = ShadowComparison(model: model)
        if let row = try Row.fetchOne(
            database,
            sql: """
                SELECT COUNT(*) AS rows, AVG(ABS(scored.probability - shadow.probability)) AS mean
                FROM shadow JOIN scored ON scored.id = shadow.id WHERE shadow.model = ?
                """, arguments: [model])
        {
            comparison.transactions = row["rows"]
            comparison.meanDifference = row["mean"] ?? 0
        }
        var champion: [String: Set<String>] = [:]
        var challenger: [String: Set<String>] = [:]
        for row in try Row.fetchAll(
            database, sql: "SELECT list, entity FROM shadow_listed WHERE model = ?",
            arguments: [model])
        {
            challenger[row["list"], default: []].insert(row["entity"])
        }
        for row in try Row.fetchAll(
            database, sql: "SELECT list, entity FROM listed_case WHERE slice = 'ranked'")
        {
            champion[row["list"], default: []].insert(row["entity"])
        }
        comparison.lists = challenger.count
        for (list, theirs) in challenger {
            let ours = champion[list] ?? []
            let (both, only, added) = (
                ours.intersection(theirs), ours.subtracting(theirs), theirs.subtracting(ours)
            )
            comparison.listedByBoth += both.count
            comparison.listedByChampionOnly += only.count
            comparison.listedByChallengerOnly += added.count
            comparison.fraudsOfBoth += both.intersection(frauds).count
            comparison.fraudsOfChampionOnly += only.intersection(frauds).count
            comparison.fraudsOfChallengerOnly += added.intersection(frauds).count
        }
        return comparison
    }
}

extension ShadowComparison {
    /// Comparisons as metrics.
    static func families(_ comparisons: [ShadowComparison]) -> [MetricFamily] {
        guard !comparisons.isEmpty else { return [] }
        func family(
            _ name: String, _ help: String,
            _ samples: (ShadowComparison) -> [(by: String, value: Double)]
        ) -> MetricFamily {
            MetricFamily(
                name, .gauge, help,
                comparisons.flatMap { comparison in
                    samples(comparison).map { by, value in
                        MetricFamily.Sample(
                            value,
                            labels: [("model", comparison.model)]
                                + (by.isEmpty ? [] : [("by", by)]))
                    }
                })
        }
        func counts(
            _ both: Int, _ champion: Int, _ challenger: Int
        ) -> [(by: String, value: Double)] {
            [
                ("both", Double(both)), ("champion_only", Double(champion)),
                ("challenger_only", Double(challenger)),
            ]
        }
        return [
            family(
                "fed_shadow_transactions",
                "Recorded transactions that a challenger has scored too."
            ) { [("", Double($0.transactions))] },
            family(
                "fed_shadow_mean_difference",
                "Mean distance of the challenger's probability from the answered one."
            ) { [("", $0.meanDifference)] },
            family(
                "fed_shadow_listed", "Entities on ranked places of lists, by who lists them."
            ) { counts($0.listedByBoth, $0.listedByChampionOnly, $0.listedByChallengerOnly) },
            family("fed_shadow_frauds", "Known frauds among them.") {
                counts($0.fraudsOfBoth, $0.fraudsOfChampionOnly, $0.fraudsOfChallengerOnly)
            },
        ]
    }
}
