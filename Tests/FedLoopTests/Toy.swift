import FedCore
import FedLoop

/// A small consortium with bad terminals, made from a seed.
enum Toy {
    static let days = 70
    static let terminals = 40

    struct Row {
        var time: Int64
        var terminal: Int64
        var customer: Int64
        var amount: Double
        var isFraud: Bool
    }

    /// splitmix64.
    struct Generator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
        mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    }

    /// Rows bank by bank: a tenth of the terminals are bad for ten days each.
    static func rows(seed: UInt64, banks: Int = 4) -> [[Row]] {
        var random = Generator(state: seed)
        return (0..<banks).map { bank in
            var rows: [Row] = []
            for day in 0..<days {
                for place in 0..<60 {
                    let terminal = random.below(terminals)
                    let isBad = (day / 10 + terminal) % 10 == 0 && random.below(10) < 9
                    let isLarge = random.below(100) == 0
                    rows.append(
                        Row(
                            time: Int64(day * 86_400 + place * 1_440),
                            terminal: Int64(terminal),
                            customer: Int64(100 * bank + random.below(30)),
                            amount: Double(random.below(9_000)) / 100 + (isLarge ? 150 : 0),
                            isFraud: isBad || isLarge))
                }
            }
            return rows
        }
    }

    /// The stream with the amount as the only feature of the banks.
    static func stream(_ rows: [[Row]]) throws -> LoopStream {
        var builder = LoopStreamBuilder(
            features: [
                try TreeFeature(
                    name: "amount", kind: .continuous, range: 0...1_000, allowsMissing: false)
            ], entities: [("terminal", true), ("customer", false)])
        for (number, bank) in rows.enumerated() {
            builder.beginBank("B\(number)")
            for row in bank {
                builder.append(
                    time: row.time, features: [row.amount],
                    keys: [EntityKey(row.terminal), EntityKey(row.customer)], amount: row.amount,
                    isFraud: row.isFraud)
            }
        }
        return try builder.finish()
    }

    static var plan: LoopPlan {
        var plan = LoopPlan(
            firstDay: 24, warmUpTrainings: [24], measuredFrom: 34, periodDays: 6, periodCount: 6)
        plan.reviewShare = 0.1
        plan.reportShares = [0.05, 0.1]
        plan.trainingDays = 24
        plan.boosting = [.treesMax: 8, .depthMax: 3, .binsMax: 32]
        return plan
    }
}
