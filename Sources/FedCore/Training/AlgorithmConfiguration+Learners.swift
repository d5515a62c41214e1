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
        }
    }

    /// A bank's learner of a run.
    ///
    /// - Parameters:
    ///   - fit: the rows to train on.
    ///   - threads: threads to use.
    public func localLearner(
        standard: FeatureStandard, fit: Dataset, threads: Int = 1
    ) throws(LearningError) -> any LocalLearner {
        switch self {
        case .logistic(let configuration):
            try LocalLogisticLearner(
                dataset: fit, space: try LinearFeatureSpace(standard),
                configuration: configuration, threads: threads)
        }
    }

    /// Trains on rows in one place: a bank's own model, or the pooled model that the joint one must
    /// equal.
    public func train(
        standard: FeatureStandard, fit: [Dataset], manifestDigest: [UInt8]? = nil,
        threads: Int = 2
    ) throws(LearningError) -> TrainedModel {
        switch self {
        case .logistic(let configuration):
            .logistic(
                try LogisticTrainer.train(
                    on: fit, space: try LinearFeatureSpace(standard),
                    configuration: configuration, manifestHash: manifestDigest, threads: threads))
        }
    }
}

extension LinearFeatureSpace {
    /// What the linear model needs of a feature standard.
    public init(_ standard: FeatureStandard) throws(LearningError) {
        try self.init(
            names: standard.features.map(\.name),
            transforms: standard.features.map {
                switch $0.transform {
                case .identity: .identity
                case .signedLog: .signedLog
                }
            },
            imputedValues: standard.features.map { $0.missing.imputedValue ?? 0 },
            transformedRanges: standard.features.map(\.transformedRange),
            standardHash: standard.sha256)
    }
}
