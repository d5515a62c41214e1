/// The features that a bank computes from its own rows, and from nothing else.
///
/// A window `(far, near]` of a row at time t holds the bank's rows of the same account, terminal or
/// payee with time in `(t - far, t - near]`; ratios with an empty denominator are 0.
public enum SyntheticFeatures {
    /// Columns in the order of the files and of `Datasets/standards/synthetic.json`.
    public static let names = [
        "amount", "hour", "night", "weekend", "online", "transfer", "cash", "age", "away",
        "account_rows_1d", "account_rows_7d", "account_rows_30d", "account_sum_1d",
        "account_mean_30d", "amount_over_mean_30d", "amount_over_channel_mean_30d",
        "account_new_counterparties_1d", "account_payees_7d", "hours_since_last",
        "counterparty_rows_30d", "payee_new", "payee_payers_7d", "device_new",
        "terminal_rows_30d", "terminal_risk_7d", "terminal_risk_30d",
    ]

    /// Days without an earlier row after which `hours_since_last` stops growing.
    static let silenceDays = 30
    /// Days in which a device counts as new.
    static let newDeviceDays = 7

    /// Features of all rows of one bank, one array a row.
    ///
    /// - Parameter transactions: The bank's rows in time order, all of them.
    /// - Complexity: O(rows).
    package static func derive(from transactions: [SyntheticTransaction]) -> [[Double]] {
        var derivation = Derivation()
        return transactions.indices.map { derivation.next(at: $0, of: transactions) }
    }

    private struct Pair: Hashable {
        let account: Int
        let other: Int
    }

    /// The state of one pass over a bank's rows.
    private struct Derivation {
        var accountRows: [Int: [Int32]] = [:]
        var terminalRows: [Int: [Int32]] = [:]
        var payeeRows: [Int: [Int32]] = [:]
        var pairNumbers: [Pair: Int] = [:]
        var pairRows: [[Int32]] = []
        var deviceFirstSeen: [Pair: Int] = [:]
        /// First payments of an account to a counterparty.
        var firstRows: [Int: [Int32]] = [:]
        var channelRows: [Pair: [Int32]] = [:]
        var account1 = SlidingWindow(days: 1)
        var account7 = SlidingWindow(days: 7)
        var account30 = SlidingWindow(days: 30)
        var channel30 = SlidingWindow(days: 30)
        var first1 = SlidingWindow(days: 1)
        var pair30 = SlidingWindow(days: 30)
        var terminal7 = SlidingWindow(days: 7, delayedBy: SyntheticCalendar.labelDelayDays)
        var terminal30 = SlidingWindow(days: 30, delayedBy: SyntheticCalendar.labelDelayDays)
        var payees7 = DistinctWindow(days: 7) { $0.payee }
        var payers7 = DistinctWindow(days: 7) { $0.account }

        mutating func next(at index: Int, of rows: [SyntheticTransaction]) -> [Double] {
            let row = rows[index]
            let amount = Double(row.amount) / 100
            let hour = row.time % SyntheticCalendar.secondsPerDay / 3_600
            let pair = pairNumber(row)
            let isFirst = pairRows[pair].isEmpty
            pairRows[pair].append(Int32(index))
            if isFirst { firstRows[row.account, default: []].append(Int32(index)) }
            let account = accountFeatures(index, of: rows)
            let acquaintance = pair30.slide(pair, over: pairRows[pair], of: rows, to: row.time)
            let isNewPayee = row.channel == .transfer && isFirst
            return [
                amount, Double(hour), hour < 6 ? 1 : 0, row.day % 7 >= 5 ? 1 : 0,
                row.channel == .online ? 1 : 0, row.channel == .transfer ? 1 : 0,
                row.channel == .cash ? 1 : 0, Double(row.age),
                row.region == row.homeRegion ? 0 : 1,
            ] + account + [
                Double(acquaintance.count), isNewPayee ? 1 : 0, payers(index, of: rows),
                isDeviceNew(row) ? 1 : 0,
            ] + terminalFeatures(index, of: rows)
        }

        private mutating func accountFeatures(
            _ index: Int, of rows: [SyntheticTransaction]
        ) -> [Double] {
            let row = rows[index]
            let key = row.account
            let previous = accountRows[key]?.last
            accountRows[key, default: []].append(Int32(index))
            let history = accountRows[key, default: []]
            let day = account1.slide(key, over: history, of: rows, to: row.time)
            let week = account7.slide(key, over: history, of: rows, to: row.time)
            let month = account30.slide(key, over: history, of: rows, to: row.time)
            let mean = Double(month.amount) / Double(month.count) / 100
            let limit = SyntheticFeatures.silenceDays * SyntheticCalendar.secondsPerDay
            let silence = previous.map { min(limit, row.time - rows[Int($0)].time) } ?? limit
            let payees = payees7.slide(key, over: history, of: rows, to: row.time)
            let channel = Pair(account: key, other: row.channel.rawValue)
            channelRows[channel, default: []].append(Int32(index))
            let sameChannel = channel30.slide(
                key * Channel.allCases.count + row.channel.rawValue,
                over: channelRows[channel, default: []], of: rows, to: row.time)
            let firsts = first1.slide(
                key, over: firstRows[key, default: []], of: rows, to: row.time)
            return [
                Double(day.count), Double(week.count), Double(month.count),
                Double(day.amount) / 100, mean, Double(row.amount) / 100 / mean,
                Double(row.amount * sameChannel.count) / Double(sameChannel.amount),
                Double(firsts.count), Double(payees), Double(silence) / 3_600,
            ]
        }

        private mutating func pairNumber(_ row: SyntheticTransaction) -> Int {
            // Payees and terminals are numbered apart: odd and even.
            let other = row.payee >= 0 ? 2 * row.payee + 1 : 2 * row.terminal
            let pair = Pair(account: row.account, other: other)
            if let known = pairNumbers[pair] { return known }
            pairNumbers[pair] = pairRows.count
            pairRows.append([])
            return pairRows.count - 1
        }

        private mutating func payers(_ index: Int, of rows: [SyntheticTransaction]) -> Double {
            let row = rows[index]
            guard row.payee >= 0 else { return 0 }
            payeeRows[row.payee, default: []].append(Int32(index))
            let history = payeeRows[row.payee, default: []]
            return Double(payers7.slide(row.payee, over: history, of: rows, to: row.time))
        }

        private mutating func isDeviceNew(_ row: SyntheticTransaction) -> Bool {
            guard row.device >= 0 else { return false }
            let pair = Pair(account: row.account, other: row.device)
            let firstSeen = deviceFirstSeen[pair] ?? row.time
            deviceFirstSeen[pair] = firstSeen
            let age = row.time - firstSeen
            return age < SyntheticFeatures.newDeviceDays * SyntheticCalendar.secondsPerDay
        }

        private mutating func terminalFeatures(
            _ index: Int, of rows: [SyntheticTransaction]
        ) -> [Double] {
            let row = rows[index]
            guard row.terminal >= 0 else { return [0, 0, 0] }
            terminalRows[row.terminal, default: []].append(Int32(index))
            let history = terminalRows[row.terminal, default: []]
            let week = terminal7.slide(row.terminal, over: history, of: rows, to: row.time)
            let month = terminal30.slide(row.terminal, over: history, of: rows, to: row.time)
            return [Double(month.count), Self.risk(week), Self.risk(month)]
        }

        private static func risk(_ content: SlidingWindow.Content) -> Double {
            content.count == 0 ? 0 : Double(content.frauds) / Double(content.count)
        }
    }
}
