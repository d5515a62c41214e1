internal import FedCore

/// Turns a score into the log-odds of a probability: intercept + slope · score.
///
/// Platt's scaling (1999) with his smoothed targets, and a penalty that holds the slope near 1: few
/// frauds move it little. The slope stays positive, so a ranking is kept.
package struct Calibration: Equatable, Sendable {
    /// The log-odds at score 0.
    package let intercept: Double
    /// Positive.
    package let slope: Double

    /// Changes nothing.
    package static let identity = Calibration(intercept: 0, slope: 1)

    /// Wraps two numbers.
    package init(intercept: Double, slope: Double) {
        precondition(slope > 0, "a slope of \(slope)")
        self.intercept = intercept
        self.slope = slope
    }

    /// Fits on labelled rows; the identity where a class is absent.
    ///
    /// Minimises the log loss + (slope - 1)² / 2 by damped Newton steps.
    package init(scores: [Double], labels: [UInt8]) {
        let frauds = labels.reduce(0) { $0 + Int($1) }
        guard frauds > 0, frauds < labels.count else {
            self = .identity
            return
        }
        let high = (Double(frauds) + 1) / (Double(frauds) + 2)
        let low = 1 / (Double(labels.count - frauds) + 2)
        func loss(_ intercept: Double, _ slope: Double) -> Double {
            var sum = (slope - 1) * (slope - 1) / 2
            for (score, label) in zip(scores, labels) {
                let margin = intercept + slope * score
                let target = label == 1 ? high : low
                let soft =
                    max(margin, 0)
                    + ElementaryFunctions.log(1 + ElementaryFunctions.exp(-margin.magnitude))
                sum += soft - target * margin
            }
            return sum
        }
        var (intercept, slope) = (0.0, 1.0)
        var best = loss(intercept, slope)
        for _ in 0..<50 {
            var gradient = (0.0, slope - 1)
            var hessian = (1e-9, 0.0, 1.0)
            for (score, label) in zip(scores, labels) {
                let share = ElementaryFunctions.logistic(intercept + slope * score)
                let error = share - (label == 1 ? high : low)
                let weight = share * (1 - share)
                gradient.0 += error
                gradient.1 += error * score
                hessian.0 += weight
                hessian.1 += weight * score
                hessian.2 += weight * score * score
            }
            let determinant = hessian.0 * hessian.2 - hessian.1 * hessian.1
            guard determinant > 0 else { break }
            let step = (
                (hessian.2 * gradient.0 - hessian.1 * gradient.1) / determinant,
                (hessian.0 * gradient.1 - hessian.1 * gradient.0) / determinant
            )
            var size = 1.0
            while size > 1e-6 {
                let trial = (intercept - size * step.0, max(slope - size * step.1, 1e-3))
                let value = loss(trial.0, trial.1)
                if value < best {
                    (intercept, slope) = trial
                    break
                }
                size /= 2
            }
            let now = loss(intercept, slope)
            guard best - now > 1e-10 * max(best, 1) else { break }
            best = now
        }
        self.init(intercept: intercept, slope: slope)
    }

    /// The log-odds of a score.
    package func logOdds(_ score: Double) -> Double { intercept + slope * score }

    /// The probability of a score.
    package func probability(_ score: Double) -> Double {
        ElementaryFunctions.logistic(logOdds(score))
    }
}
