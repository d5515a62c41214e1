/// How a payment is made.
package enum Channel: Int, CaseIterable, Sendable {
    /// A card at a merchant's terminal.
    case terminal
    /// A card at an online merchant.
    case online
    /// A transfer to a payee.
    case transfer
    /// A cash withdrawal.
    case cash
}

/// The kinds of fraud in the consortium; the number is the raw file's column `kind`.
public enum FraudKind: Int, CaseIterable, Sendable {
    /// Not a fraud.
    case none
    /// A terminal skims the cards of every bank for some weeks.
    case compromisedTerminal
    /// A few purchases within hours, larger than usual, often away from home.
    case stolenCard
    /// A new device, a new payee, an odd hour.
    case accountTakeover
    /// Accounts of many banks pay the same fresh payee within days.
    case mulePayee
    /// Single tiny charges at an online merchant, spread over days and cards.
    case testCharge
    /// The customer is talked into a transfer: own device, daytime, new payee, large amount.
    case socialEngineering
}

/// One payment as a bank's books have it.
public struct SyntheticTransaction: Equatable, Sendable {
    /// Position in the consortium's time order, from 0.
    public internal(set) var row: Int
    /// Seconds since the first day, a Monday, 00:00; no two rows share a second.
    public internal(set) var time: Int
    /// Index into `SyntheticConsortium.banks`.
    public let bank: Int
    /// The paying account, numbered over all banks.
    public let account: Int
    /// Age of the account's holder in years.
    public let age: Int
    /// Terminal, online merchant or cash machine, shared by all banks; -1 for a transfer.
    public let terminal: Int
    /// The account paid, shared by all banks; -1 unless a transfer.
    public internal(set) var payee: Int
    /// Cents.
    public internal(set) var amount: Int
    /// The customer's device; -1 where the bank does not learn it.
    public internal(set) var device: Int
    package let channel: Channel
    /// Where the payment was made.
    public let region: Int
    /// The account holder's home region.
    public let homeRegion: Int
    /// What the payment really was; never a feature.
    public internal(set) var kind: FraudKind

    /// True for every kind but `none`.
    public var isFraud: Bool { kind != .none }
    /// Days since the first day, from 0.
    public var day: Int { time / SyntheticCalendar.secondsPerDay }

    /// The same payment with another truth, for tests of what depends on labels.
    package func with(kind: FraudKind) -> SyntheticTransaction {
        var copy = self
        copy.kind = kind
        return copy
    }
}

/// The days of the consortium: first windows fill, then fit, valid, label delay, test.
public enum SyntheticCalendar {
    /// Seconds of a day.
    public static let secondsPerDay = 86_400
    /// Days in all.
    public static let days = 150
    /// Days after which the truth about a payment is known.
    public static let labelDelayDays = 7

    /// The part that a day belongs to; `nil` for days that only feed windows or wait for labels.
    public static func part(ofDay day: Int) -> SyntheticPart? {
        switch day {
        case 30..<90: .fit
        case 90..<110: .valid
        case 117..<days: .test
        default: nil
        }
    }
}

/// A part of a bank's rows, as the files are named.
public enum SyntheticPart: String, CaseIterable, Sendable {
    /// Models are fitted on these rows.
    case fit
    /// Local and joint scores are combined on these rows.
    case valid
    /// Results are measured on these rows.
    case test
}
