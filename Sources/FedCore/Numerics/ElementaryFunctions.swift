private import CFedKernels

/// The C library's functions of one number.
package enum ElementaryFunctions {
    /// The natural logarithm.
    package static func log(_ value: Double) -> Double { fed_log(value) }

    /// The exponential function.
    package static func exp(_ value: Double) -> Double { fed_exp(value) }

    /// The probability 1 / (1 + exp(-logOdds)).
    package static func logistic(_ logOdds: Double) -> Double { 1 / (1 + fed_exp(-logOdds)) }

    /// The probability that a standard normal variable is farther from 0 than `z`.
    static func twoSidedNormalTail(_ z: Double) -> Double {
        fed_erfc(z.magnitude / 2.0.squareRoot())
    }
}
