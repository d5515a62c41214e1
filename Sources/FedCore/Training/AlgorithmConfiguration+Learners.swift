extension AlgorithmConfiguration {
    /// The coordinator's learner of a run.
    ///
    /// - Parameters:
    ///   - contributors: banks in the roster.
    ///   - manifestDigest: SHA-256 of the manifest; it goes into the model.
    public func jointLearner(
        standard: FeatureStandard, contributors: Int, manifestDigest: [UInt8]?
    ) throws(LearningError) -> any JointLearner {
        switch self {
        case .logistic(let configuration):
            try JointLogisticLearner(
                space: try LinearFeatureSpace(standard), configuration: configuration,
                contributors: contributors, manifestHash: manifestDigest)
        case .boosting(let configuration):
            try JointBoostingLearner(
                schema: try TreeSchema(standard), configuration: configuration,
                bankCount: contributors, manifestHash: manifestDigest)
        case .indicators(let plan):
            try JointIndicatorLearner(
                plan: plan, contributors: contributors, manifestHash: manifestDigest)
        case .tally(let configuration):
            JointTallyLearner(
                configuration: configuration, contributors: contributors,
                manifestHash: manifestDigest)
        }
    }

    /// A bank's learner of a training; counts come from elsewhere, see ``LocalTallyLearner``.
    ///
    /// - Parameters:
    ///   - data: what the bank brings; each algorithm takes its part of it.
    ///   - threads: threads to use.
    /// - Throws: ``LearningError/unusableData(reason:)`` when the part is not there.
    public func localLearner(
        standard: FeatureStandard, data: LocalData, threads: Int = 1
    ) throws(LearningError) -> any LocalLearner {
        switch self {
        case .logistic(let configuration):
            return try LocalLogisticLearner(
                dataset: try data.rows(), space: try LinearFeatureSpace(standard),
                configuration: configuration, threads: threads)
        case .boosting(let configuration):
            return try LocalBoostingLearner(
                fit: standard.imputed(try data.rows()), valid: data.valid.map(standard.imputed),
                schema: try TreeSchema(standard), configuration: configuration, threads: threads)
        case .indicators(let plan):
            guard let counts = data.counts else {
                throw .unusableData(
                    reason: "this bank was given no raw transactions to count indicators of")
            }
            do {
                return try LocalIndicatorLearner(plan: plan, ledger: try counts.ledger(for: plan))
            } catch let error as IndicatorError {
                throw .unusableData(reason: error.description)
            } catch let error as LearningError {
                throw error
            } catch {
                throw .unusableData(reason: "\(error)")
            }
        case .tally(let configuration):
            throw .unexpectedQuery(kind: configuration.name, reason: "there is nothing to count")
        }
    }

    /// Trains on rows in one place: the pooled model that the joint one must equal, or a bank's own.
    ///
    /// A bank's own model has no floor of contributing banks: there is nobody to protect from whom.
    ///
    /// - Parameters:
    ///   - fit: the rows of each bank; one data set for a bank's own model.
    ///   - valid: the validation rows of the same banks, or nothing.
    public func train(
        standard: FeatureStandard, fit: [Dataset], valid: [Dataset] = [],
        manifestDigest: [UInt8]? = nil, threads: Int = 2
    ) throws(LearningError) -> TrainedModel {
        switch self {
        case .logistic(let configuration):
            return .logistic(
                try LogisticTrainer.train(
                    on: fit, space: try LinearFeatureSpace(standard),
                    configuration: configuration, manifestHash: manifestDigest, threads: threads))
        case .boosting(let configuration):
            return .boosting(
                try GradientBoostingTrainer.train(
                    datasets: fit.map(standard.imputed), validation: valid.map(standard.imputed),
                    schema: try TreeSchema(standard),
                    configuration: fit.count == 1
                        ? try configuration.replacing(.contributorsMin, by: 1) : configuration,
                    manifestHash: manifestDigest, threads: threads))
        case .indicators:
            throw .invalidConfiguration(
                field: "algorithm", got: name, expected: Self.names.joined(separator: " or "))
        case .tally(let configuration):
            throw .unexpectedQuery(kind: configuration.name, reason: "it trains nothing")
        }
    }
}

/// What a bank brings to runs.
public struct LocalData: Sendable {
    /// Rows to train on; none at a bank that only counts indicators.
    public let fit: Dataset?
    /// Rows to choose by; may be absent.
    public let valid: Dataset?
    /// Figures of indicators, counted from raw transactions; may be absent.
    public let counts: IndicatorCounts?

    /// Wraps the parts.
    public init(fit: Dataset? = nil, valid: Dataset? = nil, counts: IndicatorCounts? = nil) {
        self.fit = fit
        self.valid = valid
        self.counts = counts
    }

    fileprivate func rows() throws(LearningError) -> Dataset {
        guard let fit else {
            throw .unusableData(reason: "this bank was given no rows to train on")
        }
        return fit
    }
}

extension GradientBoostingConfiguration {
    /// The same with one parameter changed.
    func replacing(
        _ parameter: BoostingParameter, by value: Double
    ) throws(LearningError) -> GradientBoostingConfiguration {
        var values: [BoostingParameter: Double] = [:]
        for other in BoostingParameter.allCases { values[other] = self[other] }
        values[parameter] = value
        return try GradientBoostingConfiguration(values)
    }
}
