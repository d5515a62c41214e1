/// Rows of one key (an account, a terminal, a payee) in a window `(far, near]` of the past.
///
/// They are those with time in `(t - far, t - near]`; `near` of zero takes in the row at `t`.
///
/// Time must not fall between calls. Each row enters and leaves once, so a pass over n rows costs
/// O(n). A truth is looked at only when its row enters: with `near` of the label delay nothing is
/// used before it is known.
struct SlidingWindow {
    /// What is in the window of one key.
    ///
    /// Amounts are cents, so sums are exact.
    struct Content {
        var count = 0
        var amount = 0
        var frauds = 0
        fileprivate var first = 0
        fileprivate var next = 0
    }

    private let far: Int
    private let near: Int
    private var contents: [Int: Content] = [:]

    /// A window by days.
    init(days: Int, delayedBy delay: Int = 0) {
        far = (days + delay) * SyntheticCalendar.secondsPerDay
        near = delay * SyntheticCalendar.secondsPerDay
    }

    /// Moves the window of `key` to time `t` over the key's rows so far, in time order.
    mutating func slide(
        _ key: Int, over rows: [Int32], of transactions: [SyntheticTransaction], to t: Int
    ) -> Content {
        var content = contents[key, default: Content()]
        while content.next < rows.count {
            let row = transactions[Int(rows[content.next])]
            guard row.time <= t - near else { break }
            content.count += 1
            content.amount += row.amount
            content.frauds += row.isFraud ? 1 : 0
            content.next += 1
        }
        while content.first < content.next {
            let row = transactions[Int(rows[content.first])]
            guard row.time <= t - far else { break }
            content.count -= 1
            content.amount -= row.amount
            content.frauds -= row.isFraud ? 1 : 0
            content.first += 1
        }
        contents[key] = content
        return content
    }
}

/// Distinct values among the rows of one key in a window `(far, 0]`.
struct DistinctWindow {
    private struct Content {
        var first = 0
        var next = 0
        var counts: [Int: Int] = [:]
    }

    private let far: Int
    private let value: (SyntheticTransaction) -> Int
    private var contents: [Int: Content] = [:]

    /// A window by days, and what is counted; a value below zero is none.
    init(days: Int, of value: @escaping (SyntheticTransaction) -> Int) {
        far = days * SyntheticCalendar.secondsPerDay
        self.value = value
    }

    /// Moves the window of `key` to time `t` over the key's rows so far.
    ///
    /// - Returns: Distinct values in the window.
    mutating func slide(
        _ key: Int, over rows: [Int32], of transactions: [SyntheticTransaction], to t: Int
    ) -> Int {
        var content = contents.removeValue(forKey: key) ?? Content()
        while content.next < rows.count {
            let entering = value(transactions[Int(rows[content.next])])
            if entering >= 0 { content.counts[entering, default: 0] += 1 }
            content.next += 1
        }
        while content.first < content.next {
            let row = transactions[Int(rows[content.first])]
            guard row.time <= t - far else { break }
            let leaving = value(row)
            if leaving >= 0 {
                let left = content.counts[leaving, default: 1] - 1
                content.counts[leaving] = left == 0 ? nil : left
            }
            content.first += 1
        }
        let distinct = content.counts.count
        contents[key] = content
        return distinct
    }
}
