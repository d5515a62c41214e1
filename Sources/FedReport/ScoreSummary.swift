/// Whose score a figure is about.
package enum ScoreKind: String, CaseIterable, Sendable {
    /// The bank's own model.
    case local
    /// The joint model.
    case federated
    /// Both, combined on the bank's validation rows.
    case combined
}

/// How well one score ranks a bank's test rows.
package struct ScoreSummary: Equatable, Sendable {
    /// Area under the ROC curve; `nil` when the rows are all of one class.
    package let auc: Double?
    /// Average precision; `nil` without a fraud.
    package let ap: Double?
    /// Kolmogorov–Smirnov distance of the two classes; `nil` when the rows are all of one class.
    package let ks: Double?
    /// Frauds among the reviewed rows, by review budget as given: a share of the rows, "0.005".
    package let caught: [String: Int]

    /// Wraps figures made by the evaluation; a number that is not finite becomes `nil`.
    package init(auc: Double?, ap: Double?, ks: Double?, caught: [String: Int]) {
        self.auc = Self.finite(auc)
        self.ap = Self.finite(ap)
        self.ks = Self.finite(ks)
        self.caught = caught
    }

    private static func finite(_ value: Double?) -> Double? {
        value.flatMap { $0.isFinite ? $0 : nil }
    }
}

/// One value for each of the three scores.
package struct PerScore<Value> {
    /// The bank's own model.
    package let local: Value
    /// The joint model.
    package let federated: Value
    /// Both combined.
    package let combined: Value

    /// Wraps three values.
    package init(local: Value, federated: Value, combined: Value) {
        self.local = local
        self.federated = federated
        self.combined = combined
    }

    package subscript(kind: ScoreKind) -> Value {
        switch kind {
        case .local: local
        case .federated: federated
        case .combined: combined
        }
    }
}

extension PerScore: Equatable where Value: Equatable {}
extension PerScore: Sendable where Value: Sendable {}
