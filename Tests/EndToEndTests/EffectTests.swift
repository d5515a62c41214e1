import Foundation
import GRDB
import Testing

/// What lists led to, of a bank and of the consortium, with real processes.
@Suite(.serialized) struct EffectTests {
    private static let day: Int64 = 86_400
    /// 2026-11-01, UTC, in days since 1970.
    private static let first: Int64 = 20_758

    /// Two lists a week apart: the bank's number tells how much they led to.
    private func fill(_ path: String, bank: Int) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            for week in 0..<2 {
                let listed = (Self.first + Int64(7 * week)) * Self.day + 60
                for place in 0..<10 {
                    let id = "list\(week):\(place)"
                    let entity = "customer \(week) \(place)"
                    try database.execute(
                        sql: """
                            INSERT INTO listed_case (id, list, rank, entity, probability,
                                expected_loss, slice, inclusion, reasons, listed_at)
                            VALUES (?, ?, ?, ?, 0.5, 1, 'ranked', 1, '[]', ?)
                            """,
                        arguments: [id, "list\(week)", place + 1, entity, listed])
                    // The first ones are confirmed, the last two open, the others cleared.
                    guard place < 8 else { continue }
                    let isFraud = place < 2 + bank
                    try database.execute(
                        sql: """
                            INSERT INTO verdict (case_id, entity, outcome, amount_kept, decided_at,
                                reviewer, received_at)
                            VALUES (?, ?, ?, ?, ?, 'r', ?)
                            """,
                        arguments: [
                            id, entity, isFraud ? "confirmed_fraud" : "false_alarm",
                            isFraud ? 10_000 : 0, listed + 100, listed + 200,
                        ])
                }
                // Local alone would have had one of the frauds, and one that the list missed.
                for entity in ["customer \(week) 0", "missed \(week)"] {
                    try database.execute(
                        sql: "INSERT INTO local_listed (list, entity, listed_at) VALUES (?, ?, ?)",
                        arguments: ["list\(week)", entity, listed])
                }
                try database.execute(
                    sql: "INSERT INTO known_fraud (entity, found_at) VALUES (?, ?)",
                    arguments: ["missed \(week)", listed + 500])
            }
        }
    }

    private var period: [String] {
        ["--from", "2026-11-01", "--to", "2026-11-14", "--step-days", "7"]
    }

    @Test("A bank reports what its lists led to; all banks together do by masked sums only")
    func effect() async throws {
        let consortium = try await Consortium()
        for (index, bank) in Consortium.banks.enumerated() {
            let model = consortium.folder["model-\(bank).json"]
            if index == 0 {
                try await consortium.fed([
                    "train", "--standard", Consortium.standard, "--out", model,
                    consortium.data("A", "fit"),
                ])
            }
            let service = try await consortium.startScoring(
                bank, model: ["--model", consortium.folder["model-A.json"]])
            service.terminate()
            #expect(try await service.outcome().code == 0)
            try fill(consortium.reviews(of: bank) + "/review.sqlite", bank: index)
            try await consortium.startNode(bank, ["--reviews", consortium.reviews(of: bank)])
        }
        let own = try await run(
            "fed-node",
            ["effect", "--state", consortium.reviews(of: "B"), "--json", "b.json"] + period,
            in: consortium.folder)
        #expect(own.code == 0, "\(own)")
        let bank = try document(consortium, "b.json")
        #expect(bank["listed"] as? Int == 20)
        #expect(bank["confirmed"] as? Int == 6)
        #expect(bank["false_alarms"] as? Int == 10)
        #expect(bank["open"] as? Int == 4)

        let all = try await consortium.coordinate(
            [
                "effect", "--standard", Consortium.standard, "--json",
                consortium.folder["all.json"], "--html", consortium.folder["all.html"],
            ] + period)
        #expect(all.out.contains("balance kept"), "\(all)")
        let report = try document(consortium, "all.json")
        var check = try SchemaCheck(schema: "effect-report.v1.schema.json")
        check.check(report)
        #expect(check.faults.isEmpty, "\(check.faults)")
        #expect(report["banks"] as? Int == 3)
        #expect(report["listed"] as? Int == 60)
        #expect(report["confirmed"] as? Int == 4 + 6 + 8)
        #expect(report["amount_kept"] as? Int == 18 * 10_000)
        let frauds = try #require(report["frauds"] as? [String: Int])
        #expect(
            frauds == ["by_both": 6, "by_list_only": 12, "by_local_only": 6, "by_neither": 0])
        #expect((report["steps"] as? [Any])?.count == 2)
        let page = try consortium.folder.read("all.html")
        #expect(page.contains("+50.0 %") && page.contains("2026-11-08"))
        let again = try await consortium.coordinate(["effect", "--last"])
        #expect(again.out == all.out)
        // A count is no model: what the bank shows as its newest model is none of these sums.
        let newest = try await consortium.tryNode("B", ["model", "--out", "m.json"])
        #expect(newest.code == 65, "\(newest)")
        #expect(try await consortium.stop().values.allSatisfy { $0 == 0 })
    }

    private func document(_ consortium: Consortium, _ name: String) throws -> [String: Any] {
        let text = try consortium.folder.read(name)
        return try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}
