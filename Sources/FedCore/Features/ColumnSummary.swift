/// Figures of one column of a file.
public struct ColumnSummary: Equatable, Sendable {
    /// Fields that hold a number.
    public internal(set) var valueCount = 0
    /// Empty fields.
    public internal(set) var missingCount = 0
    /// The least value; `nil` where there is none.
    public internal(set) var min: Double?
    /// The greatest value; `nil` where there is none.
    public internal(set) var max: Double?
    /// Whether all values are whole numbers.
    public internal(set) var isWhole = true
    var sum = 0.0

    /// The mean of the values; `nil` where there is none.
    public var mean: Double? { valueCount == 0 ? nil : sum / Double(valueCount) }
    /// The share of empty fields, 0 where there is no row.
    public var missingShare: Double {
        let count = valueCount + missingCount
        return count == 0 ? 0 : Double(missingCount) / Double(count)
    }

    /// Adds the figures of some rows; `low` and `high` count only where a value is there.
    mutating func add(
        count: Int, missing: Int, min low: Double, max high: Double, sum total: Double,
        isWhole allWhole: Bool
    ) {
        missingCount += missing
        guard count > missing else { return }
        valueCount += count - missing
        min = Swift.min(min ?? low, low)
        max = Swift.max(max ?? high, high)
        sum += total
        if !allWhole { isWhole = false }
    }
}
