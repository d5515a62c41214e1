/// What customers do of their own will, the look-alikes of fraud among it: travel, a new phone, a
/// big purchase, a first payment to somebody, a sale, a collection among friends.
struct OrdinaryLife {
    private static let travelTripsPerAccount = 0.9
    private static let bigPurchaseChance = 0.008
    private static let smallChargeChance = 0.05
    private static let newPayeeChance = 0.05
    private static let saleDays = [25, 53, 88, 123, 140]
    /// Added to the logarithm of an amount, by `Channel.rawValue`.
    static let channelLevels = [0, 0.2, 1.2, 0.9]
    static let amountSpread = 0.65

    let population: Population
    let seed: UInt64

    private struct Trip {
        let days: Range<Int>
        let region: Int
    }

    /// Enters the whole time of one account.
    func live(_ account: Account, into ledger: inout PaymentLedger) {
        var random = SeededGenerator(seed: seed, stream: 2, index: UInt64(account.number))
        let trips = (0..<random.poisson(Self.travelTripsPerAccount)).map { _ in
            let first = random.below(SyntheticCalendar.days)
            return Trip(
                days: first..<(first + random.integer(3, 12)),
                region: random.below(Population.regionCount))
        }
        let newPhoneDay = random.chance(0.4) ? random.below(SyntheticCalendar.days) : nil
        var device = account.number
        var payees = account.payees
        for day in 0..<SyntheticCalendar.days {
            if day == newPhoneDay { device = ledger.freshDevice() }
            let trip = trips.first { $0.days.contains(day) }
            let weekend = day % 7 >= 5
            let mood = (weekend ? 1.2 : 0.92) * (trip == nil ? 1 : 1.5)
            for _ in 0..<random.poisson(account.activity * mood) {
                pay(
                    account, on: day, trip: trip, device: device, payees: &payees, &random,
                    &ledger)
            }
            if Self.saleDays.contains(day), random.chance(account.channelWeights[1]) {
                buyInSale(account, on: day, device: device, &random, &ledger)
            }
        }
    }

    private func pay(
        _ account: Account, on day: Int, trip: Trip?, device: Int, payees: inout [Int],
        _ random: inout SeededGenerator, _ ledger: inout PaymentLedger
    ) {
        let time = Self.time(on: day, of: account, &random)
        var weights = account.channelWeights
        if trip != nil { weights[0] *= 2 }
        let channel = Channel.allCases[random.weighted(weights)]
        var amount = Self.amount(account, channel, &random)
        if random.chance(Self.bigPurchaseChance) { amount *= random.uniform(3, 9) }
        if trip != nil { amount *= 1.35 }
        let here = trip?.region ?? account.homeRegion
        switch channel {
        case .terminal, .cash:
            let terminal = place(account, channel, trip: trip, &random)
            ledger.enter(
                account, at: time, channel, terminal: terminal, amount: amount,
                region: population.terminalRegions[terminal])
        case .online:
            if random.chance(Self.smallChargeChance) { amount = random.uniform(49, 499) }
            let merchants = population.onlineMerchants
            let merchant =
                random.chance(0.7)
                ? account.favouriteMerchants[random.below(account.favouriteMerchants.count)]
                : merchants[random.popular(merchants.count)]
            ledger.enter(
                account, at: time, channel, terminal: merchant, amount: amount,
                device: random.chance(0.5) ? device : -1,
                region: random.chance(0.03) ? random.below(Population.regionCount) : here)
        case .transfer:
            var payee = payees[random.below(payees.count)]
            if random.chance(Self.newPayeeChance) {
                payee =
                    random.chance(0.6)
                    ? ledger.freshPayee() : random.popular(population.knownPayeeCount)
                if random.chance(0.12) { amount *= random.uniform(2, 6) }
                if random.chance(0.35) { payees.append(payee) }
            }
            ledger.enter(
                account, at: time, channel, payee: payee, amount: amount, device: device,
                region: here)
        }
    }

    private func place(
        _ account: Account, _ channel: Channel, trip: Trip?, _ random: inout SeededGenerator
    ) -> Int {
        let ofRegion =
            channel == .cash ? population.cashMachinesOfRegion : population.terminalsOfRegion
        if let trip { return ofRegion[trip.region][random.below(ofRegion[trip.region].count)] }
        if channel == .terminal, random.chance(0.8) {
            return account.favouriteTerminals[random.below(account.favouriteTerminals.count)]
        }
        let region =
            random.chance(0.85) ? account.homeRegion : random.popular(Population.regionCount)
        return ofRegion[region][random.popular(ofRegion[region].count)]
    }

    private func buyInSale(
        _ account: Account, on day: Int, device: Int, _ random: inout SeededGenerator,
        _ ledger: inout PaymentLedger
    ) {
        let merchants = population.onlineMerchants
        for _ in 0..<random.integer(1, 3) {
            ledger.enter(
                account, at: Self.time(on: day, of: account, &random), .online,
                terminal: merchants[(day * 7 + random.below(3)) % merchants.count],
                amount: 1.4 * Self.amount(account, .online, &random),
                device: random.chance(0.5) ? device : -1, region: account.homeRegion)
        }
    }

    /// A collection: people pay the same fresh payee within days, for a trip or a gift.
    func collect(_ random: inout SeededGenerator, _ ledger: inout PaymentLedger) {
        let payee = ledger.freshPayee()
        let firstDay = random.below(SyntheticCalendar.days)
        let span = random.integer(2, 6)
        let price = random.uniform(1_000, 20_000)
        for _ in 0..<random.integer(6, 24) {
            let account = population.accounts[random.below(population.accounts.count)]
            ledger.enter(
                account, at: Self.time(on: firstDay + random.below(span), of: account, &random),
                .transfer, payee: payee, amount: price * random.uniform(0.7, 1.3),
                device: account.number, region: account.homeRegion)
        }
    }

    /// A second of the day at an hour of the account's habit.
    static func time(on day: Int, of account: Account, _ random: inout SeededGenerator) -> Int {
        let hour = random.weighted(Population.hourProfiles[account.hourProfile])
        return day * SyntheticCalendar.secondsPerDay + hour * 3_600 + random.below(3_600)
    }

    /// An amount of the account's habit, in cents.
    static func amount(
        _ account: Account, _ channel: Channel, _ random: inout SeededGenerator
    ) -> Double {
        PortableMath.exp(
            account.level + channelLevels[channel.rawValue] + amountSpread * random.normal())
    }
}
