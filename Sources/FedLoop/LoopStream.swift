public import FedCore

/// What happened at all banks: features as each computed them alone, keys of indicators, the truth.
public struct LoopStream: Sendable {
    /// A kind of party that indicators are kept of, such as terminals.
    public struct Entity: Equatable, Sendable {
        /// The name, used in names of indicators.
        public let name: String
        /// Keys in all, numbered from 0 over all banks.
        public let keyCount: Int
        /// Whether banks meet the same parties, so that sums over banks say something.
        public let isShared: Bool

        /// Wraps the members.
        public init(name: String, keyCount: Int, isShared: Bool) {
            self.name = name
            self.keyCount = keyCount
            self.isShared = isShared
        }
    }

    /// One bank's rows, in the order of time.
    public struct Bank: Sendable {
        /// The key of a row without such a party.
        public static let noKey: Int32 = -1

        /// The bank's name.
        public let name: String
        /// Days since the first, rising, one a row.
        public let days: [Int32]
        /// The hour of the day, 0 to 23, one a row.
        public let hours: [UInt8]
        /// The bank's own features, feature by feature.
        ///
        /// They must not use labels younger than the label delay.
        public let columns: [[Double]]
        /// Keys, entity by entity; ``noKey`` for none.
        public let keys: [[Int32]]
        /// Amounts of money, one a row.
        public let amounts: [Float]
        /// The truth: 1 for a fraud, else 0; one a row.
        public let labels: [UInt8]

        /// Wraps the members; ``LoopStream`` checks them.
        public init(
            name: String, days: [Int32], hours: [UInt8], columns: [[Double]], keys: [[Int32]],
            amounts: [Float], labels: [UInt8]
        ) {
            self.name = name
            self.days = days
            self.hours = hours
            self.columns = columns
            self.keys = keys
            self.amounts = amounts
            self.labels = labels
        }
    }

    /// The banks' own features.
    public let features: [TreeFeature]
    /// What indicators are kept of.
    public let entities: [Entity]
    /// The banks.
    public let banks: [Bank]

    /// Checks and wraps a stream.
    ///
    /// - Throws: ``LoopError/stream(bank:reason:)``.
    public init(
        features: [TreeFeature], entities: [Entity], banks: [Bank]
    ) throws(LoopError) {
        self.features = features
        self.entities = entities
        self.banks = banks
        guard !banks.isEmpty else { throw .stream(bank: "", reason: "no banks") }
        for bank in banks {
            let rows = bank.labels.count
            guard bank.columns.count == features.count, bank.keys.count == entities.count else {
                throw .stream(
                    bank: bank.name,
                    reason: "\(bank.columns.count) columns and \(bank.keys.count) kinds of keys, "
                        + "expected \(features.count) and \(entities.count)")
            }
            let lengths =
                [bank.days.count, bank.hours.count, bank.amounts.count] + bank.columns.map(\.count)
                + bank.keys.map(\.count)
            guard lengths.allSatisfy({ $0 == rows }) else {
                throw .stream(bank: bank.name, reason: "columns of unlike lengths")
            }
            let hours = zip(bank.days, bank.hours).map { Int($0) * 24 + Int($1) }
            guard bank.days.allSatisfy({ $0 >= 0 }), bank.hours.allSatisfy({ $0 < 24 }),
                zip(hours, hours.dropFirst()).allSatisfy(<=)
            else {
                throw .stream(bank: bank.name, reason: "rows are not in the order of time")
            }
            guard bank.labels.allSatisfy({ $0 <= 1 }) else {
                throw .stream(bank: bank.name, reason: "a label is neither 0 nor 1")
            }
            for (entity, keys) in zip(entities, bank.keys) {
                let bounds = LoopStream.Bank.noKey..<Int32(clamping: entity.keyCount)
                guard keys.allSatisfy(bounds.contains) else {
                    throw .stream(bank: bank.name, reason: "an unknown \(entity.name)")
                }
            }
        }
    }

    /// The days that have rows: from the first to behind the last.
    public var days: Range<Int> {
        let first = banks.compactMap(\.days.first).min() ?? 0
        let last = banks.compactMap(\.days.last).max() ?? -1
        return Int(first)..<(Int(last) + 1)
    }
}

/// Where the rows of each day are.
struct DayIndex {
    /// The first row of each day, and one more.
    private let starts: [Int]

    init(days: [Int32], end: Int) {
        var starts = [Int](repeating: 0, count: end + 2)
        for day in days where Int(day) <= end { starts[Int(day) + 1] += 1 }
        for day in 1..<starts.count { starts[day] += starts[day - 1] }
        self.starts = starts
    }

    /// The rows of some days; days behind the end have none.
    func rows(_ days: Range<Int>) -> Range<Int> {
        let limit = starts.count - 1
        return starts[
            min(max(days.lowerBound, 0), limit)]..<starts[min(max(days.upperBound, 0), limit)]
    }
}
