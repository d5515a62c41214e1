package import FedCore
package import FedDecision

/// A model and a policy, laid out for scoring: immutable, so that one reference read at the start
/// of a request is all it needs.
package final class ScoringEngine: Sendable {
    /// Which scores are explained.
    package enum Explanation: String, CaseIterable, Sendable {
        /// None.
        case none
        /// Those whose transaction does not simply pass.
        case flagged
        /// All.
        case all

        /// Whether a decision is explained.
        package func covers(_ decision: DecisionPolicy.Decision) -> Bool {
            switch self {
            case .none: false
            case .flagged: decision.action > .pass
            case .all: true
            }
        }
    }

    /// What becomes of one transaction.
    package struct Scored: Sendable {
        package let parts: BankScorer.Parts
        package let decision: DecisionPolicy.Decision
        /// `nil` where they were not asked for.
        package var reasons: [ReasonCode]?
    }

    /// The features.
    package let standard: FeatureStandard
    /// The bank's model.
    package let model: BankModel
    /// The bank's policy.
    package let policy: DecisionPolicy
    /// SHA-256 of the model, hexadecimal.
    package let modelSHA256: String
    /// SHA-256 of the policy, hexadecimal.
    package let policySHA256: String
    /// Reads requests.
    package let reader: ScoreRequestReader
    /// Reads single transactions in a plain spelling.
    package let plainReader: PlainScoreReader
    /// Canonical JSON of ``modelJSON``.
    let modelBytes: [UInt8]
    /// Canonical JSON of ``policyJSON``.
    let policyBytes: [UInt8]
    private let scorer: BankScorer
    private let explainer: ReasonExplainer

    /// Lays a model and a policy out.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)`` for another feature standard.
    package init(
        model: BankModel, policy: DecisionPolicy, standard: FeatureStandard
    ) throws(LearningError) {
        self.standard = standard
        self.model = model
        self.policy = policy
        modelSHA256 = model.digest.hexadecimal
        policySHA256 = policy.digest.hexadecimal
        reader = ScoreRequestReader(standard)
        plainReader = PlainScoreReader(standard)
        modelBytes = Self.json(model, modelSHA256).bytes
        policyBytes = Self.json(policy, policySHA256).bytes
        scorer = try BankScorer(model, standard: standard)
        explainer = ReasonExplainer(scorer, standard: standard)
    }

    /// The same model under another policy.
    package func with(policy: DecisionPolicy) throws(LearningError) -> ScoringEngine {
        try ScoringEngine(model: model, policy: policy, standard: standard)
    }

    /// Scores a row of raw values, NaN where missing; without reasons, which take about twenty times
    /// as long.
    package func score(_ row: [Double]) -> Scored {
        let parts = scorer.parts(of: row)
        let decision = policy.decide(probability: parts.probability, row: row)
        return Scored(parts: parts, decision: decision, reasons: nil)
    }

    /// Why a row scores as it does.
    package func reasons(for row: [Double], count: Int) -> [ReasonCode] {
        explainer.reasons(for: row, count: count)
    }

    /// What the local model alone makes of a score: a probability to rank by; `nil` without one.
    package static func localProbability(_ parts: BankScorer.Parts) -> Double? {
        parts.local.map(ElementaryFunctions.logistic)
    }
}

extension ScoringEngine {
    /// Which model scored, for answers.
    package var modelJSON: CanonicalJSON { Self.json(model, modelSHA256) }

    /// Which policy decided, for answers.
    package var policyJSON: CanonicalJSON { Self.json(policy, policySHA256) }

    private static func json(_ model: BankModel, _ digest: String) -> CanonicalJSON {
        .object([
            "sha256": .string(digest), "version": .integer(Int64(model.version)),
            "rule": .string(model.choice.rule.kind.name.rawValue),
        ])
    }

    private static func json(_ policy: DecisionPolicy, _ digest: String) -> CanonicalJSON {
        .object([
            "sha256": .string(digest), "name": .string(policy.name),
            "version": .integer(Int64(policy.version)),
        ])
    }
}
