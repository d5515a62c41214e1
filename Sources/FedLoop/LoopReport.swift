public import FedCore

/// What each variant of the loop caught on the same days, and its gain over the bank alone.
public struct LoopReport: Sendable {
    /// The member `format` of the document.
    public static let format = "fed-loop-report/1"
    /// Draws of the bootstrap.
    static let draws = 2_000

    /// A gain over the reference: caught / caught by the reference - 1.
    public struct Gain: Equatable, Sendable {
        /// The gain on all measured days.
        public let value: Double
        /// The 2.5th percentile of the gain over days drawn with replacement.
        public let low: Double
        /// The 97.5th percentile.
        public let high: Double

        /// Wraps the members.
        public init(value: Double, low: Double, high: Double) {
            self.value = value
            self.low = low
            self.high = high
        }
    }

    /// One variant's result.
    public struct Entry: Sendable {
        /// What it caught.
        public let outcome: LoopOutcome
        /// Wall time of its replay; for the table alone, so that the document of equal replays is
        /// equal to the byte.
        public let seconds: Double

        /// Wraps a result.
        public init(outcome: LoopOutcome, seconds: Double) {
            self.outcome = outcome
            self.seconds = seconds
        }
    }

    /// What was replayed, such as the name of the data.
    public let data: String
    /// The banks' names.
    public let banks: [String]
    /// Positions of the banks that count as small: those with less than 8 % of the rows.
    public let smallBanks: [Int]
    /// The plan.
    public let plan: LoopPlan
    /// The variants, as given.
    public let entries: [Entry]
    /// The place of the variant that gains are measured against.
    public let reference: Int

    /// Wraps results of one stream and plan.
    ///
    /// - Throws: ``LoopError/plan(field:got:expected:)`` when the reference is not among them or
    ///   results do not have the plan's days.
    public init(
        data: String, stream: LoopStream, plan: LoopPlan, entries: [Entry],
        reference: LoopVariant = .local
    ) throws(LoopError) {
        guard let place = entries.firstIndex(where: { $0.outcome.variant == reference }) else {
            throw .plan(field: "variants", got: "none of them", expected: reference.name)
        }
        let days = plan.periodDays * plan.periodCount
        guard entries.allSatisfy({ $0.outcome.days.count == days }) else {
            throw .plan(field: "days", got: "results of other days", expected: "\(days) days")
        }
        self.data = data
        self.plan = plan
        self.entries = entries
        self.reference = place
        banks = stream.banks.map(\.name)
        let rows = stream.banks.map(\.labels.count)
        let all = rows.reduce(0, +)
        smallBanks = rows.indices.filter { rows[$0] * 100 < 8 * all }
    }

    /// The gain of a variant over the reference.
    ///
    /// The interval is a paired bootstrap over days: both catch on the same days, which are drawn
    /// together with replacement from a seeded sequence.
    ///
    /// - Parameters:
    ///   - share: an index into ``LoopPlan/reportShares``.
    ///   - banks: positions of banks; all when `nil`.
    /// - Returns: `nil` when the reference caught nothing.
    public func gain(of entry: Int, share: Int, banks: [Int]? = nil) -> Gain? {
        let dayCount = plan.periodDays * plan.periodCount
        func perDay(_ entry: Int) -> [Int] {
            (0..<dayCount).map {
                entries[entry].outcome.caught(share: share, banks: banks, days: $0..<($0 + 1))
            }
        }
        let own = perDay(entry)
        let base = perDay(reference)
        guard base.contains(where: { $0 > 0 }) else { return nil }
        var random = plan.seed
        var gains: [Double] = []
        for _ in 0..<Self.draws {
            var sums = (own: 0, base: 0)
            for _ in 0..<dayCount {
                let day = Int(Self.next(&random).multipliedFullWidth(by: UInt64(dayCount)).high)
                sums.own += own[day]
                sums.base += base[day]
            }
            if sums.base > 0 { gains.append(Double(sums.own) / Double(sums.base) - 1) }
        }
        gains.sort()
        func percentile(_ share: Double) -> Double {
            gains.isEmpty ? 0 : gains[Int(share * Double(gains.count - 1))]
        }
        let value = Double(own.reduce(0, +)) / Double(base.reduce(0, +)) - 1
        return Gain(value: value, low: percentile(0.025), high: percentile(0.975))
    }

    /// splitmix64 (Steele, Lea, Flood 2014).
    private static func next(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

// MARK: - Document

extension LoopReport {
    /// The report as a document: counts and rates of whole days, nothing about a row.
    public var json: CanonicalJSON {
        .object([
            "format": .string(Self.format),
            "data": .string(data),
            "seed": .integer(Int64(plan.seed & (1 << 53 - 1))),
            "banks": .array(banks.map(CanonicalJSON.string)),
            "small_banks": .array(smallBanks.map { .string(banks[$0]) }),
            "review_share": .number(plan.reviewShare),
            "label_delay_days": .integer(Int64(plan.labelDelayDays)),
            "measured_from_day": .integer(Int64(plan.measuredFrom)),
            "period_days": .integer(Int64(plan.periodDays)),
            "periods": .integer(Int64(plan.periodCount)),
            "reference": .string(entries[reference].outcome.variant.name),
            "variants": .array(entries.indices.map(json)),
        ])
    }

    private func json(of place: Int) -> CanonicalJSON {
        let outcome = entries[place].outcome
        let shares = plan.reportShares.indices.map { share -> CanonicalJSON in
            .object([
                "share": .number(plan.reportShares[share]),
                "caught": .integer(Int64(outcome.caught(share: share))),
                "gain": json(of: gain(of: place, share: share)),
                "small_banks_caught": .integer(
                    Int64(outcome.caught(share: share, banks: smallBanks))),
                "small_banks_gain": json(
                    of: smallBanks.isEmpty
                        ? nil : gain(of: place, share: share, banks: smallBanks)),
            ])
        }
        let amount = outcome.days.joined().reduce(0) { $0 + $1.amountCaught }
        return .object([
            "name": .string(outcome.variant.name),
            "exploration_share": .number(outcome.variant.exploration),
            "rows": .integer(Int64(outcome.sum { $0.rows })),
            "frauds": .integer(Int64(outcome.sum { $0.frauds })),
            "reviewed": .integer(Int64(outcome.sum { $0.reviewed })),
            "amount_caught": .number(amount),
            "shares": .array(shares),
            "periods": .array((0..<plan.periodCount).map { json(of: $0, in: outcome) }),
        ])
    }

    private func json(of gain: Gain?) -> CanonicalJSON {
        guard let gain else { return .null }
        return .object([
            "value": .number(gain.value), "low": .number(gain.low), "high": .number(gain.high),
        ])
    }

    private func json(of period: Int, in outcome: LoopOutcome) -> CanonicalJSON {
        let days = (period * plan.periodDays)..<((period + 1) * plan.periodDays)
        func members(_ banks: [Int]?) -> [String: CanonicalJSON] {
            [
                "rows": .integer(Int64(outcome.sum(banks: banks, days: days) { $0.rows })),
                "frauds": .integer(Int64(outcome.sum(banks: banks, days: days) { $0.frauds })),
                "reviewed": .integer(
                    Int64(outcome.sum(banks: banks, days: days) { $0.reviewed })),
                "caught": .array(
                    plan.reportShares.indices.map {
                        .integer(Int64(outcome.caught(share: $0, banks: banks, days: days)))
                    }),
            ]
        }
        var all = members(nil)
        all["first_day"] = .integer(Int64(plan.measuredFrom + days.lowerBound))
        all["banks"] = .array(
            banks.indices.map { bank in
                var own = members([bank])
                own["bank"] = .string(banks[bank])
                return .object(own)
            })
        return .object(all)
    }
}

// MARK: - Table

extension LoopReport {
    /// The header of ``rows(share:)``.
    public static let header = [
        "variant", "caught", "gain", "95 % interval", "small banks", "gain", "precision", "time",
    ]

    /// One line a variant: caught within a share of each day's rows, and the gain.
    ///
    /// - Parameter share: an index into ``LoopPlan/reportShares``.
    public func rows(share: Int) -> [[String]] {
        entries.indices.map { place in
            let outcome = entries[place].outcome
            let all = gain(of: place, share: share)
            let small =
                smallBanks.isEmpty ? nil : gain(of: place, share: share, banks: smallBanks)
            let reviewed =
                plan.reportShares[share] == plan.reviewShare
                ? outcome.sum { $0.reviewed } : 0
            let caught = outcome.caught(share: share)
            return [
                outcome.variant.name, "\(caught)", Self.percent(all?.value),
                all.map { "\(Self.percent($0.low)) … \(Self.percent($0.high))" } ?? "-",
                "\(outcome.caught(share: share, banks: smallBanks))", Self.percent(small?.value),
                reviewed == 0
                    ? "-" : "\((1_000 * caught / reviewed + 5) / 10) %",
                "\(Int(entries[place].seconds.rounded())) s",
            ]
        }
    }

    /// A signed percentage with two decimals; "-" for `nil`.
    static func percent(_ value: Double?) -> String {
        guard let value, value.isFinite, value.magnitude < 1e6 else { return "-" }
        let hundredths = Int((value.magnitude * 10_000).rounded())
        let fraction = String(hundredths % 100)
        let sign = hundredths == 0 ? "±" : value < 0 ? "-" : "+"
        let zero = fraction.count == 1 ? "0" : ""
        return "\(sign)\(hundredths / 100).\(zero)\(fraction) %"
    }
}
