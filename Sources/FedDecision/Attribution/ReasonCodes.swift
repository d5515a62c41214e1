package import FedCore

/// A feature that spoke for fraud, in words for reviewers.
package struct ReasonCode: Equatable, Sendable {
    /// The feature's name in the standard.
    package let feature: String
    /// How much it added to the score, in log-odds; positive.
    package let contribution: Double
    /// The feature's value; `nil` where it is missing.
    package let value: Double?
    /// The standard's description.
    package let description: String
    /// The same in Chinese; the feature's English description where the standard has none.
    package let descriptionChinese: String

    /// Wraps a reason.
    package init(
        feature: String, contribution: Double, value: Double?, description: String,
        descriptionChinese: String
    ) {
        self.feature = feature
        self.contribution = contribution
        self.value = value
        self.description = description
        self.descriptionChinese = descriptionChinese
    }

    /// Members of a JSON answer.
    package var json: CanonicalJSON {
        .object([
            "feature": .string(feature), "contribution": .number(contribution),
            "value": value.map { .number($0) } ?? .null, "description": .string(description),
            "description_zh": .string(descriptionChinese),
        ])
    }
}

/// Attributes the scores of a ``BankModel`` to features.
///
/// Trees by path-dependent TreeSHAP, linear models by coefficient · standardised input, which are
/// the Shapley values of a linear model around the training rows' means. A stacked score is a
/// weighted sum of both, so its values are the weighted sums; where the federated floor decided,
/// they are the federated model's.
package struct ReasonExplainer: Sendable {
    private enum Part {
        case trees(TreeAttributor, shift: Double)
        case linear(LogisticModel, shift: Double)
    }

    private let standard: FeatureStandard
    private let imputation: RowImputation
    private let local: Part?
    private let federated: Part
    private let residual: TreeAttributor?
    private let residualBase: Double
    private let scorer: BankScorer

    /// Lays a model out.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)`` for another feature standard.
    package init(_ model: BankModel, standard: FeatureStandard) throws(LearningError) {
        self.init(try BankScorer(model, standard: standard), standard: standard)
    }

    /// Explains the scores of a scorer.
    package init(_ scorer: BankScorer, standard: FeatureStandard) {
        let model = scorer.model
        self.scorer = scorer
        self.standard = standard
        imputation = RowImputation(standard)
        local = model.local.map(Self.part)
        federated = Self.part(model.federated)
        residual = model.residual.map(TreeAttributor.init)
        residualBase = Double(model.residual?.baseMargin ?? 0) * GradientScale.marginUnit
    }

    private static func part(_ model: TrainedModel) -> Part {
        let shift = model.classWeightLogOdds
        return switch model {
        case .logistic(let model): .linear(model, shift: shift)
        case .boosting(let model): .trees(TreeAttributor(model), shift: shift)
        }
    }

    private func attribution(_ part: Part, _ row: [Double]) -> Attribution {
        switch part {
        case .trees(let trees, let shift):
            let found = trees.attribution(of: row)
            return Attribution(base: found.base - shift, contributions: found.contributions)
        case .linear(let model, let shift):
            let found = model.attribution(of: row, standard: standard)
            return Attribution(base: found.base - shift, contributions: found.contributions)
        }
    }

    /// Attributes the combined score of a row of raw values, NaN where missing.
    ///
    /// The parts add up to the combined log-odds, but for scores beyond ±13.8, to which the rule
    /// holds them.
    package func attribution(of row: [Double]) -> Attribution {
        let row = imputation.imputed(row)
        let joint = attribution(federated, row)
        let rule = scorer.model.choice.rule
        if scorer.parts(of: row).isFloor {
            return Attribution(base: joint.base - rule.lenience, contributions: joint.contributions)
        }
        switch rule.kind {
        case .federated: return joint
        case .local: return local.map { attribution($0, row) } ?? joint
        case .stacked(let intercept, let localWeight, let federatedWeight):
            guard let local else { return joint }
            return .weighted(
                [(localWeight, attribution(local, row)), (federatedWeight, joint)],
                intercept: intercept)
        case .boosted:
            guard let residual else { return joint }
            return .weighted(
                [(1, joint), (1, residual.attribution(of: row))], intercept: -residualBase)
        }
    }

    /// The features that spoke most for fraud.
    ///
    /// - Parameter count: at most so many; fewer where fewer speak for it.
    /// - Returns: in falling order of contribution; of equal ones the earlier feature first.
    package func reasons(for row: [Double], count: Int) -> [ReasonCode] {
        let contributions = attribution(of: row).contributions
        let order = contributions.indices.filter { contributions[$0] > 0 }.sorted {
            (contributions[$1], $0) < (contributions[$0], $1)
        }
        return order.prefix(count).map { index in
            let feature = standard.features[index]
            return ReasonCode(
                feature: feature.name, contribution: contributions[index],
                value: row[index].isNaN ? nil : row[index], description: feature.description,
                descriptionChinese: feature.descriptionChinese ?? feature.description)
        }
    }
}

extension LogisticModel {
    /// coefficient · standardised input of each feature, around the intercept.
    package func attribution(of row: [Double], standard: FeatureStandard) -> Attribution {
        precondition(row.count == coefficients.count, "a row of \(row.count) values")
        return Attribution(
            base: intercept,
            contributions: standard.features.indices.map {
                coefficients[$0] * input($0, of: row, standard.features[$0])
            })
    }
}
