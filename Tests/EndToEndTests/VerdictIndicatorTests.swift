import Foundation
import GRDB
import Testing

/// Verdicts that enter the indicators of the consortium, with real processes.
@Suite(.serialized) struct VerdictIndicatorTests {
    private static let day: Int64 = 86_400
    /// When the transactions' clock stood at 0: 2026-06-01, UTC.
    private static let origin: Int64 = 20_605 * day
    /// The periods that are summed, days of the transactions' clock.
    private static let periods = 100..<110

    private struct Payment {
        let row: String
        let account: String
        let terminal: Int
        let day: Int64
    }

    /// The shipped derivation with an indicator of verdicts, known a day after the period.
    private func derivation(_ consortium: Consortium) throws -> String {
        let shipped = try String(
            contentsOf: Programs.root.appendingPathComponent(
                "Datasets/derivations/synthetic_raw_shared.json"), encoding: .utf8)
        let head = "\"indicators\": ["
        try #require(shipped.contains(head))
        return try consortium.folder.write(
            shipped.replacingOccurrences(
                of: head,
                with: head + """
                    {"name": "reviewed", "entity": "terminal", "period": 86400, "delay": 86400,
                      "floor": {"banks": 3, "window": 2592000},
                      "index": {"kind": "range", "first": 0, "count": 4096},
                      "measures": [{"name": "count", "kind": "count", "most": 1000},
                        {"name": "confirmed", "kind": "confirmed", "most": 1000}]},
                    """), to: "derivation.json")
    }

    private func raw(_ bank: String, _ consortium: Consortium) -> String {
        consortium.folder["raw/bank_\(bank)_transactions.csv"]
    }

    private func payments(_ bank: String, _ consortium: Consortium) throws -> [Payment] {
        let lines = try String(contentsOfFile: raw(bank, consortium), encoding: .utf8)
            .split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
        let header = try #require(lines.first)
        func place(_ name: String) throws -> Int { try #require(header.firstIndex(of: name)) }
        let (row, time) = (try place("row"), try place("time"))
        let (account, terminal) = (try place("account"), try place("terminal"))
        return try lines.dropFirst().compactMap { fields in
            guard let number = Int(fields[terminal]) else { return nil }
            return Payment(
                row: fields[row], account: fields[account], terminal: number,
                day: try #require(Int64(fields[time])) / Self.day)
        }
    }

    /// A terminal at which every bank has payments in the periods and shortly before, so that its
    /// sums are made; and each bank's first payment there.
    private func choose(_ all: [String: [Payment]]) throws -> (Int, [String: Payment]) {
        func terminals(_ payments: [Payment], _ days: Range<Int>) -> Set<Int> {
            Set(payments.filter { days.contains(Int($0.day)) }.map(\.terminal))
        }
        var shared: Set<Int>?
        for payments in all.values {
            let active = terminals(payments, Self.periods).intersection(
                terminals(payments, 80..<Self.periods.lowerBound))
            shared = shared?.intersection(active) ?? active
        }
        let terminal = try #require(shared?.min())
        let first = try all.mapValues { payments in
            try #require(
                payments.first {
                    $0.terminal == terminal && Self.periods.contains(Int($0.day))
                })
        }
        return (terminal, first)
    }

    /// A case on a payment that was scored under its row's number, confirmed at a time.
    private func confirm(
        _ payment: Payment, at decided: Int64, in path: String, _ id: String
    ) throws {
        let listed = Self.origin + payment.day * Self.day + 60
        try DatabaseQueue(path: path).write { database in
            try database.execute(
                sql: """
                    INSERT INTO scored (id, entity, amount, probability, features, standard,
                        scored_at)
                    VALUES (?, ?, 100, 0.5, x'', x'', ?)
                    """, arguments: [payment.row, payment.account, listed - 30])
            try database.execute(
                sql: """
                    INSERT INTO listed_case (id, list, rank, entity, probability,
                        expected_loss, slice, inclusion, reasons, listed_at)
                    VALUES (?, 'list', 1, ?, 0.5, 1, 'ranked', 1, '[]', ?)
                    """, arguments: [id, payment.account, listed])
            try database.execute(
                sql: """
                    INSERT INTO verdict (case_id, entity, outcome, amount_kept, decided_at,
                        reviewer, received_at)
                    VALUES (?, ?, 'confirmed_fraud', 100, ?, 'r', ?)
                    """, arguments: [id, payment.account, decided, decided])
        }
    }

    private func sum(
        _ consortium: Consortium, _ derivation: String, _ standard: String
    ) async throws -> RunResult {
        RunResult(
            try await consortium.tryCoordinate([
                "run", "indicators", "--standard", standard, "--derivation", derivation,
                "--indicator", "reviewed", "--first-period", "\(Self.periods.lowerBound)",
                "--periods", "\(Self.periods.count)", "--watch", "--json",
            ]))
    }

    /// The confirmed frauds of a terminal in the only table that a bank holds.
    private func confirmed(
        _ terminal: Int, _ bank: String, _ consortium: Consortium
    ) async throws -> Int {
        try await consortium.node(bank, ["tables", "--out", consortium.folder["tables"]])
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: consortium.folder["tables"]).first)
        let data = Data(try consortium.folder.read("tables/\(name)").utf8)
        let table = try #require(
            try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let measures = try #require(table["measures"] as? [String])
        let place = try #require(measures.firstIndex(of: "confirmed"))
        var sum = 0
        for period in try #require(table["periods"] as? [[String: Any]]) {
            let cells = try #require(period["cells"] as? [Int])
            let values = try #require(period["values"] as? [[Int]])
            if let cell = cells.firstIndex(of: terminal) { sum += values[place][cell] }
        }
        return sum
    }

    @Test("Verdicts within an indicator's delay are in the sums of the next day, later ones not")
    func verdictsEnter() async throws {
        let consortium = try await Consortium()
        let standard = Programs.root.appendingPathComponent(
            "Datasets/standards/synthetic_raw_shared.json"
        ).path
        let derivation = try derivation(consortium)
        try await consortium.fed([
            "synthetic", "--out", consortium.folder["raw"], "--scale", "0.02", "--raw",
        ])
        let model = consortium.folder["model.json"]
        try await consortium.fed([
            "train", "--standard", Consortium.standard, "--out", model,
            consortium.data("A", "fit"),
        ])
        let (terminal, payments) = try choose(
            try Dictionary(
                uniqueKeysWithValues: Consortium.banks.map {
                    ($0, try self.payments($0, consortium))
                }))
        for bank in Consortium.banks {
            let service = try await consortium.startScoring(bank, model: ["--model", model])
            service.terminate()
            #expect(try await service.outcome().code == 0)
            let payment = try #require(payments[bank])
            // Until the end of the day after the payment; bank C's reviewer is a second too late.
            let due = Self.origin + (payment.day + 2) * Self.day
            try confirm(
                payment, at: due - (bank == "C" ? 0 : 1),
                in: consortium.reviews(of: bank) + "/review.sqlite", "case")
            try await consortium.startNode(
                bank, raw: raw(bank, consortium), derivation: derivation, standard: standard,
                ["--reviews", consortium.reviews(of: bank), "--origin", "\(Self.origin)"])
        }
        let result = try await sum(consortium, derivation, standard)
        try #require(result.state == "succeeded", "\(result.reason)")
        #expect(try await confirmed(terminal, "B", consortium) == 2)

        // A verdict that comes when the periods are closed changes nothing of them.
        let late = try #require(
            try self.payments("A", consortium).first {
                Self.periods.contains(Int($0.day)) && $0.row != payments["A"]?.row
            })
        try confirm(
            late, at: Self.origin + 140 * Self.day,
            in: consortium.reviews(of: "A") + "/review.sqlite", "late")
        let again = try await sum(consortium, derivation, standard)
        #expect(again.state == "succeeded", "\(again.reason)")
        #expect(try await consortium.stop().values.allSatisfy { $0 == 0 })
    }
}
