/// The six kinds of fraud, laid over the ordinary payments.
///
/// Each kind is repeated until it has its share of rows. Banks are chosen by
/// `SyntheticBank.targetWeight`, so a small bank may meet a kind late or never.
struct FraudCampaigns {
    /// Frauds of each kind as a share of the ordinary payments.
    private static let shares: [(kind: FraudKind, share: Double)] = [
        (.compromisedTerminal, 0.0018),
        (.stolenCard, 0.0024),
        (.accountTakeover, 0.0013),
        (.mulePayee, 0.0012),
        (.testCharge, 0.0012),
        (.socialEngineering, 0.0011),
    ]
    /// Campaigns begin up to this long before the first day: those that last for weeks are then as
    /// common in the first week as in the last.
    private static let leadDays = 35

    let banks: [SyntheticBank]
    let population: Population
    let seed: UInt64

    /// Enters all frauds.
    func strike(_ ledger: inout PaymentLedger) {
        let ordinary = ledger.payments.count
        var untouched = Dictionary(grouping: 0..<ordinary) { ledger.payments[$0].terminal }
        for (kind, share) in Self.shares {
            var random = SeededGenerator(seed: seed, stream: 3, index: UInt64(kind.rawValue))
            let target = max(1, Int((Double(ordinary) * share).rounded()))
            let offset = random.uniform()
            var committed = 0
            var attempts = 0
            while committed < target, attempts < 20 * target + 200 {
                attempts += 1
                let day = Self.day(of: attempts, offset: offset)
                let before = ledger.payments.count
                switch kind {
                case .none: break
                case .compromisedTerminal:
                    committed += skim(from: day, &untouched, &random, &ledger)
                case .stolenCard: spendStolenCard(on: day, &random, &ledger)
                case .accountTakeover: takeOver(on: day, &random, &ledger)
                case .mulePayee: fanIn(from: day, &random, &ledger)
                case .testCharge: testCards(from: day, &random, &ledger)
                case .socialEngineering: persuade(on: day, &random, &ledger)
                }
                committed += ledger.payments.count - before
            }
        }
    }

    /// Days of successive campaigns, spread evenly by the golden ratio, so that no part of the time
    /// is spared by chance.
    private static func day(of campaign: Int, offset: Double) -> Int {
        let turns = offset + Double(campaign) * 0.618_033_988_749_894_8
        let fraction = turns - turns.rounded(.down)
        return Int(fraction * Double(SyntheticCalendar.days + leadDays)) - leadDays
    }

    private func victim(
        of kind: FraudKind, on day: Int, _ random: inout SeededGenerator
    ) -> Account {
        let bank = random.weighted(banks.map { $0.targetWeight(of: kind, day: day) })
        let range = population.accountRanges[bank]
        return population.accounts[range.lowerBound + random.below(range.count)]
    }

    /// Two of three card payments at one terminal, for some four to six weeks.
    ///
    /// - Parameter untouched: Payments by terminal; a terminal is compromised once at most.
    /// - Returns: Payments turned into frauds.
    private func skim(
        from day: Int, _ untouched: inout [Int: [Int]], _ random: inout SeededGenerator,
        _ ledger: inout PaymentLedger
    ) -> Int {
        let region = population.terminalsOfRegion[random.popular(Population.regionCount)]
        let terminal = region[random.below(region.count)]
        let days = day..<(day + random.integer(25, 45))
        var count = 0
        for index in untouched.removeValue(forKey: terminal) ?? [] {
            guard days.contains(ledger.payments[index].day) else { continue }
            guard random.chance(0.67) else { continue }
            let factor = PortableMath.exp(0.5 + 0.35 * random.normal())
            ledger.falsify(index, amountFactor: factor, kind: .compromisedTerminal)
            count += 1
        }
        return count
    }

    private func spendStolenCard(
        on day: Int, _ random: inout SeededGenerator, _ ledger: inout PaymentLedger
    ) {
        let account = victim(of: .stolenCard, on: day, &random)
        let greed = random.chance(0.25) ? 0.4 : 1.7  // a quarter of the thieves keep low
        let region =
            random.chance(0.7) ? random.below(Population.regionCount) : account.homeRegion
        let device = random.chance(0.4) ? ledger.freshDevice() : -1
        var time = day * SyntheticCalendar.secondsPerDay + random.below(86_400)
        for _ in 0..<random.integer(4, 8) {
            let online = random.chance(0.4)
            let shops =
                online ? population.onlineMerchants : population.terminalsOfRegion[region]
            let amount = PortableMath.exp(account.level + greed + 0.5 * random.normal())
            ledger.enter(
                account, at: time, online ? .online : .terminal,
                terminal: shops[random.popular(shops.count)], amount: amount,
                device: online ? device : -1, region: region, kind: .stolenCard)
            time += 120 + Int(1_200 * random.exponential())
        }
    }

    private func takeOver(
        on day: Int, _ random: inout SeededGenerator, _ ledger: inout PaymentLedger
    ) {
        let account = victim(of: .accountTakeover, on: day, &random)
        let device = random.chance(0.75) ? ledger.freshDevice() : account.number
        let payee = ledger.freshPayee()
        let region =
            random.chance(0.4) ? random.below(Population.regionCount) : account.homeRegion
        let hour = random.chance(0.65) ? random.below(6) : random.integer(6, 23)
        var time = day * SyntheticCalendar.secondsPerDay + hour * 3_600 + random.below(3_600)
        for _ in 0..<random.integer(1, 3) {
            let level = account.level + OrdinaryLife.channelLevels[Channel.transfer.rawValue]
            ledger.enter(
                account, at: time, .transfer, payee: payee,
                amount: PortableMath.exp(level + 0.9 + 0.5 * random.normal()), device: device,
                region: region, kind: .accountTakeover)
            time += 60 + Int(900 * random.exponential())
        }
    }

    private func fanIn(
        from day: Int, _ random: inout SeededGenerator, _ ledger: inout PaymentLedger
    ) {
        let payee = ledger.freshPayee()
        let span = random.integer(2, 5)
        let price = random.uniform(15_000, 90_000)
        for _ in 0..<random.integer(12, 30) {
            let account = victim(of: .mulePayee, on: day, &random)
            ledger.enter(
                account,
                at: OrdinaryLife.time(on: day + random.below(span), of: account, &random),
                .transfer, payee: payee, amount: price * random.uniform(0.6, 1.4),
                device: account.number, region: account.homeRegion, kind: .mulePayee)
        }
    }

    private func testCards(
        from day: Int, _ random: inout SeededGenerator, _ ledger: inout PaymentLedger
    ) {
        let merchants = population.onlineMerchants
        let merchant = merchants[random.below(merchants.count)]
        let span = random.integer(5, 12)
        for _ in 0..<random.integer(8, 16) {
            let account = victim(of: .testCharge, on: day, &random)
            for _ in 0..<random.integer(1, 2) {
                let chargeDay = day + random.below(span)
                ledger.enter(
                    account,
                    at: chargeDay * SyntheticCalendar.secondsPerDay + random.below(86_400),
                    .online, terminal: merchant, amount: random.uniform(35, 420),
                    device: random.chance(0.3) ? ledger.freshDevice() : -1,
                    region: random.chance(0.3)
                        ? random.below(Population.regionCount) : account.homeRegion,
                    kind: .testCharge)
            }
        }
    }

    private func persuade(
        on day: Int, _ random: inout SeededGenerator, _ ledger: inout PaymentLedger
    ) {
        var account = victim(of: .socialEngineering, on: day, &random)
        if !account.isSenior { account = victim(of: .socialEngineering, on: day, &random) }
        let payee = ledger.freshPayee()
        let level = account.level + OrdinaryLife.channelLevels[Channel.transfer.rawValue]
        var time =
            day * SyntheticCalendar.secondsPerDay + random.integer(8, 18) * 3_600
            + random.below(3_600)
        for _ in 0..<random.integer(1, 2) {
            ledger.enter(
                account, at: time, .transfer, payee: payee,
                amount: PortableMath.exp(level + 1.6 + 0.45 * random.normal()),
                device: account.number, region: account.homeRegion, kind: .socialEngineering)
            time += 600 + Int(7_200 * random.exponential())
        }
    }
}
