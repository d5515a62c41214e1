/// A power-of-two scale of a lane: the integer k stands for the number k / 2^exponent.
///
/// Scaling by a power of two is exact, so the only error of an encoding is the rounding of one half
/// unit, 2^-(exponent + 1); sums of the integers are exact.
public struct FixedPointScale: Equatable, Sendable {
    /// The exponent, in ``exponentRange``.
    public let exponent: Int

    /// Exponents that a scale may have; below 0 a unit would be coarser than 1.
    public static let exponentRange = 0...62

    /// Wraps an exponent.
    ///
    /// - Returns: `nil` outside of ``exponentRange``.
    public init?(exponent: Int) {
        guard Self.exponentRange.contains(exponent) else { return nil }
        self.exponent = exponent
    }

    /// The finest scale with which no value of magnitude `bound` or less leaves `integerMax`, with
    /// a factor of two to spare for what adding doubles may round up.
    ///
    /// - Parameters:
    ///   - bound: the proved bound of the magnitude; finite and positive.
    ///   - integerMax: the greatest integer that may be sent.
    /// - Returns: `nil` when even the unit 1 is too fine.
    public init?(bound: Double, integerMax: Int64) {
        guard bound.isFinite, bound > 0, integerMax > 0 else { return nil }
        let ratio = Double(integerMax) / 2 / bound
        guard ratio >= 1 else { return nil }
        self.exponent = min(Int(ratio.exponent), Self.exponentRange.upperBound)
    }

    /// Encodes a number, rounding half to even.
    ///
    /// - Throws: ``NumericsError/notFinite`` and ``NumericsError/fixedPointOverflow(exponent:)``.
    public func encode(_ value: Double) throws(NumericsError) -> Int64 {
        guard value.isFinite else { throw .notFinite }
        let scaled = Double(sign: .plus, exponent: exponent, significand: value)
        // 2^63 itself is a double and not an Int64, hence "less than".
        guard scaled.magnitude < 0x1p63 else { throw .fixedPointOverflow(exponent: exponent) }
        return Int64(scaled.rounded(.toNearestOrEven))
    }

    /// The number that an integer, such as a sum of encodings, stands for.
    public func decode(_ integer: Int64) -> Double {
        Double(sign: .plus, exponent: -exponent, significand: Double(integer))
    }
}
