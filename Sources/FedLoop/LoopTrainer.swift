internal import FedCore

/// The models that a period works with.
struct LoopModels {
    /// Each bank's own model; `nil` where its rows could not carry one.
    var local: [TreeScorer?] = []
    /// The model of all banks.
    var federated: TreeScorer?
    /// How each bank combines the two.
    var combinations: [CombinedModel] = []
    /// Total gain of the splits of the federated or else the first bank's model.
    var gains: [Double] = []
}

/// Trains the models of one morning.
struct LoopTrainer {
    /// Rows of a bank that a training takes, and the frauds among them.
    struct Sample {
        /// Feature by feature.
        var columns: [[Double]]
        var labels: [UInt8] = []
    }

    let schema: TreeSchema
    let plan: LoopPlan
    let variant: LoopVariant

    /// Trains each bank's model, and the joint one where the variant has it.
    func train(_ samples: [Sample]) throws(LearningError) -> LoopModels {
        let datasets = samples.map { Dataset(columns: $0.columns, labels: $0.labels) }
        var models = LoopModels()
        var alone = plan.boosting
        alone[.contributorsMin] = 1
        alone[.seed] = Double(plan.seed & 0xFFFF_FFFF)
        for dataset in datasets {
            guard dataset.fraudCount > 0, dataset.fraudCount < dataset.rowCount else {
                models.local.append(nil)
                continue
            }
            let model = try model([dataset], alone)
            if models.gains.isEmpty { models.gains = model.featureGains }
            models.local.append(TreeScorer(model))
        }
        guard variant.isFederated else { return models }
        var together = alone
        together[.contributorsMin] = Double(min(plan.contributorsMin, datasets.count))
        let federated = try model(datasets, together)
        models.gains = federated.featureGains
        models.federated = TreeScorer(federated)
        return models
    }

    private func model(
        _ datasets: [Dataset], _ parameters: [BoostingParameter: Double]
    ) throws(LearningError) -> GradientBoostingModel {
        try GradientBoostingTrainer.train(
            datasets: datasets, schema: schema,
            configuration: GradientBoostingConfiguration(parameters), threads: plan.threads)
    }
}
