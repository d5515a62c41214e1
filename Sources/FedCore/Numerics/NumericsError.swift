/// Why a number cannot be computed or encoded.
public enum NumericsError: Error, Equatable, Sendable {
    /// A value is infinite or not a number.
    case notFinite
    /// A value times 2^exponent is beyond ±(2^63 - 1).
    case fixedPointOverflow(exponent: Int)
    /// A symmetric matrix is not positive definite: the pivot with this index is not positive.
    case notPositiveDefinite(order: Int, pivot: Int)
}
