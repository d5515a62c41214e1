/// Newton's method for the penalised log-loss, as a machine: it says where to evaluate, and takes
/// gradient, Hessian and loss at that point.
///
/// The objective is scikit-learn's: the sum of the rows' weighted log-losses plus λ/2·|w|², the
/// intercept free. The start is w = 0 with the log-odds of the base rate. Where classes are rare,
/// full steps overshoot by orders of magnitude at first, so every step has the length
/// 1 / (1 + decrement / (3·weight of the rarer class)): it tends to 1 as fast as the decrement to
/// 0, so convergence stays quadratic. A step is cut by a parabola through the losses when the
/// loss did not fall enough (Armijo, 10^-4).
struct NewtonOptimiser: Sendable {
    /// The greatest magnitude of a coefficient; beyond it the classes count as separable.
    static let coefficientMagnitudeMax = 1e3

    /// From this evaluation on, ``relaxedTolerance`` is enough: with the two sums before, a joint
    /// training then has twelve masked sums.
    static let evaluationsAimed = 10
    /// The relative error that is taken from then on, a tenth of what anybody compares to.
    static let relaxedTolerance = 1e-6

    private struct Accepted {
        var point: [Double]
        var objective: Double
        var direction: [Double]
        var decrement: Double
        var stepLength: Double
        var relativeStep: Double
    }

    private let varies: [Bool]
    private let lambda: Double
    private let tolerance: Double
    private let iterationsMax: Int
    private let rarerWeight: Double
    private var accepted: Accepted?
    /// The point to evaluate next, or the solution once ``isConverged``; the intercept is last.
    private(set) var point: [Double]
    /// Evaluations taken in.
    private(set) var iterations = 0
    /// Whether ``point`` is the solution.
    private(set) var isConverged = false
    /// The penalised objective at the last accepted point.
    private(set) var objective = Double.infinity
    /// Standard errors of the solution, from the inverse of the last penalised Hessian.
    private(set) var standardErrors: [Double] = []

    /// Starts at the base rate.
    ///
    /// - Throws: ``LearningError/unusableData(reason:)`` when one of the classes has no rows.
    init(
        normals: Int, frauds: Int, varies: [Bool], configuration: LogisticConfiguration
    ) throws(LearningError) {
        guard frauds > 0, normals > 0 else {
            throw .unusableData(
                reason: "all rows have one label: \(frauds == 0 ? "normal" : "fraud")")
        }
        let fraudWeight = Double(frauds) * configuration.fraudWeight
        let normalWeight = Double(normals) * configuration.normalWeight
        self.varies = varies
        self.lambda = configuration.lambda
        self.tolerance = configuration.tolerance
        self.iterationsMax = configuration.iterationsMax
        self.rarerWeight = min(fraudWeight, normalWeight)
        self.point = [Double](repeating: 0, count: varies.count)
        self.point.append(ElementaryFunctions.log(fraudWeight / normalWeight))
    }

    /// Takes the terms at ``point`` and moves it.
    ///
    /// - Throws: ``LearningError/numericalFailure(reason:)``.
    mutating func absorb(_ terms: NewtonTerms) throws(LearningError) {
        precondition(!isConverged, "a finished optimisation")
        iterations += 1
        let value = terms.loss + penalty(at: point)
        guard value.isFinite else { throw .numericalFailure(reason: "the loss is not finite") }
        if let accepted, !falls(value, from: accepted) {
            try shorten(accepted, objective: value)
        } else {
            try step(from: terms, objective: value)
        }
        guard isConverged || iterations < iterationsMax else {
            throw .numericalFailure(
                reason: "no convergence in \(iterationsMax) evaluations; raise iterationsMax")
        }
    }

    private func penalty(at point: [Double]) -> Double {
        lambda / 2 * point.dropLast().reduce(0) { $0 + $1 * $1 }
    }

    /// Whether the loss fell as far as a step must take it; rounding of the sums is forgiven.
    private func falls(_ value: Double, from accepted: Accepted) -> Bool {
        let promised = 1e-4 * accepted.stepLength * accepted.decrement
        return value <= accepted.objective - promised + 1e-11 * (1 + accepted.objective.magnitude)
    }

    private mutating func shorten(
        _ accepted: Accepted, objective value: Double
    ) throws(LearningError) {
        let length = accepted.stepLength
        let slope = accepted.decrement
        // The minimum of the parabola with this start, slope and end.
        let vertex = slope * length * length / (2 * (value - accepted.objective + slope * length))
        let shorter = min(max(vertex, 0.1 * length), 0.5 * length)
        guard shorter > 0x1p-40 else {
            throw .numericalFailure(reason: "no step along Newton's direction lowers the loss")
        }
        var next = accepted
        next.stepLength = shorter
        self.accepted = next
        point = zip(next.point, next.direction).map { $0 + shorter * $1 }
    }

    private mutating func step(
        from terms: NewtonTerms, objective value: Double
    ) throws(LearningError) {
        let (gradient, factor) = try penalised(terms)
        let direction = factor.solve(gradient).map { -$0 }
        let decrement = -zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
        guard decrement.isFinite, decrement >= 0 else {
            throw .numericalFailure(reason: "Newton's decrement is not a number")
        }
        let target = zip(point, direction).map { $0 + $1 }
        let largest = target.reduce(0) { max($0, $1.magnitude) }
        // Coefficients a thousand times smaller than the largest are compared with that thousandth.
        let relative = zip(direction, target).reduce(0) {
            max($0, $1.0.magnitude / max($1.1.magnitude, 1e-3 * largest))
        }
        objective = value
        standardErrors = zip(factor.inverseDiagonal(), varies + [true]).map {
            $1 ? $0.squareRoot() : 0
        }
        if isLast(relative: relative, decrement: decrement, objective: value) {
            point = target
            isConverged = true
            return try checkMagnitude()
        }
        try checkMagnitude()
        var length = 1 / (1 + decrement / (3 * rarerWeight))
        while length > 0x1p-20,
            zip(point, direction).contains(where: {
                ($0 + length * $1).magnitude > Self.coefficientMagnitudeMax
            })
        {
            length /= 2
        }
        accepted = Accepted(
            point: point, objective: value, direction: direction, decrement: decrement,
            stepLength: length, relativeStep: relative)
        point = zip(point, direction).map { $0 + length * $1 }
    }

    /// Whether the error after one more full step is below the tolerance.
    ///
    /// Newton's steps shrink as s' = c·s², so two of them give c, and c·s² is what would be left.
    private func isLast(relative: Double, decrement: Double, objective: Double) -> Bool {
        if relative <= 1e-12 || decrement <= 1e-16 * (1 + objective.magnitude) { return true }
        guard let accepted, accepted.stepLength > 0.9, relative <= 1e-2 else { return false }
        let ratio = relative / accepted.relativeStep
        let enough =
            iterations < Self.evaluationsAimed ? tolerance : max(tolerance, Self.relaxedTolerance)
        return relative * ratio * ratio <= enough
    }

    private func checkMagnitude() throws(LearningError) {
        guard point.allSatisfy({ $0.magnitude < 0.99 * Self.coefficientMagnitudeMax }) else {
            throw .numericalFailure(
                reason: "a coefficient grows beyond \(Self.coefficientMagnitudeMax): "
                    + "the classes are separable; raise lambda")
        }
    }

    /// Adds the penalty, and takes features out that do not vary.
    private func penalised(
        _ terms: NewtonTerms
    ) throws(LearningError) -> ([Double], CholeskyFactor) {
        let features = varies.count
        let order = features + 1
        precondition(terms.gradient.count == order, "\(terms.gradient.count) of \(order) lanes")
        var gradient = terms.gradient
        var hessian = [Double](repeating: 0, count: order * order)
        var lane = 0
        for row in 0..<order {
            for column in row..<order {
                hessian[row + column * order] = terms.hessian[lane]
                lane += 1
            }
        }
        for feature in 0..<features {
            if varies[feature] {
                gradient[feature] += lambda * point[feature]
                hessian[feature + feature * order] += lambda
            } else {
                gradient[feature] = 0
                for other in 0..<order {
                    let (row, column) = (min(feature, other), max(feature, other))
                    hessian[row + column * order] = row == column ? 1 : 0
                }
            }
        }
        do {
            return (gradient, try CholeskyFactor(upperTriangleOf: hessian, order: order))
        } catch .notPositiveDefinite(_, let pivot) {
            throw .numericalFailure(
                reason: "the Hessian is not positive definite at coefficient \(pivot); raise lambda"
            )
        } catch {
            throw .numericalFailure(reason: "the Hessian is not finite")
        }
    }
}
