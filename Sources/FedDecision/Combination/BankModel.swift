package import FedCore
internal import FedCrypto

/// What a bank scores with: one document, one version, one digest.
///
/// It holds the bank's local model, the federated one, the trees grown on top of it, and the rule
/// that makes one calibrated score of them.
package struct BankModel: Equatable, Sendable {
    /// The member `format` of the document.
    package static let format = "fed-bank-model/1"
    /// The most bytes of a document.
    package static let documentBytesMax = 1 << 28

    /// 1 for the bank's first, one more for each further one.
    package let version: Int
    /// The bank's own model; `nil` where its rows were of one class.
    package let local: TrainedModel?
    /// The joint model.
    package let federated: TrainedModel
    /// The trees on top of the federated margin; `nil` where none were grown.
    package let residual: GradientBoostingModel?
    /// The rule, and what it rests on.
    package let choice: CombinationChoice
    /// The review budget that it was chosen for, as a share of rows.
    package let reviewShare: Double
    /// The canonical document.
    package let bytes: [UInt8]
    /// SHA-256 of the document.
    package let digest: [UInt8]

    /// Wraps the parts.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)`` when the models are of different feature
    ///   standards, or the rule needs a part that is not there.
    package init(
        version: Int, local: TrainedModel?, federated: TrainedModel,
        residual: GradientBoostingModel?, choice: CombinationChoice, reviewShare: Double
    ) throws(LearningError) {
        try self.init(
            version: version, local: local, federated: federated, residual: residual,
            choice: choice, reviewShare: reviewShare,
            documents: Documents(
                local: local?.document, federated: federated.document,
                residual: residual?.document))
    }

    /// The parts' documents, which are megabytes and not written again where they were just read.
    struct Documents {
        var local: ModelDocument?
        var federated: ModelDocument
        var residual: ModelDocument?
    }

    /// Wraps the parts, whose documents are at hand.
    init(
        version: Int, local: TrainedModel?, federated: TrainedModel,
        residual: GradientBoostingModel?, choice: CombinationChoice, reviewShare: Double,
        documents: Documents
    ) throws(LearningError) {
        let standards = [
            local?.standardDigest, federated.standardDigest, residual?.standardHash,
        ].compactMap { $0 }
        guard standards.allSatisfy({ $0 == standards[0] }) else {
            throw .invalidModel(reason: "its parts were trained on different feature standards")
        }
        switch choice.rule.kind {
        case .federated: break
        case .local, .stacked:
            guard local != nil else {
                throw .invalidModel(reason: "the rule needs a local model and there is none")
            }
        case .boosted:
            guard residual != nil else {
                throw .invalidModel(reason: "the rule needs trees on the margin, there are none")
            }
        }
        self.version = version
        self.local = local
        self.federated = federated
        self.residual = residual
        self.choice = choice
        self.reviewShare = reviewShare
        bytes =
            Self.json(
                version: version, documents: documents,
                standard: federated.standardDigest, choice: choice, reviewShare: reviewShare
            ).bytes
        digest = SHA256.hash(bytes)
    }

    /// SHA-256 of the feature standard.
    package var standardDigest: [UInt8] { federated.standardDigest }
}

/// Trains and chooses.
extension BankModel {
    /// The hyper-parameters of the trees on top of the federated margin: few and cautious, since
    /// the federated model has seen the same rows.
    package static func residualConfiguration(
        seed: UInt64 = 0
    ) throws(LearningError) -> GradientBoostingConfiguration {
        try GradientBoostingConfiguration([
            .treesMax: 40, .learningRate: 0.05, .depthMax: 3, .leafRegularisation: 20,
            .childRowsMin: 20, .contributorsMin: 1, .seed: Double(seed),
        ])
    }

    /// Grows trees on top of the federated margin, where the rows can carry it, and chooses the
    /// rule on the validation rows.
    ///
    /// - Parameters:
    ///   - local: the bank's own model; `nil` where its rows are of one class.
    ///   - fit: the rows to grow trees on.
    ///   - valid: the rows to choose on.
    ///   - growsTrees: whether the trees on the margin are a candidate.
    /// - Throws: ``LearningError``.
    package static func fit(
        version: Int = 1, local: TrainedModel?, federated: TrainedModel, fit: Dataset,
        valid: Dataset, standard: FeatureStandard,
        options: CombinationChoice.Options = CombinationChoice.Options(),
        growsTrees: Bool = true, threads: Int = 1
    ) throws(LearningError) -> BankModel {
        func margins(_ model: TrainedModel, _ rows: Dataset) throws(LearningError) -> [Double] {
            try model.logOdds(of: rows, standard: standard, threads: threads)
                .map { $0 - model.classWeightLogOdds }
        }
        let federatedValid = try margins(federated, valid)
        let localValid: [Double]? = if let local { try margins(local, valid) } else { nil }
        var residual: GradientBoostingModel?
        var residualValid: [Double]?
        if growsTrees, local != nil, valid.fraudCount >= CombinedModel.fraudCountMin,
            fit.fraudCount >= CombinedModel.fraudCountMin
        {
            let trees = try GradientBoostingTrainer.trainResidual(
                on: standard.imputed(fit), margins: try margins(federated, fit),
                schema: try TreeSchema(standard),
                configuration: try residualConfiguration(), threads: threads)
            residual = trees
            residualValid = try trees.residualMargins(
                of: valid, standard: standard, threads: threads)
        }
        let choice = try CombinationChoice.choose(
            local: localValid, federated: federatedValid, residual: residualValid,
            labels: valid.labels, options: options)
        return try BankModel(
            version: version, local: local, federated: federated,
            residual: choice.rule.kind == .boosted ? residual : nil, choice: choice,
            reviewShare: options.reviewShare)
    }
}

extension GradientBoostingModel {
    /// What trees grown on top of another margin add to it.
    func residualMargins(
        of rows: Dataset, standard: FeatureStandard, threads: Int
    ) throws(LearningError) -> [Double] {
        let base = Double(baseMargin) * GradientScale.marginUnit
        return try TreeScorer(self).margins(of: standard.imputed(rows).columns, threads: threads)
            .map { $0 - base }
    }
}

extension TrainedModel {
    /// By how much training with class weights lifted the log-odds over those of the rows as they
    /// are: ln(weight of a fraud / weight of another row).
    package var classWeightLogOdds: Double {
        switch self {
        case .logistic(let model):
            ElementaryFunctions.log(
                model.configuration.fraudWeight / model.configuration.normalWeight)
        case .boosting(let model): ElementaryFunctions.log(model.configuration[.fraudWeight])
        }
    }
}
