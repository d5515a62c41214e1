import FedSynthetic
import Foundation
import Testing

/// Each feature again, from its sentence in the standard, by looking at every row for every row.
private struct NaiveFeatures {
    let rows: [SyntheticTransaction]

    private func window(
        _ row: SyntheticTransaction, days: Int, delay: Int = 0,
        _ belongs: (SyntheticTransaction) -> Bool
    ) -> [SyntheticTransaction] {
        rows.filter {
            belongs($0) && $0.time > row.time - (days + delay) * 86_400
                && $0.time <= row.time - delay * 86_400
        }
    }

    private static func mean(_ rows: [SyntheticTransaction]) -> Double {
        Double(rows.reduce(0) { $0 + $1.amount }) / Double(rows.count) / 100
    }

    private func isFirst(_ row: SyntheticTransaction) -> Bool {
        !rows.contains {
            $0.time < row.time && $0.account == row.account && $0.terminal == row.terminal
                && $0.payee == row.payee
        }
    }

    func values(of row: SyntheticTransaction) -> [String: Double] {
        let amount = Double(row.amount) / 100
        let hour = row.time / 3_600 % 24
        let own = { (other: SyntheticTransaction) in other.account == row.account }
        let month = window(row, days: 30, own)
        let channel = month.filter { $0.channel == row.channel }
        let last = rows.last { own($0) && $0.time < row.time }
        let seen = rows.first { own($0) && $0.device == row.device }
        let terminal = { (days: Int) in
            row.terminal < 0
                ? [] : window(row, days: days, delay: 7) { $0.terminal == row.terminal }
        }
        let risk = { (rows: [SyntheticTransaction]) in
            rows.isEmpty ? 0 : Double(rows.count { $0.isFraud }) / Double(rows.count)
        }
        let payers = window(row, days: 7) { row.payee >= 0 && $0.payee == row.payee }
        let transfers = window(row, days: 7, own).map(\.payee).filter { $0 >= 0 }
        let sameCounterparty = month.filter {
            $0.terminal == row.terminal && $0.payee == row.payee
        }
        let today = window(row, days: 1, own)
        return [
            "amount": amount, "hour": Double(hour), "night": hour < 6 ? 1 : 0,
            "weekend": [5, 6].contains(row.time / 86_400 % 7) ? 1 : 0,
            "online": row.channel == .online ? 1 : 0,
            "transfer": row.channel == .transfer ? 1 : 0,
            "cash": row.channel == .cash ? 1 : 0, "age": Double(row.age),
            "away": row.region != row.homeRegion ? 1 : 0,
            "account_rows_1d": Double(today.count),
            "account_rows_7d": Double(window(row, days: 7, own).count),
            "account_rows_30d": Double(month.count),
            "account_sum_1d": Double(today.reduce(0) { $0 + $1.amount }) / 100,
            "account_mean_30d": Self.mean(month),
            "amount_over_mean_30d": amount / Self.mean(month),
            "amount_over_channel_mean_30d": amount / Self.mean(channel),
            "account_new_counterparties_1d": Double(today.count { isFirst($0) }),
            "account_payees_7d": Double(Set(transfers).count),
            "hours_since_last": last.map { min(720, Double(row.time - $0.time) / 3_600) } ?? 720,
            "counterparty_rows_30d": Double(sameCounterparty.count),
            "payee_new": row.payee >= 0 && isFirst(row) ? 1 : 0,
            "payee_payers_7d": Double(Set(payers.map(\.account)).count),
            "device_new": row.device >= 0 && row.time - (seen?.time ?? 0) < 7 * 86_400 ? 1 : 0,
            "terminal_rows_30d": Double(terminal(30).count),
            "terminal_risk_7d": risk(terminal(7)), "terminal_risk_30d": risk(terminal(30)),
        ]
    }
}

@Suite struct SyntheticFeaturesTests {
    @Test(arguments: [3, 4] as [UInt64])
    func streamedFeaturesEqualANaiveRecomputation(seed: UInt64) throws {
        let consortium = try SyntheticConsortium(seed: seed, scale: 0.01)
        for bank in [1, 3, 4] {
            let rows = consortium.transactions(of: bank)
            let naive = NaiveFeatures(rows: rows)
            let derived = SyntheticFeatures.derive(from: rows)
            for (row, values) in zip(rows, derived).enumerated().filter({ $0.offset % 5 == 0 })
                .map(\.element)
            {
                let expected = naive.values(of: row)
                #expect(expected.count == values.count)
                for (name, value) in zip(SyntheticFeatures.names, values) {
                    let other = try #require(expected[name], "\(name)")
                    let gap = abs(value - other)
                    #expect(gap <= 1e-12 * max(1, other), "seed \(seed) row \(row.row) \(name)")
                }
            }
        }
    }

    @Test func noFeatureLooksAtATruthYoungerThanTheLabelDelay() throws {
        let consortium = try SyntheticConsortium(seed: 11, scale: 0.02)
        let rows = consortium.transactions(of: 0)
        let cut = 80 * SyntheticCalendar.secondsPerDay
        let flipped = rows.map {
            $0.time < cut ? $0 : $0.with(kind: $0.isFraud ? .none : .stolenCard)
        }
        let before = SyntheticFeatures.derive(from: rows)
        let after = SyntheticFeatures.derive(from: flipped)
        let known = cut + SyntheticCalendar.labelDelayDays * SyntheticCalendar.secondsPerDay
        let early = rows.indices.filter { rows[$0].time < known }
        #expect(early.allSatisfy { before[$0] == after[$0] })
        // The other side of the cut must feel it, or the test could not fail.
        #expect(rows.indices.contains { rows[$0].time >= known && before[$0] != after[$0] })
    }

    @Test func laterRowsDoNotChangeEarlierFeatures() throws {
        let rows = try SyntheticConsortium(seed: 12, scale: 0.01).transactions(of: 1)
        let half = rows.count / 2
        let whole = SyntheticFeatures.derive(from: rows)
        #expect(SyntheticFeatures.derive(from: Array(rows[..<half])) == Array(whole[..<half]))
    }

    @Test func theStandardListsTheColumnsInTheirOrder() throws {
        struct Standard: Decodable {
            struct Feature: Decodable {
                struct Range: Decodable {
                    let min: Double
                    let max: Double
                }
                let name: String
                let type: String
                let range: Range
            }
            let format: String
            let name: String
            let features: [Feature]
        }
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent("Datasets/standards/synthetic.json")
        let standard = try JSONDecoder().decode(Standard.self, from: Data(contentsOf: path))
        #expect(standard.format == "fed-feature-standard/1")
        #expect(standard.name == "synthetic")
        #expect(standard.features.map(\.name) == SyntheticFeatures.names)
        let consortium = try SyntheticConsortium(seed: 1, scale: 0.05)
        for bank in consortium.banks.indices {
            for values in SyntheticFeatures.derive(from: consortium.transactions(of: bank)) {
                for (feature, value) in zip(standard.features, values) {
                    let isInRange = (feature.range.min...feature.range.max).contains(value)
                    let isWhole = value == value.rounded() || feature.type == "continuous"
                    guard !isInRange || !isWhole else { continue }
                    Issue.record("\(feature.name): \(value)")
                }
            }
        }
    }
}
