/// The rows of one group with time in `(t - far, t - near]`, for a row at time t.
public struct TimeWindow: Hashable, Sendable {
    /// Seconds back to the far end, which is out.
    public let far: Int64
    /// Seconds back to the near end, which is in; 0 takes in the row itself.
    public let near: Int64

    /// Wraps the ends; ``Derivation`` checks them.
    public init(far: Int64, near: Int64 = 0) {
        self.far = far
        self.near = near
    }
}

/// A figure of the rows in one window of one group.
public struct WindowFigure: Hashable, Sendable {
    /// What is computed of the rows.
    public enum Measure: Hashable, Sendable {
        /// How many there are.
        case count
        /// The sum of a numeric column; rows without a value are passed over.
        case sum(column: String)
        /// The mean of a numeric column over the rows that have a value.
        case mean(column: String)
        /// The least value of a numeric column.
        case min(column: String)
        /// The greatest value of a numeric column.
        case max(column: String)
        /// How many different values a column has, missing ones not counted.
        case distinct(column: String)
        /// Seconds since the latest row other than this one.
        case timeSinceLast
        /// How many are known as frauds.
        case frauds
        /// Known frauds over rows.
        case fraudShare
    }

    /// What is computed.
    public let measure: Measure
    /// One to four columns, entities or categories, whose values a group shares.
    public let by: [String]
    /// Which rows of the group.
    public let window: TimeWindow
    /// Which of those rows count: where this, computed of the row alone, is there and not 0; `nil`
    /// for all.
    public let filter: Expression?
    /// The figure where there is nothing to compute it from; always 0 for counts and sums.
    public let empty: Double

    /// Wraps the members; ``Derivation`` checks them.
    public init(
        _ measure: Measure, by: [String], window: TimeWindow, empty: Double = 0,
        filter: Expression? = nil
    ) {
        self.measure = measure
        self.by = by
        self.window = window
        self.filter = filter
        switch measure {
        case .count, .sum, .distinct, .frauds: self.empty = 0
        case .mean, .min, .max, .timeSinceLast, .fraudShare: self.empty = empty
        }
    }
}

/// How a feature is computed from a row and the rows before it.
///
/// NaN is a missing value; an operator with a missing operand gives a missing value unless it says
/// otherwise.
public indirect enum Expression: Hashable, Sendable {
    /// How two numbers compare.
    public enum Relation: String, CaseIterable, Hashable, Sendable {
        case less = "<"
        case atMost = "<="
        case equal = "=="
        case unequal = "!="
        case atLeast = ">="
        case greater = ">"
    }

    /// A numeric column as it is.
    case copy(column: String)
    /// A number.
    case constant(Double)
    /// `floor((t mod 86400) / 3600)`: 0 to 23.
    case hour
    /// `floor(t / 86400)`.
    case day
    /// `(day + offset) mod 7`: 0 to 6.
    case weekday(offset: Int)
    /// 1 where the relation holds, else 0.
    case compare(Expression, Relation, Double)
    /// 1 where the operand is one of the values, else 0.
    case isIn(Expression, [Double])
    /// 1 where a category is this one, else 0, also for a missing one.
    case oneHot(column: String, level: Double)
    /// A figure of a window.
    case window(WindowFigure)
    /// A figure of an indicator: what all banks counted.
    case indicator(IndicatorFigure)
    /// Numerator over denominator, `empty` where the denominator is 0.
    case ratio(Expression, Expression, empty: Double)
    /// The product, multiplied from the first to the last.
    case product([Expression])
    /// The sum, added from the first to the last.
    case sum([Expression])
    /// The first less the second.
    case difference(Expression, Expression)
}

extension Expression {
    /// Whether it can be computed of a row alone.
    var isOfRow: Bool {
        switch self {
        case .window, .indicator: false
        default: operands.allSatisfy(\.isOfRow)
        }
    }

    /// Whether it can be computed of the bank's own rows before any label is known.
    var isOfUnlabelledRows: Bool {
        switch self {
        case .indicator: false
        case .window(let figure): figure.measure != .frauds && figure.measure != .fraudShare
        default: operands.allSatisfy(\.isOfUnlabelledRows)
        }
    }

    /// The expressions that this one is made of.
    var operands: [Expression] {
        switch self {
        case .copy, .constant, .hour, .day, .weekday, .oneHot, .window, .indicator: []
        case .compare(let operand, _, _), .isIn(let operand, _): [operand]
        case .ratio(let first, let second, _), .difference(let first, let second):
            [first, second]
        case .product(let operands), .sum(let operands): operands
        }
    }
}
