/// How the values of one column are spread: counts on a grid fixed in advance, in one pass.
///
/// Magnitudes from 2^-40 to 2^60 have 16 cells an octave (each 4 % wide), with either sign; zero has
/// its own. Two sketches of one column can be added and compared whatever files they come from.
public struct ColumnSketch: Equatable, Sendable {
    private static let cellsPerOctave = 16
    private static let octaves = -40..<60
    /// Cells of one sign.
    private static let sideCount = octaves.count * cellsPerOctave

    /// Values by cell: negative ones from the greatest magnitude, zero, positive ones.
    private var counts = [Int64](repeating: 0, count: 2 * sideCount + 1)
    /// Values, missing ones not counted.
    public private(set) var valueCount: Int64 = 0
    /// Missing values.
    public private(set) var missingCount: Int64 = 0
    /// The least value; `nil` without any.
    public private(set) var least: Double?
    /// The greatest value; `nil` without any.
    public private(set) var greatest: Double?

    /// Begins without values.
    public init() {}

    /// The share of missing values, 0 without rows.
    public var missingShare: Double {
        let rows = valueCount + missingCount
        return rows == 0 ? 0 : Double(missingCount) / Double(rows)
    }

    /// Counts a value; NaN is a missing one.
    public mutating func add(_ value: Double) {
        guard !value.isNaN else {
            missingCount += 1
            return
        }
        valueCount += 1
        least = min(least ?? value, value)
        greatest = max(greatest ?? value, value)
        counts[Self.cell(of: value)] += 1
    }

    private static func cell(of value: Double) -> Int {
        let magnitude = abs(value)
        guard magnitude >= 0x1p-40 else { return sideCount }
        let exponent = min(Int(magnitude.exponent), octaves.upperBound - 1)
        let part =
            magnitude.exponent >= octaves.upperBound
            ? cellsPerOctave - 1
            : Int((magnitude.significand - 1) * Double(cellsPerOctave))
        let position = (exponent - octaves.lowerBound) * cellsPerOctave + part
        return value < 0 ? sideCount - 1 - position : sideCount + 1 + position
    }

    /// The middle of a cell.
    private static func value(at cell: Int) -> Double {
        guard cell != sideCount else { return 0 }
        let position = cell < sideCount ? sideCount - 1 - cell : cell - sideCount - 1
        let (octave, part) = position.quotientAndRemainder(dividingBy: cellsPerOctave)
        let middle = 1 + (Double(part) + 0.5) / Double(cellsPerOctave)
        let magnitude = Double(
            sign: .plus, exponent: octave + octaves.lowerBound, significand: middle)
        return cell < sideCount ? -magnitude : magnitude
    }

    /// A quantile, to the width of a cell; `nil` without values.
    ///
    /// - Parameter level: from 0 to 1.
    public func quantile(_ level: Double) -> Double? {
        guard valueCount > 0, let least, let greatest else { return nil }
        let rank = Int64((level * Double(valueCount - 1)).rounded())
        var below: Int64 = 0
        for (cell, count) in counts.enumerated() where count > 0 {
            below += count
            if below > rank { return min(max(Self.value(at: cell), least), greatest) }
        }
        return greatest
    }

    /// The share of values below each edge and of those from the last on: one more than edges.
    ///
    /// - Parameter edges: ascending.
    func shares(_ edges: [Double]) -> [Double] {
        var shares = [Double](repeating: 0, count: edges.count + 1)
        guard valueCount > 0 else { return shares }
        for (cell, count) in counts.enumerated() where count > 0 {
            let value = Self.value(at: cell)
            let bin = edges.firstIndex { value < $0 } ?? edges.count
            shares[bin] += Double(count) / Double(valueCount)
        }
        return shares
    }
}

/// How far a column has moved from where it was.
public enum ColumnDrift {
    /// From here on a column has moved so far that a person should look: the usual rule of thumb.
    public static let suspicious = 0.25

    /// The population stability index between two sketches: Σ (p - q) ln(p / q) over ten bins of
    /// equal weight in the reference, and missing values.
    ///
    /// An empty bin counts as 1/10,000 of the rows.
    ///
    /// - Returns: `nil` where one of them has no rows.
    public static func index(of current: ColumnSketch, against reference: ColumnSketch) -> Double? {
        guard current.valueCount + current.missingCount > 0,
            reference.valueCount + reference.missingCount > 0
        else { return nil }
        var edges: [Double] = []
        for tenth in 1..<10 {
            guard let edge = reference.quantile(Double(tenth) / 10) else { continue }
            if edges.last.map({ $0 < edge }) ?? true { edges.append(edge) }
        }
        func all(_ sketch: ColumnSketch) -> [Double] {
            sketch.shares(edges).map { $0 * (1 - sketch.missingShare) } + [sketch.missingShare]
        }
        return index(all(current), all(reference))
    }

    /// The same against a frozen grid, such as the bin edges of a joint model.
    ///
    /// The grid is of quantiles at the levels 1/(m+1) to m/(m+1); missing values are not looked at.
    ///
    /// - Returns: `nil` without values, or for fewer than 16 quantiles.
    public static func index(of current: ColumnSketch, against quantiles: [Double]) -> Double? {
        guard current.valueCount > 0, quantiles.count >= 16 else { return nil }
        var edges: [Double] = []
        var shares: [Double] = []
        var latest = 0.0
        for tenth in 1..<10 {
            let place = (quantiles.count + 1) * tenth / 10
            let (edge, level) = (quantiles[place - 1], Double(place) / Double(quantiles.count + 1))
            guard edges.last.map({ $0 < edge }) ?? true else { continue }
            edges.append(edge)
            shares.append(level - latest)
            latest = level
        }
        return index(current.shares(edges), shares + [1 - latest])
    }

    private static func index(_ shares: [Double], _ others: [Double]) -> Double {
        zip(shares, others).reduce(0) { sum, pair in
            let (share, other) = (max(pair.0, 1e-4), max(pair.1, 1e-4))
            return sum + (share - other) * ElementaryFunctions.log(share / other)
        }
    }
}

/// Whether a bank's column has the unit that the others' has: cents for yuan, hours for seconds.
public struct UnitPlausibility: Equatable, Sendable {
    /// Factors between units that are mistaken for each other.
    public static let factors: [Double] = [
        10, 12, 24, 60, 100, 1_000, 1_024, 1_440, 3_600, 10_000, 86_400, 1_000_000,
    ]
    /// A factor is named when the scaled column fits to within this ratio.
    static let ratioMax = 1.6

    /// The typical ratio of the bank's values to the consortium's.
    public let ratio: Double
    /// The factor by which the bank's values seem to be multiplied, above or below 1; `nil` where
    /// no factor explains them.
    public let factor: Double?

    /// Compares a bank's column with the consortium's quantiles.
    ///
    /// - Parameter quantiles: the values at the levels 1/(m+1) ... m/(m+1), ascending, such as the
    ///   bin edges of a joint model: they are made by masked counts of all banks.
    /// - Returns: `nil` where the two agree, or cannot be compared: too few values, or too few
    ///   quantiles other than 0.
    public static func check(
        _ column: ColumnSketch, against quantiles: [Double]
    ) -> UnitPlausibility? {
        guard column.valueCount >= 100 else { return nil }
        var ratios: [Double] = []
        for (index, other) in quantiles.enumerated() {
            let level = Double(index + 1) / Double(quantiles.count + 1)
            guard (0.1...0.9).contains(level), let own = column.quantile(level), own != 0,
                other != 0, (own < 0) == (other < 0)
            else { continue }
            ratios.append(own / other)
        }
        guard ratios.count >= 5 else { return nil }
        ratios.sort()
        let middle = ratios[ratios.count / 2]
        // Banks differ; a factor of a few is their business.
        guard middle > 5 || middle < 0.2 else { return nil }
        let candidates = factors.flatMap { [$0, 1 / $0] }
        let nearest = candidates.min { distance(middle, $0) < distance(middle, $1) }
        guard let nearest, distance(middle, nearest) <= ratioMax else {
            return UnitPlausibility(ratio: middle, factor: nil)
        }
        return UnitPlausibility(ratio: middle, factor: nearest)
    }

    /// How many times one is the other, at least 1.
    private static func distance(_ ratio: Double, _ factor: Double) -> Double {
        max(ratio / factor, factor / ratio)
    }
}
