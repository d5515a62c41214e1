internal import FedCore

/// How a bank's local score and the federated one become one, in log-odds.
///
/// Every rule but ``local`` has the federated score as a floor, less ``lenience``: a local model
/// may raise a row, and lower it by no more than that. A bank that has never met a kind of fraud
/// has no rows that show it, so whatever is fitted on its rows finds the local model right to be
/// silent there; only what the other banks know can object, and the floor lets it.
package struct CombinationRule: Equatable, Sendable {
    /// What is held to the floor.
    package enum Kind: Equatable, Sendable {
        /// The federated score alone.
        case federated
        /// The local score alone, without a floor.
        case local
        /// intercept + localWeight · local + federatedWeight · federated.
        case stacked(intercept: Double, localWeight: Double, federatedWeight: Double)
        /// The federated score + the trees that the bank grew on top of it.
        case boosted

        /// The name in documents.
        package var name: Name {
            switch self {
            case .federated: .federated
            case .local: .local
            case .stacked: .stacked
            case .boosted: .boosted
            }
        }
    }

    /// Names of the kinds.
    package enum Name: String, CaseIterable, Sendable {
        case federated, local, stacked, boosted
    }

    /// What is held to the floor.
    package let kind: Kind
    /// By how much the result may fall below the federated score, in log-odds; at least 0.
    package let lenience: Double

    /// Wraps a rule.
    package init(kind: Kind, lenience: Double = 0) {
        precondition(lenience >= 0, "a lenience of \(lenience)")
        self.kind = kind
        self.lenience = lenience
    }

    /// A lenience that no score reaches: there is no floor.
    package static let noFloor = 100.0
    /// The bound of the log-odds that enter: those of the probabilities 10^-6 and 1 - 10^-6.
    package static let magnitudeMax = 13.815_509_557_963_774

    /// Which part decided a score.
    package struct Outcome: Equatable, Sendable {
        /// The combined log-odds.
        package let logOdds: Double
        /// Whether the floor decided.
        package let isFloor: Bool
    }

    /// Combines the log-odds of one row.
    ///
    /// - Parameter residual: what the bank's trees add to the federated score; for
    ///   ``Kind/boosted``.
    package func outcome(local: Double, federated: Double, residual: Double = 0) -> Outcome {
        let local = Self.held(local)
        let base = Self.held(federated)
        let value: Double
        switch kind {
        case .federated: return Outcome(logOdds: base, isFloor: false)
        case .local: return Outcome(logOdds: local, isFloor: false)
        case .stacked(let intercept, let localWeight, let federatedWeight):
            value = intercept + localWeight * local + federatedWeight * base
        case .boosted: value = base + residual
        }
        let floor = base - lenience
        return value < floor
            ? Outcome(logOdds: floor, isFloor: true) : Outcome(logOdds: value, isFloor: false)
    }

    /// Combines the log-odds of each row.
    package func logOdds(
        local: [Double], federated: [Double], residual: [Double]? = nil
    ) -> [Double] {
        precondition(local.count == federated.count, "\(local.count) and \(federated.count)")
        return federated.indices.map {
            outcome(local: local[$0], federated: federated[$0], residual: residual?[$0] ?? 0)
                .logOdds
        }
    }

    private static func held(_ value: Double) -> Double {
        min(max(value, -magnitudeMax), magnitudeMax)
    }
}
