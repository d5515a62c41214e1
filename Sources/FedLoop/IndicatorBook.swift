internal import FedCore

/// The indicators of one kind of party: each bank's own facts and the sums over all banks.
///
/// Sums are what a masked aggregation of the same lanes gives, to the last bit; a bank reads a
/// key's sums only where enough banks had rows with it in the trailing 30 days, else its own.
struct IndicatorBook: Sendable {
    /// Days within which a bank counts as active at a key.
    static let activityDays = 30
    /// The cap of ages in days.
    static let ageMax = 31

    private static let labelWindows = [1, 7, 30]
    private static let verdictWindows = [3, 7, 14]
    private static let activityWindows = [1, 7]
    private static let historyWindows = [3, 7, 14, 28]
    private static let historyDays = 40
    private static let kindWindows = [7, 14, 28]

    private let entity: LoopStream.Entity
    private let variant: LoopVariant
    private let labelDelayDays: Int
    private let contributorsMin: Int
    private let usualAmountMax: Float
    private var own: [DailyFacts]
    private var shared: DailyFacts
    /// The last day with a row, key by key of each bank; below every day for none.
    private var lastActive: [[Int32]]
    /// The first day with a row at any bank.
    private var firstSeen: [Int32]

    init(
        entity: LoopStream.Entity, bankCount: Int, variant: LoopVariant, plan: LoopPlan
    ) {
        self.entity = entity
        self.variant = variant
        labelDelayDays = plan.labelDelayDays
        contributorsMin = plan.contributorsMin
        usualAmountMax = Float(plan.usualAmountMax)
        own = (0..<bankCount).map { _ in DailyFacts(keyCount: entity.keyCount) }
        shared = DailyFacts(keyCount: entity.isShared ? entity.keyCount : 0)
        lastActive = (0..<bankCount).map { _ in
            [Int32](repeating: -1_000, count: entity.keyCount)
        }
        firstSeen = [Int32](repeating: Int32.max, count: entity.keyCount)
    }

    // MARK: - Facts

    /// Begins a day.
    mutating func advance(to day: Int) {
        for bank in own.indices { own[bank].advance(to: day) }
        shared.advance(to: day)
    }

    /// Takes one payment in, at the end of its day.
    mutating func enterRow(key: Int, bank: Int, day: Int, amount: Float) {
        enter(.rows, key: key, bank: bank, day: day)
        own[bank].enter(amount, to: .all, key: key, day: day)
        if entity.isShared { shared.enter(amount, to: .all, key: key, day: day) }
        lastActive[bank][key] = max(lastActive[bank][key], Int32(day))
        firstSeen[key] = min(firstSeen[key], Int32(day))
    }

    /// Takes one ordinary label in, when it is known.
    ///
    /// - Parameters:
    ///   - isUsual: whether the amount was usual for the payer.
    ///   - isNews: whether no reviewer had said so before.
    mutating func enterLabel(
        key: Int, bank: Int, day: Int, isFraud: Bool, amount: Float, isUsual: Bool, isNews: Bool
    ) {
        enter(.labelled, key: key, bank: bank, day: day)
        guard isFraud else { return }
        enter(.frauds, key: key, bank: bank, day: day)
        if isUsual { enter(.usualFrauds, key: key, bank: bank, day: day) }
        if isNews { enterBad(key: key, bank: bank, day: day, amount: amount) }
    }

    /// Takes one verdict in, at the end of the day of the review.
    mutating func enterVerdict(
        key: Int, bank: Int, day: Int, isFraud: Bool, amount: Float, isUsual: Bool
    ) {
        enter(isFraud ? .confirmed : .cleared, key: key, bank: bank, day: day)
        if isFraud, isUsual { enter(.usualConfirmed, key: key, bank: bank, day: day) }
        if isFraud { enterBad(key: key, bank: bank, day: day, amount: amount) }
    }

    private mutating func enterBad(key: Int, bank: Int, day: Int, amount: Float) {
        enter(.bad, key: key, bank: bank, day: day)
        own[bank].enter(amount, to: .bad, key: key, day: day)
        if entity.isShared { shared.enter(amount, to: .bad, key: key, day: day) }
    }

    private mutating func enter(_ fact: DailyFacts.Fact, key: Int, bank: Int, day: Int) {
        own[bank].enter(fact, key: key, day: day)
        if entity.isShared { shared.enter(fact, key: key, day: day) }
    }

    /// Banks that had rows with a key in the 30 days before a day.
    func activeBanks(key: Int, before day: Int) -> Int {
        lastActive.reduce(0) { $0 + (Int($1[key]) >= day - Self.activityDays ? 1 : 0) }
    }

    // MARK: - Indicators

    /// What the indicators are, in the order of ``append(bank:key:amount:on:to:)``.
    var features: [TreeFeature] {
        get throws(LearningError) {
            var features: [TreeFeature] = []
            func add(_ name: String, _ kind: TreeFeature.Kind, _ max: Double) throws(LearningError)
            {
                features.append(
                    try TreeFeature(
                        name: "\(entity.name)_\(name)", kind: kind, range: 0...max,
                        allowsMissing: false))
            }
            if hasLabels {
                for window in Self.labelWindows {
                    try add("labelled\(window)", .integer, 2_000)
                    try add("risk\(window)", .continuous, 1)
                }
            }
            if hasVerdicts {
                for window in Self.verdictWindows {
                    try add("confirmed\(window)", .integer, 500)
                    try add("cleared\(window)", .integer, 500)
                }
                try add("days_since_confirmed", .integer, Double(Self.ageMax))
                try add("days_since_first_confirmed", .integer, Double(Self.ageMax))
                try add("cleared_since_confirmed", .integer, 100)
            }
            if hasHistory {
                for window in Self.historyWindows {
                    try add("known_frauds\(window)", .integer, 500)
                    try add("known_genuine\(window)", .integer, 500)
                }
                try add("days_since_fraud", .integer, Double(Self.historyDays + 1))
                try add("days_since_first_fraud", .integer, Double(Self.historyDays + 1))
                try add("genuine_since_fraud", .integer, 500)
                for window in Self.kindWindows {
                    try add("\(kind)_frauds\(window)", .integer, 500)
                }
                try add("days_since_\(kind)", .integer, Double(Self.historyDays + 1))
                try add("days_since_first_\(kind)", .integer, Double(Self.historyDays + 1))
            }
            if hasAmounts {
                try add("amount_over_clean_mean", .continuous, 1_000)
                try add("amount_over_fraud_mean", .continuous, 1_000)
                try add("fraud_over_clean_mean", .continuous, 1_000)
            }
            if hasFraudAmounts { try add("fraud_mean", .continuous, 100_000) }
            if hasActivity {
                for window in Self.activityWindows { try add("rows\(window)", .integer, 2_000) }
                try add("banks", .integer, 100)
                try add("age", .integer, Double(Self.ageMax))
                try add("amount_over_mean", .continuous, 1_000)
            }
            return features
        }
    }

    private var hasLabels: Bool { variant.sharesIndicators && entity.isShared }
    private var hasHistory: Bool {
        variant.readsOwnLabels || variant.usesVerdicts && variant.readsHistory
    }
    /// Frauds of usual amounts speak against where they were paid, others against the payer.
    private var kind: String { entity.isShared ? "usual" : "unusual" }
    private var hasVerdicts: Bool { variant.usesVerdicts && !variant.readsHistory }
    private var hasAmounts: Bool {
        (variant.usesVerdicts || variant.readsOwnLabels) && !entity.isShared
    }
    private var hasFraudAmounts: Bool { hasHistory && entity.isShared }
    private var hasActivity: Bool { variant.sharesActivity && entity.isShared }

    /// Appends the indicators of a row as they are known on the morning of a day.
    func append(bank: Int, key: Int32, amount: Float, on day: Int, to row: inout [Float]) {
        guard key >= 0 else { return appendNothing(to: &row) }
        let key = Int(key)
        let isOpen =
            entity.isShared && activeBanks(key: key, before: day) >= contributorsMin
        if hasLabels {
            appendLabels(isOpen ? shared : own[bank], key, day, &row)
        }
        if hasVerdicts {
            appendVerdicts(variant.sharesVerdicts && isOpen ? shared : own[bank], key, day, &row)
        }
        if hasHistory {
            let facts = variant.sharesVerdicts && isOpen ? shared : own[bank]
            appendHistory(facts, key, day, &row)
            appendKinds(facts, key, day, &row)
        }
        if hasAmounts { appendAmounts(own[bank], key, amount, day, &row) }
        if hasFraudAmounts {
            appendFraudAmounts(
                variant.sharesVerdicts && isOpen ? shared : own[bank], key, day, &row)
        }
        if hasActivity { appendActivity(bank, key, amount, day, isOpen, &row) }
    }

    private func appendNothing(to row: inout [Float]) {
        if hasLabels { row += [Float](repeating: 0, count: 2 * Self.labelWindows.count) }
        if hasVerdicts {
            row += [Float](repeating: 0, count: 2 * Self.verdictWindows.count)
            row += [Float(Self.ageMax), Float(Self.ageMax), 0]
        }
        if hasHistory {
            row += [Float](repeating: 0, count: 2 * Self.historyWindows.count)
            row += [Float(Self.historyDays + 1), Float(Self.historyDays + 1), 0]
            row += [Float](repeating: 0, count: Self.kindWindows.count)
            row += [Float(Self.historyDays + 1), Float(Self.historyDays + 1)]
        }
        if hasAmounts { row += [0, 0, 0] }
        if hasFraudAmounts { row.append(0) }
        if hasActivity {
            row += [Float](repeating: 0, count: Self.activityWindows.count)
            row += [0, Float(Self.ageMax), 0]
        }
    }

    private func appendLabels(
        _ facts: DailyFacts, _ key: Int, _ day: Int, _ row: inout [Float]
    ) {
        // The last day is partly known: as far as the delay is over.
        let end = day - labelDelayDays + 1
        for window in Self.labelWindows {
            let days = (end - window - 1)..<end
            let labelled = facts.sum(.labelled, key: key, days: days)
            let frauds = facts.sum(.frauds, key: key, days: days)
            row.append(Float(labelled))
            row.append(labelled == 0 ? 0 : Float(frauds) / Float(labelled))
        }
    }

    private func appendVerdicts(
        _ facts: DailyFacts, _ key: Int, _ day: Int, _ row: inout [Float]
    ) {
        for window in Self.verdictWindows {
            row.append(Float(facts.sum(.confirmed, key: key, days: (day - window)..<day)))
            row.append(Float(facts.sum(.cleared, key: key, days: (day - window)..<day)))
        }
        var sinceLast = Self.ageMax
        var sinceFirst = Self.ageMax
        var clearedSince = 0
        for age in 1..<Self.ageMax {
            if facts.count(.confirmed, key: key, day: day - age) > 0 {
                sinceLast = min(sinceLast, age)
                sinceFirst = age
            } else if sinceLast == Self.ageMax {
                clearedSince += facts.count(.cleared, key: key, day: day - age)
            }
        }
        row.append(Float(sinceLast))
        row.append(Float(sinceFirst))
        row.append(Float(sinceLast == Self.ageMax ? 0 : clearedSince))
    }

    /// Labels where they are known, verdicts where they are not, day by day of the payments.
    private func appendHistory(
        _ facts: DailyFacts, _ key: Int, _ day: Int, _ row: inout [Float]
    ) {
        var frauds = [Int](repeating: 0, count: Self.historyWindows.count)
        var genuine = frauds
        var sinceLast = Self.historyDays + 1
        var sinceFirst = Self.historyDays + 1
        var genuineSince = 0
        for age in 1...Self.historyDays {
            var bad = 0
            var good = 0
            if age > labelDelayDays {
                bad = facts.count(.frauds, key: key, day: day - age)
                good = facts.count(.labelled, key: key, day: day - age) - bad
            } else {
                if age == labelDelayDays { bad = facts.count(.frauds, key: key, day: day - age) }
                bad = max(bad, facts.count(.confirmed, key: key, day: day - age))
                good = facts.count(.cleared, key: key, day: day - age)
            }
            for (place, window) in Self.historyWindows.enumerated() where age <= window {
                frauds[place] += bad
                genuine[place] += good
            }
            if bad > 0 {
                sinceLast = min(sinceLast, age)
                sinceFirst = age
            } else if sinceLast > Self.historyDays {
                genuineSince += good
            }
        }
        for place in frauds.indices {
            row.append(Float(frauds[place]))
            row.append(Float(genuine[place]))
        }
        row.append(Float(sinceLast))
        row.append(Float(sinceFirst))
        row.append(Float(sinceLast > Self.historyDays ? 0 : genuineSince))
    }

    /// Known frauds of one kind: at shared parties those of usual amounts, at others the rest.
    private func appendKinds(_ facts: DailyFacts, _ key: Int, _ day: Int, _ row: inout [Float]) {
        var frauds = [Int](repeating: 0, count: Self.kindWindows.count)
        var sinceLast = Self.historyDays + 1
        var sinceFirst = Self.historyDays + 1
        for age in 1...Self.historyDays {
            let bad = kindCount(facts, key, day, age)
            guard bad > 0 else { continue }
            for (place, window) in Self.kindWindows.enumerated() where age <= window {
                frauds[place] += bad
            }
            sinceLast = min(sinceLast, age)
            sinceFirst = age
        }
        row += frauds.map(Float.init)
        row.append(Float(sinceLast))
        row.append(Float(sinceFirst))
    }

    private func kindCount(_ facts: DailyFacts, _ key: Int, _ day: Int, _ age: Int) -> Int {
        func count(_ all: DailyFacts.Fact, _ usual: DailyFacts.Fact) -> Int {
            let frauds = facts.count(usual, key: key, day: day - age)
            return entity.isShared ? frauds : facts.count(all, key: key, day: day - age) - frauds
        }
        if age > labelDelayDays { return count(.frauds, .usualFrauds) }
        let reviewed = count(.confirmed, .usualConfirmed)
        guard age == labelDelayDays else { return reviewed }
        return max(reviewed, count(.frauds, .usualFrauds))
    }

    /// Whether an amount is usual for a party of a bank's own, by its payments of 28 days, known
    /// frauds taken out; without such payments it is not.
    func isUsual(_ amount: Float, key: Int, bank: Int, on day: Int) -> Bool {
        let facts = own[bank]
        let days = (day - 28)..<day
        let clean =
            facts.sum(.rows, key: key, days: days) - facts.sum(.bad, key: key, days: days)
        let cleanAmount =
            facts.amount(.all, key: key, days: days) - facts.amount(.bad, key: key, days: days)
        guard clean > 0, cleanAmount > 0 else { return false }
        return amount * Float(clean) <= usualAmountMax * cleanAmount
    }

    /// The amount against the party's other payments of 28 days, known frauds taken out, and
    /// against those frauds.
    private func appendAmounts(
        _ facts: DailyFacts, _ key: Int, _ amount: Float, _ day: Int, _ row: inout [Float]
    ) {
        let days = (day - 28)..<day
        let bad = facts.sum(.bad, key: key, days: days)
        let badAmount = facts.amount(.bad, key: key, days: days)
        let clean = facts.sum(.rows, key: key, days: days) - bad
        let cleanAmount = facts.amount(.all, key: key, days: days) - badAmount
        row.append(clean > 0 && cleanAmount > 0 ? amount * Float(clean) / cleanAmount : 0)
        row.append(bad > 0 && badAmount > 0 ? amount * Float(bad) / badAmount : 0)
        let isBoth = clean > 0 && cleanAmount > 0 && bad > 0
        row.append(isBoth ? badAmount * Float(clean) / (Float(bad) * cleanAmount) : 0)
    }

    /// The mean amount of the frauds of 28 days that are known, by a verdict or by a label: large
    /// ones speak against the payer, ordinary ones against the party where they were paid.
    private func appendFraudAmounts(
        _ facts: DailyFacts, _ key: Int, _ day: Int, _ row: inout [Float]
    ) {
        let days = (day - 28)..<day
        let bad = facts.sum(.bad, key: key, days: days)
        row.append(bad > 0 ? facts.amount(.bad, key: key, days: days) / Float(bad) : 0)
    }

    private func appendActivity(
        _ bank: Int, _ key: Int, _ amount: Float, _ day: Int, _ isOpen: Bool, _ row: inout [Float]
    ) {
        let facts = isOpen ? shared : own[bank]
        for window in Self.activityWindows {
            row.append(Float(facts.sum(.rows, key: key, days: (day - window)..<day)))
        }
        row.append(isOpen ? Float(activeBanks(key: key, before: day)) : 0)
        row.append(isOpen ? Float(min(Self.ageMax, day - Int(firstSeen[key]))) : 0)
        let month = (day - Self.activityDays)..<day
        let rows = isOpen ? shared.sum(.rows, key: key, days: month) : 0
        let mean = rows == 0 ? 0 : shared.amount(.all, key: key, days: month) / Float(rows)
        row.append(mean > 0 ? amount / mean : 0)
    }
}
