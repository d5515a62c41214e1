/// Five banks with customers, fraudsters and each bank's own view of them, from a seed.
///
/// A pure function of `(seed, scale)`: the same bytes on every machine. No person, bank or merchant
/// stands behind a row.
public struct SyntheticConsortium: Sendable {
    /// The scales that can be made: 1 gives about 250,000 transactions, 0.01 about 4,000.
    public static let scales = 0.01...20.0

    /// The banks, the largest first.
    public let banks: [SyntheticBank]
    /// All banks' transactions in time order.
    public let transactions: [SyntheticTransaction]

    /// Makes a consortium.
    ///
    /// - Parameter scale: Size; accounts, terminals, merchants and payees grow with it.
    /// - Throws: `SyntheticError.scaleOutOfRange`.
    public init(seed: UInt64, scale: Double = 1) throws(SyntheticError) {
        guard Self.scales.contains(scale) else {
            throw .scaleOutOfRange(got: scale, expected: Self.scales)
        }
        banks = SyntheticBank.consortium
        let population = Population(banks: banks, seed: seed, scale: scale)
        var ledger = PaymentLedger(population: population)
        let life = OrdinaryLife(population: population, seed: seed)
        for account in population.accounts { life.live(account, into: &ledger) }
        var random = SeededGenerator(seed: seed, stream: 4)
        for _ in 0..<max(1, population.accounts.count / 60) { life.collect(&random, &ledger) }
        FraudCampaigns(banks: banks, population: population, seed: seed).strike(&ledger)
        transactions = ledger.inTimeOrder()
    }

    /// One bank's transactions in time order.
    public func transactions(of bank: Int) -> [SyntheticTransaction] {
        transactions.filter { $0.bank == bank }
    }
}

/// Why a synthetic consortium could not be made or written.
public enum SyntheticError: Error, Equatable {
    /// The scale is not one that can be made.
    case scaleOutOfRange(got: Double, expected: ClosedRange<Double>)
    /// A file or folder could not be written.
    case cannotWrite(path: String, reason: String)
}
