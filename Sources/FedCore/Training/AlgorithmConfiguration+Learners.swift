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
        }
    }

    /// A bank's learner of a run.
    ///
    /// - Parameters:
    ///   - fit: the rows to train on.
    ///   - valid: the rows to validate on, for algorithms that do.
    ///   - threads: threads to use.
    public func localLearner(
        standard: FeatureStandard, fit: Dataset, valid: Dataset? = nil, threads: Int = 1
    ) throws(LearningError) -> any LocalLearner {
        switch self {
        case .logistic(let configuration):
            try LocalLogisticLearner(
                dataset: fit, space: try LinearFeatureSpace(standard),
                configuration: configuration, threads: threads)
        case .boosting(let configuration):
            try LocalBoostingLearner(
                fit: standard.imputed(fit), valid: valid.map(standard.imputed),
                schema: try TreeSchema(standard), configuration: configuration, threads: threads)
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
        }
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
