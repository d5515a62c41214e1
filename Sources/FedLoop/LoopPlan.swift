public import FedCore

/// When the loop trains and lists, and with what.
public struct LoopPlan: Equatable, Sendable {
    /// The fewest measured periods.
    public static let periodCountMin = 6

    /// The first day on which rows are scored and reviewed.
    public var firstDay: Int
    /// Days of trainings before the measured periods, the first of them ``firstDay``.
    public var warmUpTrainings: [Int]
    /// The first measured day; models are trained that morning.
    public var measuredFrom: Int
    /// Days of a period; models are trained on the morning of its first.
    public var periodDays: Int
    /// Measured periods.
    public var periodCount: Int
    /// Days that a training looks back.
    public var trainingDays = 60
    /// Days back whose rows, as they were scored then, the combination is fitted on.
    public var combinationDays = 21
    /// Days after which the truth about any row is known.
    public var labelDelayDays = 7
    /// How often a day sums over banks are made anew: 1, 2, 3, 4, 6, 8, 12 or 24.
    public var refreshesPerDay = 24
    /// Share of a day's rows that each bank reviews; at least one row.
    public var reviewShare = 0.01
    /// Shares of a day's rows at which catches are counted.
    public var reportShares: [Double] = [0.005, 0.01]
    /// Share of the normal rows that is trained on.
    public var normalShare = 1.0
    /// Banks that must have had rows with a key in the last 30 days for its sums to be shared.
    public var contributorsMin = 3
    /// Amounts up to this multiple of the payer's mean count as usual: frauds of usual amounts are
    /// counted by themselves where banks share parties, the others where parties are a bank's own.
    public var usualAmountMax = 2.5
    /// Hyper-parameters of all models.
    public var boosting: [BoostingParameter: Double] = [.treesMax: 100]
    /// The seed of samples.
    public var seed: UInt64 = 0
    /// Threads of one training; results do not depend on them.
    public var threads = 1

    /// Wraps the days; the other members have defaults.
    public init(
        firstDay: Int, warmUpTrainings: [Int], measuredFrom: Int, periodDays: Int,
        periodCount: Int
    ) {
        self.firstDay = firstDay
        self.warmUpTrainings = warmUpTrainings
        self.measuredFrom = measuredFrom
        self.periodDays = periodDays
        self.periodCount = periodCount
    }

    /// The day behind the last measured one.
    public var endDay: Int { measuredFrom + periodDays * periodCount }

    /// The measured period of a day, `nil` in the warm-up.
    func period(of day: Int) -> Int? {
        day < measuredFrom ? nil : (day - measuredFrom) / periodDays
    }

    /// Whether models are trained on the morning of a day.
    func trains(on day: Int, variant: LoopVariant) -> Bool {
        if warmUpTrainings.contains(day) || day == measuredFrom { return true }
        guard day > measuredFrom, variant.retrains else { return false }
        return (day - measuredFrom).isMultiple(of: periodDays)
    }

    /// Checks the plan against the days that there are.
    ///
    /// - Throws: ``LoopError/plan(field:got:expected:)``.
    func check(days: Range<Int>) throws(LoopError) {
        func require(
            _ holds: Bool, _ field: String, _ got: some Any, _ expected: String
        ) throws(LoopError) {
            guard holds else { throw .plan(field: field, got: "\(got)", expected: expected) }
        }
        try require(periodDays >= 1, "period", periodDays, "at least one day")
        try require(
            periodCount >= Self.periodCountMin, "periods", periodCount,
            "at least \(Self.periodCountMin)")
        try require(
            days.lowerBound <= firstDay && firstDay <= measuredFrom, "first day", firstDay,
            "from \(days.lowerBound) to \(measuredFrom)")
        try require(
            endDay <= days.upperBound, "end of the last period", endDay,
            "at most \(days.upperBound)")
        try require(
            warmUpTrainings.first == firstDay && warmUpTrainings.allSatisfy { $0 <= measuredFrom },
            "warm-up trainings", warmUpTrainings, "the first day, and none when it is over")
        try require(
            (1...14).contains(labelDelayDays), "label delay", labelDelayDays, "1 to 14 days")
        try require(trainingDays > labelDelayDays, "training days", trainingDays, "above the delay")
        for share in reportShares + [reviewShare] {
            try require(share > 0 && share <= 1, "review share", share, "above 0, at most 1")
        }
        try require(normalShare > 0 && normalShare <= 1, "normal share", normalShare, "0 to 1")
        try require(
            refreshesPerDay >= 1 && refreshesPerDay <= 24 && 24.isMultiple(of: refreshesPerDay),
            "refreshes", refreshesPerDay, "a divisor of 24")
        try require(usualAmountMax > 0, "usual amount", usualAmountMax, "above 0")
        try require(contributorsMin >= 1, "contributors", contributorsMin, "at least 1")
    }
}
