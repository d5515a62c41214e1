/// What one variant of the loop caught.
public struct LoopOutcome: Equatable, Sendable {
    /// One bank's day.
    public struct BankDay: Equatable, Sendable {
        /// Rows of the day.
        public var rows = 0
        /// Frauds among them.
        public var frauds = 0
        /// Rows reviewed.
        public var reviewed = 0
        /// Frauds within each of ``LoopPlan/reportShares``.
        public var caught: [Int] = []
        /// The amount of the frauds among the reviewed rows.
        public var amountCaught = 0.0
    }

    /// The reviewed rows of one bank's day, most suspicious first, explored ones last.
    package struct List: Equatable, Sendable {
        package let day: Int
        package let bank: Int
        /// Positions in the bank's rows.
        package let rows: [Int]
    }

    /// The variant.
    public let variant: LoopVariant
    /// Days measured, day by day from ``LoopPlan/measuredFrom``, bank by bank of the stream.
    public internal(set) var days: [[BankDay]] = []
    /// All lists, the warm-up's too.
    package internal(set) var lists: [List] = []
    /// Total gain of the splits on each feature of the last model: the federated one where there
    /// is one, else the first bank's.
    public internal(set) var featureGains: [String: Double] = [:]

    init(variant: LoopVariant) { self.variant = variant }

    /// Frauds caught by some banks on some days.
    ///
    /// - Parameters:
    ///   - share: an index into ``LoopPlan/reportShares``.
    ///   - banks: positions in the stream; all when `nil`.
    ///   - days: days from ``LoopPlan/measuredFrom``; all when `nil`.
    public func caught(share: Int, banks: [Int]? = nil, days: Range<Int>? = nil) -> Int {
        sum(banks: banks, days: days) { $0.caught[share] }
    }

    /// The sum of a count over some banks on some days; all when `nil`.
    public func sum(
        banks: [Int]? = nil, days: Range<Int>? = nil, _ count: (BankDay) -> Int
    ) -> Int {
        var sum = 0
        for day in self.days[days ?? 0..<self.days.count] {
            for bank in banks ?? Array(day.indices) { sum += count(day[bank]) }
        }
        return sum
    }
}
