internal import FedCrypto

/// What banks count together about an entity that they all meet: a terminal, a merchant, a payee.
///
/// Declared in a derivation. For each period the banks sum a vector of figures under masks, and the
/// sums, as ``IndicatorTable``, feed the features of every bank.
public struct Indicator: Hashable, Sendable {
    /// The least floor: a sum of two banks tells each of them the other's part.
    public static let floorBanksMin = 3
    /// The most cells of an index.
    public static let cellCountMax = 1 << 22
    /// The most measures of one indicator.
    public static let measureCountMax = 8
    /// The most indicators of one derivation.
    public static let countMax = 64

    /// One figure of an entity and a period.
    public struct Measure: Hashable, Sendable {
        /// What a bank counts among its own rows.
        public enum Kind: Hashable, Sendable {
            /// Rows.
            case count
            /// Rows whose label, known within the label delay, says fraud.
            case frauds
            /// Rows that a reviewer confirmed as fraud.
            case confirmed
            /// The sum of a numeric column in whole units of `unit`, each row rounded.
            case sum(column: String, unit: Double)
            /// Different values of another entity column.
            case distinct(column: String)
        }

        /// The figure's name, unique in its indicator.
        public let name: String
        /// What is counted.
        public let kind: Kind
        /// The most, in magnitude, that one bank contributes to a cell and period; more is cut off.
        public let most: Int64
        /// Says which rows count; `nil` for all.
        ///
        /// Those count for which it is there and not 0. It is computed of the bank's own rows when
        /// the row comes, and reads neither labels, with whose coming it would change, nor
        /// indicators.
        public let filter: Expression?

        /// Wraps the members; ``Derivation`` checks them.
        public init(name: String, kind: Kind, most: Int64, filter: Expression? = nil) {
            self.name = name
            self.kind = kind
            self.most = most
            self.filter = filter
        }
    }

    /// How an entity finds its cells.
    public enum Index: Hashable, Sendable {
        /// Public whole numbers from `first` on, each its own cell.
        case range(first: Int64, count: Int)
        /// Public identifiers of an agreed sorted list, each its own cell.
        ///
        /// `sha256` is that of ``IndicatorCells/dictionaryBytes(_:)``, hexadecimal.
        case dictionary(count: Int, sha256: String)
        /// `depth` rows of `width` cells, one of each row chosen by HMAC under a key that the banks
        /// share and the coordinator does not have.
        ///
        /// Depth 1 is a keyed hash index, more a count-min sketch. `width` is a power of two.
        case sketch(width: Int, depth: Int)
    }

    /// The indicator's name, unique in its derivation.
    public let name: String
    /// The entity column that it is about.
    public let entity: String
    /// Seconds of a period; period p covers `p * period ..< (p + 1) * period`.
    public let period: Int64
    /// Seconds from the end of a period until its figures are known, at least the label delay
    /// where frauds are counted.
    public let delay: Int64
    /// How many banks must have been active in a cell for its sums to be made.
    public let floorBanks: Int
    /// Seconds up to the end of the period in which a bank counts as active.
    public let floorWindow: Int64
    /// How entities find their cells.
    public let index: Index
    /// What is summed.
    public let measures: [Measure]

    /// Wraps the members; ``Derivation`` checks them.
    public init(
        name: String, entity: String, period: Int64, delay: Int64, floorBanks: Int,
        floorWindow: Int64, index: Index, measures: [Measure]
    ) {
        self.name = name
        self.entity = entity
        self.period = period
        self.delay = delay
        self.floorBanks = floorBanks
        self.floorWindow = floorWindow
        self.index = index
        self.measures = measures
    }

    /// Cells of the index.
    public var cellCount: Int {
        switch index {
        case .range(_, let count), .dictionary(let count, _): count
        case .sketch(let width, let depth): width * depth
        }
    }

    /// SHA-256 of the declaration in canonical form, 32 bytes: what tables and plans are bound to.
    public var sha256: [UInt8] { SHA256.hash(IndicatorMembers.json(self).bytes) }

    /// The period in which a time lies.
    public func period(of time: Int64) -> Int64 { time.flooredQuotient(by: period) }

    /// The earliest time at which the figures of a period can be asked for.
    public func dueTime(of number: Int64) -> Int64 { (number + 1) * period + delay }

    /// The position of a measure.
    func measure(_ name: String) -> Int? { measures.firstIndex { $0.name == name } }

    /// The ring in which lanes of the measures are summed over some banks: the narrowest in which
    /// no sum can overflow.
    func ring(contributors: Int) -> RingWidth? {
        let most = measures.map(\.most).max() ?? 1
        for bits in stride(from: 16, through: 64, by: 8) {
            guard let layout = VectorLayout(laneCount: 1, ringBits: bits) else { continue }
            if most <= layout.laneMagnitudeMax(contributors: contributors) { return layout.ring }
        }
        return nil
    }
}

/// A figure of an indicator as a feature reads it: a measure summed over whole periods.
public struct IndicatorFigure: Hashable, Sendable {
    /// The indicator's name.
    public let indicator: String
    /// The measure's name.
    public let measure: String
    /// Which periods: for a row in a period that begins at t, those within `[t - far, t - near)`.
    public let window: TimeWindow

    /// Wraps the members; ``Derivation`` checks them.
    public init(indicator: String, measure: String, window: TimeWindow) {
        self.indicator = indicator
        self.measure = measure
        self.window = window
    }
}

extension Int64 {
    /// The quotient rounded down, by a divisor above 0.
    func flooredQuotient(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
