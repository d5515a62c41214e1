/// An account and its holder's habits.
struct Account: Sendable {
    let number: Int
    let bank: Int
    let age: Int
    let homeRegion: Int
    /// Mean of the logarithm of an amount at a terminal, in cents.
    let level: Double
    /// Payments a day.
    let activity: Double
    /// Index into `Population.hourProfiles`.
    let hourProfile: Int
    /// By `Channel.rawValue`.
    let channelWeights: [Double]
    let favouriteTerminals: [Int]
    let favouriteMerchants: [Int]
    let payees: [Int]

    var isSenior: Bool { age >= 60 }
}

/// The accounts of all banks, and the terminals, merchants and payees that they share.
struct Population: Sendable {
    static let regionCount = 25
    /// Weights of the hours 0 to 23.
    static let hourProfiles: [[Double]] = [
        // office day
        [1, 0.5, 0.3, 0.2, 0.3, 1, 4, 8, 7, 5, 5, 8, 12, 9, 6, 6, 9, 14, 14, 10, 7, 5, 3, 2],
        // evening
        [5, 3, 2, 1, 0.5, 0.5, 1, 2, 3, 4, 5, 6, 8, 7, 6, 7, 8, 10, 12, 13, 13, 12, 10, 8],
        // senior's morning
        [
            0.2, 0.1, 0.1, 0.1, 0.2, 1, 4, 9, 14, 16, 16, 13, 9, 6, 7, 8, 7, 5, 3, 2, 1, 0.7, 0.5,
            0.3,
        ],
        // night shift
        [9, 9, 8, 7, 7, 6, 5, 4, 2, 1, 0.5, 0.5, 0.5, 1, 3, 5, 6, 6, 6, 6, 6, 7, 8, 9],
    ]

    let accounts: [Account]
    /// Accounts of each bank are neighbours: the first and the one after the last.
    let accountRanges: [Range<Int>]
    /// Region of each terminal; cash machines are the last fifth of each region's terminals.
    let terminalRegions: [Int]
    /// Terminals of each region, the popular ones first.
    let terminalsOfRegion: [[Int]]
    let cashMachinesOfRegion: [[Int]]
    /// Online merchants, numbered after the terminals, the popular ones first.
    let onlineMerchants: [Int]
    /// Payees known to many: utilities, landlords, shops.
    ///
    /// Fresh ones are numbered after them.
    let knownPayeeCount: Int

    init(banks: [SyntheticBank], seed: UInt64, scale: Double) {
        let accountCount = Self.scaled(3_000, by: scale, atLeast: 10 * banks.count)
        let terminalsPerRegion = Self.scaled(36, by: scale, atLeast: 2)
        let machinesPerRegion = Self.scaled(8, by: scale, atLeast: 1)
        var regions: [Int] = []
        var shops = [[Int]](repeating: [], count: Self.regionCount)
        var machines = shops
        for region in 0..<Self.regionCount {
            for index in 0..<(terminalsPerRegion + machinesPerRegion) {
                if index < terminalsPerRegion {
                    shops[region].append(regions.count)
                } else {
                    machines[region].append(regions.count)
                }
                regions.append(region)
            }
        }
        let merchantCount = Self.scaled(400, by: scale, atLeast: 12)
        let merchants = Array(regions.count..<(regions.count + merchantCount))
        let payeeCount = Self.scaled(500, by: scale, atLeast: 20)

        let ranges = Self.ranges(accountCount: accountCount, banks: banks)
        accounts = ranges.enumerated().flatMap { bank, range in
            range.map { number in
                Account(
                    number: number, bank: bank, profile: banks[bank], shops: shops,
                    merchants: merchants, payeeCount: payeeCount,
                    random: SeededGenerator(seed: seed, stream: 1, index: UInt64(number)))
            }
        }
        accountRanges = ranges
        terminalRegions = regions
        terminalsOfRegion = shops
        cashMachinesOfRegion = machines
        onlineMerchants = merchants
        knownPayeeCount = payeeCount
    }

    private static func scaled(_ count: Double, by scale: Double, atLeast least: Int) -> Int {
        max(least, Int((count * scale).rounded()))
    }

    /// Consecutive account numbers in proportion to the banks' shares, at least two a bank.
    private static func ranges(accountCount: Int, banks: [SyntheticBank]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var first = 0
        for bank in banks {
            let count = max(2, Int((Double(accountCount) * bank.accountShare).rounded()))
            ranges.append(first..<(first + count))
            first += count
        }
        return ranges
    }
}

extension Account {
    fileprivate init(
        number: Int, bank: Int, profile: SyntheticBank, shops: [[Int]], merchants: [Int],
        payeeCount: Int, random start: SeededGenerator
    ) {
        var random = start
        self.number = number
        self.bank = bank
        let generation = random.weighted(profile.ageWeights)
        age = [random.integer(18, 29), random.integer(30, 59), random.integer(60, 88)][generation]
        let home = random.popular(shops.count)
        homeRegion = home
        let wealth = [-0.25, 0.1, 0.0][generation]
        level = PortableMath.log(2_600) + profile.amountLevel + wealth + 0.45 * random.normal()
        activity = min(3, 0.42 * PortableMath.exp(0.55 * random.normal()) + 0.05)
        let habits = [[0.25, 0.65, 0, 0.1], [0.62, 0.32, 0, 0.06], [0.2, 0.05, 0.74, 0.01]]
        hourProfile = random.weighted(habits[generation])
        channelWeights = profile.channelWeights.enumerated().map { channel, weight in
            let taste = channel == Channel.online.rawValue ? [1.4, 1, 0.4][generation] : 1
            return weight * taste * random.uniform(0.5, 1.5)
        }
        favouriteTerminals = (0..<random.integer(5, 14)).map { _ in
            let region = random.chance(0.9) ? home : random.popular(shops.count)
            return shops[region][random.popular(shops[region].count)]
        }
        favouriteMerchants = (0..<random.integer(3, 9)).map { _ in
            merchants[random.popular(merchants.count)]
        }
        payees = (0..<random.integer(2, 7)).map { _ in random.popular(payeeCount) }
    }
}
