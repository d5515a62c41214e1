/// The public grid of one feature: cells from which bin edges are taken, fixed by the feature's
/// range alone, so that an edge tells nothing about any bank's rows.
///
/// Positions on the grid are reals in `0..<cellCount`; cell c is [c, c + 1). Continuous features and
/// wide integers have a signed-log scale u(x) = sign(x)·L(1 + |x|), where L(y) = exponent + fraction
/// of the significand is the piecewise-linear log2: exact in IEEE arithmetic, hence the same on
/// every machine. Narrow integers and binary features have one cell a value, categorical ones one
/// cell a level.
package struct BinGrid: Equatable {
    private enum Scale: Equatable {
        case unit(first: Double)
        case level
        case signedLog(origin: Double, cellsPerUnit: Double)
    }

    package let cellCount: Int
    private let scale: Scale

    /// Whether a cell may be divided further.
    var isDivisible: Bool {
        if case .signedLog = scale { return true }
        return false
    }

    /// Whether cells are levels without an order.
    var isLevels: Bool { scale == .level }

    package init(feature: TreeFeature, cells: Int) {
        let lower = feature.range.lowerBound
        let upper = feature.range.upperBound
        switch feature.kind {
        case .categorical(let levels):
            cellCount = levels
            scale = .level
            return
        case .binary:
            cellCount = 2
            scale = .unit(first: 0)
            return
        case .integer where upper.rounded(.up) - lower.rounded(.down) < Double(cells):
            cellCount = Int(upper.rounded(.up) - lower.rounded(.down)) + 1
            scale = .unit(first: lower.rounded(.down))
            return
        case .integer, .continuous:
            break
        }
        let origin = Self.signedLog(lower)
        cellCount = cells
        scale = .signedLog(
            origin: origin, cellsPerUnit: Double(cells) / (Self.signedLog(upper) - origin))
    }

    /// The position of a value, held to the grid; `nil` for missing values and unknown levels.
    @inline(__always)
    package func position(of value: Double) -> Double? {
        if value.isNaN { return nil }
        let position: Double
        switch scale {
        case .level:
            guard value >= 0, value < Double(cellCount), value.rounded() == value else {
                return nil
            }
            return value
        case .unit(let first): position = (value - first).rounded()
        case .signedLog(let origin, let cellsPerUnit):
            position = (Self.signedLog(value) - origin) * cellsPerUnit
        }
        return max(0, min(position, Double(cellCount).nextDown))
    }

    /// The value at a position; the inverse of ``position(of:)`` up to rounding.
    package func value(at position: Double) -> Double {
        switch scale {
        case .level: position
        case .unit(let first): first + position - 0.5
        case .signedLog(let origin, let cellsPerUnit):
            Self.inverseSignedLog(origin + position / cellsPerUnit)
        }
    }

    @inline(__always)
    static func signedLog(_ value: Double) -> Double {
        let magnitude = 1 + min(abs(value), 1e300)
        let bits = magnitude.bitPattern
        let exponent = Double(Int(bits >> 52) - 1023)
        let significand = Double(
            bitPattern: bits & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000)
        let length = exponent + (significand - 1)
        return value < 0 ? -length : length
    }

    private static func inverseSignedLog(_ length: Double) -> Double {
        let magnitude = abs(length)
        let exponent = magnitude.rounded(.down)
        let value =
            (1 + (magnitude - exponent))
            * Double(
                sign: .plus, exponent: Int(exponent),
                significand: 1) - 1
        return length < 0 ? -value : value
    }
}

/// A cell that holds so many rows that its place is asked for more closely.
struct HeavyCell: Equatable {
    let feature: Int
    let cell: Int
    /// Equal parts that the cell is divided into.
    let parts: Int
}
