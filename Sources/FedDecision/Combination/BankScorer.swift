package import FedCore

/// Scores rows by a ``BankModel``.
package struct BankScorer: Sendable {
    /// The parts of one row's score, in log-odds without class weights, and the probability.
    package struct Parts: Equatable, Sendable {
        /// The bank's own model's; `nil` without one.
        package let local: Double?
        /// The joint model's.
        package let federated: Double
        /// The combined score, by which rows are ranked.
        package let combined: Double
        /// Whether the federated floor decided it.
        package let isFloor: Bool
        /// The calibrated probability of fraud.
        package let probability: Double
    }

    /// The model.
    package let model: BankModel
    private let local: RowScorer?
    private let federated: RowScorer
    private let residual: TreeScorer?
    private let residualBase: Double
    private let standard: FeatureStandard
    private let imputation: RowImputation

    /// Lays a model out for scoring.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)`` for another feature standard.
    package init(_ model: BankModel, standard: FeatureStandard) throws(LearningError) {
        self.model = model
        self.standard = standard
        imputation = RowImputation(standard)
        federated = try RowScorer(model.federated, standard: standard)
        if let part = model.local {
            local = try RowScorer(part, standard: standard)
        } else {
            local = nil
        }
        residual = model.residual.map(TreeScorer.init)
        residualBase = Double(model.residual?.baseMargin ?? 0) * GradientScale.marginUnit
    }

    /// Scores one row of raw values in the standard's order, NaN where missing.
    package func parts(of row: [Double]) -> Parts {
        let row = imputation.imputed(row)
        let federated = federated.logOdds(of: row)
        let local = local?.logOdds(of: row)
        let outcome = model.choice.rule.outcome(
            local: local ?? 0, federated: federated,
            residual: residual.map { $0.margin(of: row) - residualBase } ?? 0)
        return Parts(
            local: local, federated: federated, combined: outcome.logOdds,
            isFloor: outcome.isFloor,
            probability: model.choice.calibration.probability(outcome.logOdds))
    }

    /// The combined log-odds of many rows, and those of its parts.
    package func logOdds(
        of rows: Dataset, threads: Int = 1
    ) throws(LearningError) -> (local: [Double]?, federated: [Double], combined: [Double]) {
        let shift = model.federated.classWeightLogOdds
        let federated = try model.federated.logOdds(of: rows, standard: standard, threads: threads)
            .map { $0 - shift }
        var local: [Double]?
        if let part = model.local {
            let shift = part.classWeightLogOdds
            local = try part.logOdds(of: rows, standard: standard, threads: threads)
                .map { $0 - shift }
        }
        var residual: [Double]?
        if let trees = model.residual {
            residual = try trees.residualMargins(of: rows, standard: standard, threads: threads)
        }
        let zeros = local ?? [Double](repeating: 0, count: rows.rowCount)
        return (
            local, federated,
            model.choice.rule.logOdds(local: zeros, federated: federated, residual: residual)
        )
    }
}

/// Scores single rows by one model.
package struct RowScorer: Sendable {
    private enum Layout {
        case trees(TreeScorer)
        case linear(LogisticModel)
    }

    private let layout: Layout
    private let features: [Feature]
    private let shift: Double

    /// Lays a model out.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)`` for another feature standard.
    package init(_ model: TrainedModel, standard: FeatureStandard) throws(LearningError) {
        guard model.standardDigest == standard.sha256 else {
            throw .invalidModel(
                reason: "it was trained on feature standard \(model.standardDigest.hexadecimal), "
                    + "the rows follow \(standard.sha256.hexadecimal)")
        }
        switch model {
        case .logistic(let model): layout = .linear(model)
        case .boosting(let model): layout = .trees(TreeScorer(model))
        }
        features = standard.features
        shift = model.classWeightLogOdds
    }

    /// The log-odds of one row, without class weights.
    func logOdds(of row: [Double]) -> Double {
        switch layout {
        case .trees(let scorer): return scorer.margin(of: row) - shift
        case .linear(let model):
            var sum = model.intercept - shift
            for index in features.indices {
                sum += model.coefficients[index] * model.input(index, of: row, features[index])
            }
            return sum
        }
    }
}

extension LogisticModel {
    /// The standardised input of a feature; 0 for one that did not vary in training.
    func input(_ index: Int, of row: [Double], _ feature: Feature) -> Double {
        guard standardisation.varies[index] else { return 0 }
        let range = feature.transformedRange
        let raw = row[index].isNaN ? feature.missing.imputedValue ?? 0 : row[index]
        let value = min(max(feature.transform(raw), range.lowerBound), range.upperBound)
        return (value - standardisation.means[index]) / standardisation.deviations[index]
    }
}

/// What stands in for missing values, feature by feature.
struct RowImputation: Sendable {
    /// NaN where a missing value stays one.
    private let values: [Double]

    init(_ standard: FeatureStandard) {
        values = standard.features.map { feature in
            if case .impute(let value) = feature.missing { value } else { .nan }
        }
    }

    /// The row with every missing value replaced whose policy is to impute.
    func imputed(_ row: [Double]) -> [Double] {
        precondition(row.count == values.count, "a row of another standard")
        var row = row
        for index in row.indices where row[index].isNaN { row[index] = values[index] }
        return row
    }
}
