/// `exp` and `log` from IEEE 754 additions, multiplications and divisions only.
///
/// The mathematics libraries of operating systems differ in the last bit; these do not, and that
/// makes the consortium's files byte-identical everywhere. Relative error below 1e-14.
package enum PortableMath {
    private static let ln2High = 0.693_147_180_369_123_816_490
    private static let ln2Low = 1.908_214_929_270_587_700_02e-10

    /// e to the power x, for |x| up to 700.
    package static func exp(_ x: Double) -> Double {
        precondition(x.magnitude <= 700, "exponent \(x) is beyond 700")
        let power = (x * 1.442_695_040_888_963_4).rounded()
        let rest = (x - power * ln2High) - power * ln2Low  // |rest| <= ln 2 / 2
        var sum = 1.0
        for divisor in stride(from: 16.0, through: 1, by: -1) { sum = 1 + sum * rest / divisor }
        return Double(sign: .plus, exponent: Int(power), significand: sum)
    }

    /// The natural logarithm of a positive normal number.
    package static func log(_ x: Double) -> Double {
        precondition(x.isNormal && x > 0, "no logarithm of \(x)")
        var power = Double(x.exponent)
        var significand = x.significand
        if significand > 1.414_213_562_373_095_1 {
            significand *= 0.5
            power += 1
        }
        // log s = 2 artanh((s - 1) / (s + 1)), |ratio| <= 0.172
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        var sum = 0.0
        for divisor in stride(from: 23.0, through: 1, by: -2) { sum = sum * square + 1 / divisor }
        return power * ln2High + (2 * ratio * sum + power * ln2Low)
    }
}
