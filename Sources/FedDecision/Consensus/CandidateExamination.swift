package import FedCore

/// A bank looks at a candidate on its own recent rows: what it would score with if it took the
/// candidate, what that catches, and the vote that follows.
package struct CandidateExamination: Sendable {
    /// Local and federated as one.
    package let model: BankModel
    /// What was measured; `nil` for a bank without recent labelled rows.
    package let measurement: CandidateMeasurement?
    /// The vote, and the guard.
    package let finding: CandidateFinding

    /// The lanes that leave the bank, masked, with a vote: see ``ConsensusSums``.
    package func lanes(for vote: CandidateFinding) -> [Int64] {
        guard let measurement else { return ConsensusSums.lanes(of: vote) }
        return ConsensusSums.lanes(measurement, vote)
    }

    /// Trains the bank's own model, combines it with the candidate and measures both, and the
    /// active model, on the valid rows.
    ///
    /// - Parameters:
    ///   - version: the candidate's.
    ///   - algorithm: of the run that trained the candidate; the local model is trained alike.
    ///   - active: what the bank scores with now.
    ///   - recent: the recent rows; `nil` or no rows lead to an abstention.
    ///   - segments: what each recent row is counted under; nothing for one segment.
    ///   - reviewShare: the review budget as a share of rows.
    package init(
        version: UInt64, federated: TrainedModel, algorithm: AlgorithmConfiguration,
        active: BankModel?, fit: Dataset, recent: Dataset?, standard: FeatureStandard,
        segments: [String]? = nil, reviewShare: Double = CombinationChoice.Options().reviewShare,
        threads: Int = 1
    ) throws(LearningError) {
        var options = CombinationChoice.Options()
        options.reviewShare = reviewShare
        model = try BankModel.train(
            version: Int(clamping: version), algorithm: algorithm, federated: federated, fit: fit,
            valid: recent, standard: standard, options: options, threads: threads)
        guard let recent, recent.rowCount > 0 else {
            measurement = nil
            finding = CandidateFinding(decision: .abstain, reasons: [.fewFrauds])
            return
        }
        let scored = try Self.calibrated(model, recent, standard, threads)
        var incumbent: [Double]?
        if let active { incumbent = try Self.calibrated(active, recent, standard, threads).scores }
        let measured = try CandidateMeasurement(
            candidate: scored.scores, active: incumbent, local: scored.local,
            labels: recent.labels, segments: segments, reviewShare: reviewShare)
        measurement = measured
        finding = CandidateFinding(measured)
    }

    private static func calibrated(
        _ model: BankModel, _ rows: Dataset, _ standard: FeatureStandard, _ threads: Int
    ) throws(LearningError) -> (scores: [Double], local: [Double]?) {
        let found = try BankScorer(model, standard: standard).logOdds(of: rows, threads: threads)
        return (found.combined.map(model.choice.calibration.logOdds), found.local)
    }
}

extension BankModel {
    /// Trains the bank's own model and makes the bank's model of it and the federated one.
    ///
    /// Where the fit rows are of one class there is no local model, and the federated one scores
    /// alone.
    ///
    /// - Parameters:
    ///   - algorithm: how the local model is trained.
    ///   - valid: the rows to choose on; none lead to the federated model alone.
    package static func train(
        version: Int = 1, algorithm: AlgorithmConfiguration, federated: TrainedModel,
        fit: Dataset, valid: Dataset?, standard: FeatureStandard,
        options: CombinationChoice.Options = CombinationChoice.Options(), threads: Int = 1
    ) throws(LearningError) -> BankModel {
        let valid =
            valid
            ?? Dataset(
                columns: [[Double]](repeating: [], count: standard.features.count), labels: [])
        var local: TrainedModel?
        if fit.fraudCount > 0, fit.fraudCount < fit.rowCount {
            local = try algorithm.train(
                standard: standard, fit: [fit], valid: valid.rowCount > 0 ? [valid] : [],
                threads: threads)
        }
        return try BankModel.fit(
            version: version, local: local, federated: federated, fit: fit, valid: valid,
            standard: standard, options: options, threads: threads)
    }
}
