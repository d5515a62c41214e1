/// A sum that can be added to and taken from without any drift: a 128-bit fixed-point number.
///
/// Values are taken in units of 2^-60 and rounded to the nearest unit, so those of magnitude 2^-7
/// and more enter exactly, and what has left has left to the last bit. The order of additions does
/// not matter. With values within ``magnitudeMax`` 10^8 of them fit.
struct ExactSum: Equatable {
    /// The greatest magnitude of a value.
    static let magnitudeMax = 1e12

    private static let fractionBits = 60

    private var high: Int64 = 0
    private var low: UInt64 = 0

    /// Adds a finite value.
    mutating func add(_ value: Double) {
        let (valueHigh, valueLow) = Self.fixed(value)
        let (sum, carry) = low.addingReportingOverflow(valueLow)
        low = sum
        high = high &+ valueHigh &+ (carry ? 1 : 0)
    }

    /// Takes back a value that was added.
    mutating func subtract(_ value: Double) {
        let (valueHigh, valueLow) = Self.fixed(value)
        let (difference, borrow) = low.subtractingReportingOverflow(valueLow)
        low = difference
        high = high &- valueHigh &- (borrow ? 1 : 0)
    }

    /// The sum, within one unit in the last place.
    var value: Double {
        let isNegative = high < 0
        var magnitudeHigh = UInt64(bitPattern: high)
        var magnitudeLow = low
        if isNegative {
            magnitudeLow = 0 &- low
            magnitudeHigh = ~magnitudeHigh &+ (low == 0 ? 1 : 0)
        }
        let magnitude = Double(magnitudeHigh) * 0x1p4 + Double(magnitudeLow) * 0x1p-60
        return isNegative ? -magnitude : magnitude
    }

    /// The value in units of 2^-60 as a two's complement number of 128 bits.
    private static func fixed(_ value: Double) -> (Int64, UInt64) {
        precondition(abs(value) <= magnitudeMax, "a value beyond \(magnitudeMax)")
        guard value.isNormal else { return (0, 0) }
        // value = significand · 2^(exponent - 52), the significand with its leading one.
        let significand = value.significandBitPattern | 1 << 52
        let shift = Int(value.exponent) - 52 + fractionBits
        var high: UInt64 = 0
        var low: UInt64 = 0
        if shift >= 64 {
            high = significand << UInt64(shift - 64)
        } else if shift > 0 {
            high = significand >> UInt64(64 - shift)
            low = significand << UInt64(shift)
        } else if shift > -54 {
            let half: UInt64 = shift < 0 ? 1 << UInt64(-shift - 1) : 0
            low = (significand + half) >> UInt64(-shift)
        }
        guard value < 0 else { return (Int64(bitPattern: high), low) }
        let negated = 0 &- low
        return (Int64(bitPattern: ~high &+ (low == 0 ? 1 : 0)), negated)
    }
}
