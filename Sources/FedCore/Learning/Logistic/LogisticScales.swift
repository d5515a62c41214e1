/// The fixed-point scales of the masked sums of a logistic regression, from public knowledge only.
///
/// Every bound below is one of the magnitude of a single bank's lane, for any rows whose values are
/// within the standard's ranges and whose sums are those that the banks published together. N is
/// the number of all banks' rows, w the greater class weight.
///
/// - Row sums. A bank has at most ``rowsPerBankMax`` rows, so |Σt| ≤ rowsPerBankMax · max|t|.
/// - Moments about a provisional mean c, which differs from the true mean m by ε at most: by the
///   rounding of the row sums. The 2^-20 of the greatest magnitude that is allowed for it here
///   suffices for 200 banks. For values in [l, u] with mean m, Σ(t - m)² ≤ N(m - l)(u - m) (Bhatia,
///   Davis 2000); squares are not negative, so each bank's share is no greater than the sum, and
///   Σ(t - c)² ≤ V = N·((c - l + ε)(u - c + ε) + ε²). By Cauchy and Schwarz |Σ(t - c)| ≤ √(N·V).
/// - Newton terms. Standardised inputs have Σz² = N over all banks (0 for a constant feature), so
///   a bank's Σz² ≤ N. With residuals |w(p - y)| ≤ w and p(1 - p) ≤ 1/4, by Cauchy and Schwarz:
///   gradient |Σ w(p - y)z| ≤ w·N; Hessian |Σ w·p(1 - p)·z·z'| ≤ w·N/4. The log-loss of a row is at
///   most log 2 + |η|, and Σ|z| ≤ N: loss ≤ w·N·(log 2 + |intercept| + Σ|coefficient|).
///
/// A scale is the finest that leaves a factor of two above its bound, which covers the rounding of
/// doubles and of the published sums.
enum LogisticScales {
    /// Rows that one bank may have.
    static let rowsPerBankMax = 1 << 30

    /// The scale of a sum of values within `range`.
    static func rowSum(range: ClosedRange<Double>, limit: Int64) -> FixedPointScale? {
        let magnitude = max(range.lowerBound.magnitude, range.upperBound.magnitude)
        return FixedPointScale(
            bound: Double(rowsPerBankMax) * max(magnitude, .leastNormalMagnitude), integerMax: limit
        )
    }

    /// The scales of the first and second moments about `centre`, a value within `range`.
    static func moments(
        range: ClosedRange<Double>, centre: Double, rows: Int, limit: Int64
    ) -> (first: FixedPointScale?, second: FixedPointScale?) {
        let magnitude = max(range.lowerBound.magnitude, range.upperBound.magnitude)
        let error = 0x1p-20 * max(magnitude, 0x1p-20)
        let below = max(centre - range.lowerBound, 0) + error
        let above = max(range.upperBound - centre, 0) + error
        let count = Double(rows)
        let second = count * (below * above + error * error)
        return (
            FixedPointScale(bound: (count * second).squareRoot(), integerMax: limit),
            FixedPointScale(bound: second, integerMax: limit)
        )
    }

    /// The scales of gradient, Hessian and loss at a point.
    ///
    /// - Parameter point: coefficients of standardised inputs, then the intercept.
    static func newton(
        point: [Double], rows: Int, configuration: LogisticConfiguration, limit: Int64
    ) -> (gradient: FixedPointScale, hessian: FixedPointScale, loss: FixedPointScale)? {
        let weight = max(configuration.fraudWeight, configuration.normalWeight)
        let base = weight * Double(rows)
        let reach = point.reduce(1) { $0 + $1.magnitude }
        guard let gradient = FixedPointScale(bound: base, integerMax: limit),
            let hessian = FixedPointScale(bound: base / 4, integerMax: limit),
            let loss = FixedPointScale(bound: base * reach, integerMax: limit)
        else { return nil }
        return (gradient, hessian, loss)
    }
}
