/// What is known of each key, by the day of the payments: one bank's, or the sum over banks.
///
/// It holds nothing before it may be known: who keeps it enters facts on the day they are learnt.
struct DailyFacts: Sendable {
    /// A kind of count.
    enum Fact: Int, CaseIterable {
        /// Payments.
        case rows
        /// Payments whose ordinary label is known.
        case labelled
        /// Frauds among those.
        case frauds
        /// Payments that a reviewer confirmed as frauds.
        case confirmed
        /// Payments that a reviewer cleared.
        case cleared
        /// Payments known as frauds, by a verdict or by a label.
        case bad
        /// Frauds of an amount that is usual for their payer whose ordinary label is known.
        case usualFrauds
        /// Payments of such an amount that a reviewer confirmed as frauds.
        case usualConfirmed
    }

    /// A kind of sum of amounts.
    enum Money: Int, CaseIterable {
        /// Of all payments.
        case all
        /// Of payments known as frauds.
        case bad
    }

    /// Days kept, today included: 30 days behind the longest label delay.
    static let span = 48
    private static let width = Fact.allCases.count
    private static let moneyWidth = Money.allCases.count

    private var counts: [UInt16]
    private var amounts: [Float]
    private let keyCount: Int
    /// The latest day.
    private(set) var today = -1

    init(keyCount: Int) {
        self.keyCount = keyCount
        counts = [UInt16](repeating: 0, count: keyCount * Self.span * Self.width)
        amounts = [Float](repeating: 0, count: keyCount * Self.span * Self.moneyWidth)
    }

    /// Moves on; what falls behind the span is forgotten.
    mutating func advance(to day: Int) {
        precondition(day >= today, "day \(day) after \(today)")
        for fresh in max(today + 1, day - Self.span + 1)..<max(day + 1, today + 1) {
            let slot = fresh % Self.span
            for key in 0..<keyCount {
                let start = (key * Self.span + slot) * Self.width
                for index in start..<(start + Self.width) { counts[index] = 0 }
                for money in Money.allCases { amounts[place(money, key, slot)] = 0 }
            }
        }
        today = max(today, day)
    }

    /// Counts one payment of a day; payments that are too old are passed over.
    mutating func enter(_ fact: Fact, key: Int, day: Int) {
        guard day > today - Self.span, day <= today else { return }
        let index = (key * Self.span + day % Self.span) * Self.width + fact.rawValue
        if counts[index] < UInt16.max { counts[index] += 1 }
    }

    /// Adds the amount of one payment of a day.
    mutating func enter(_ amount: Float, to money: Money, key: Int, day: Int) {
        guard day > today - Self.span, day <= today else { return }
        amounts[place(money, key, day % Self.span)] += amount
    }

    private func place(_ money: Money, _ key: Int, _ slot: Int) -> Int {
        (key * Self.span + slot) * Self.moneyWidth + money.rawValue
    }

    /// A count of one day; 0 for days that are not kept.
    func count(_ fact: Fact, key: Int, day: Int) -> Int {
        guard day >= 0, day > today - Self.span, day <= today else { return 0 }
        return Int(counts[(key * Self.span + day % Self.span) * Self.width + fact.rawValue])
    }

    /// The sum of counts of some days.
    func sum(_ fact: Fact, key: Int, days: Range<Int>) -> Int {
        var sum = 0
        let first = max(days.lowerBound, today - Self.span + 1, 0)
        let end = min(days.upperBound, today + 1)
        guard first < end else { return 0 }
        let base = key * Self.span
        var slot = first % Self.span
        for _ in first..<end {
            sum += Int(counts[(base + slot) * Self.width + fact.rawValue])
            slot = slot + 1 == Self.span ? 0 : slot + 1
        }
        return sum
    }

    /// The sum of amounts of some days.
    func amount(_ money: Money, key: Int, days: Range<Int>) -> Float {
        var sum: Float = 0
        let first = max(days.lowerBound, today - Self.span + 1, 0)
        for day in first..<max(first, min(days.upperBound, today + 1)) {
            sum += amounts[place(money, key, day % Self.span)]
        }
        return sum
    }
}
