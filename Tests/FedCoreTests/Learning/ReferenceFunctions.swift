import Foundation

/// The C library's exp, for oracles.
func exponential(_ value: Double) -> Double { exp(value) }

/// The C library's log, for oracles.
func naturalLogarithm(_ value: Double) -> Double { log(value) }
