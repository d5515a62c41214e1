/// Collects payments in any order; gives them out in time order with plain numbers.
struct PaymentLedger {
    private(set) var payments: [SyntheticTransaction] = []
    private var nextPayee: Int
    private var nextDevice: Int

    init(population: Population) {
        nextPayee = population.knownPayeeCount
        nextDevice = population.accounts.count
    }

    /// A payee that nobody has paid before.
    mutating func freshPayee() -> Int {
        defer { nextPayee += 1 }
        return nextPayee
    }

    /// A device that no account has used before.
    ///
    /// An account's first device bears its number.
    mutating func freshDevice() -> Int {
        defer { nextDevice += 1 }
        return nextDevice
    }

    /// Enters a payment; one beyond the last day is left out.
    mutating func enter(
        _ account: Account, at time: Int, _ channel: Channel, terminal: Int = -1, payee: Int = -1,
        amount: Double, device: Int = -1, region: Int, kind: FraudKind = .none
    ) {
        let end = SyntheticCalendar.days * SyntheticCalendar.secondsPerDay
        guard (0..<end).contains(time) else { return }
        payments.append(
            SyntheticTransaction(
                row: payments.count, time: time, bank: account.bank, account: account.number,
                age: account.age, terminal: terminal, payee: payee,
                amount: Self.cents(amount, channel), device: device, channel: channel,
                region: region, homeRegion: account.homeRegion, kind: kind))
    }

    /// Turns an ordinary payment into a fraud with another amount.
    mutating func falsify(_ index: Int, amountFactor: Double, kind: FraudKind) {
        payments[index].kind = kind
        payments[index].amount = Self.cents(
            Double(payments[index].amount) * amountFactor, payments[index].channel)
    }

    private static func cents(_ amount: Double, _ channel: Channel) -> Int {
        let bounded = min(2_000_000, max(30, amount))
        guard channel == .cash else { return Int(bounded.rounded()) }
        return max(1, Int((bounded / 1_000).rounded())) * 1_000  // notes of ten
    }

    /// All payments in time order, no two in one second, payees and devices renumbered in order of
    /// first appearance, so that no number tells where it came from.
    func inTimeOrder() -> [SyntheticTransaction] {
        var sorted = payments.sorted { ($0.time, $0.row) < ($1.time, $1.row) }
        var payees: [Int: Int] = [:]
        var devices: [Int: Int] = [:]
        func number(_ old: Int, _ names: inout [Int: Int]) -> Int {
            guard old >= 0 else { return old }
            if let known = names[old] { return known }
            names[old] = names.count
            return names.count - 1
        }
        var previous = -1
        for index in sorted.indices {
            sorted[index].row = index
            sorted[index].time = max(sorted[index].time, previous + 1)
            previous = sorted[index].time
            sorted[index].payee = number(sorted[index].payee, &payees)
            sorted[index].device = number(sorted[index].device, &devices)
        }
        return sorted
    }
}
