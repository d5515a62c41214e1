package import FedCore
package import FedDecision
internal import FedFiles

/// Measures what the federated model adds at one bank: its own local model, the federated one, and
/// both combined, on its own test rows.
package struct BankEvaluation: Sendable {
    /// The three data files of a bank.
    package struct Files: Sendable {
        package let bank: String
        package let fit: String
        package let valid: String
        package let test: String

        /// Wraps paths.
        package init(bank: String, fit: String, valid: String, test: String) {
            self.bank = bank
            self.fit = fit
            self.valid = valid
            self.test = test
        }
    }

    /// What the bank would score with.
    package let model: BankModel
    /// The figures.
    package let result: ComparisonReport.Bank
    /// The precision–recall curves.
    package let curves: RunReport.BankCurves
    /// Log-odds of each test row, by score.
    package let scores: PerScore<[Double]>
    /// The test rows' numbers; empty where the file has none.
    package let rowNumbers: [Int64]
    /// The test rows' labels.
    package let labels: [UInt8]

    /// Trains the bank's local model with the same algorithm, chooses the combination on the valid
    /// rows and scores the test rows.
    ///
    /// Where the fit rows are of one class there is no local model: its score is then the same for
    /// every row, and the combination is the federated one. A valid file without rows is taken: the
    /// combination is then the federated model too.
    ///
    /// - Parameters:
    ///   - budgets: shares of rows as text, such as "0.005"; the combination is chosen for the
    ///     middle one.
    package init(
        _ files: Files, standard: FeatureStandard, federated: TrainedModel,
        algorithm: AlgorithmConfiguration, budgets: [String], threads: Int = 1
    ) throws {
        let fit = try DatasetLoader.load(path: files.fit, standard: standard)
        var validOptions = DatasetLoader.Options()
        validOptions.requiresRows = false
        let valid = try DatasetLoader.load(
            path: files.valid, standard: standard, options: validOptions)
        var options = CombinationChoice.Options()
        if !budgets.isEmpty, let share = Double(budgets[budgets.count / 2]) {
            options.reviewShare = share
        }
        model = try BankModel.train(
            algorithm: algorithm, federated: federated, fit: fit, valid: valid,
            standard: standard, options: options, threads: threads)
        let test = try DatasetLoader.load(path: files.test, standard: standard)
        let found = try BankScorer(model, standard: standard).logOdds(of: test, threads: threads)
        scores = PerScore(
            local: found.local ?? [Double](repeating: 0, count: test.rowCount),
            federated: found.federated, combined: found.combined)
        labels = test.labels
        rowNumbers = test.rowNumbers
        let ranked = PerScore(
            local: try RankedScores(scores: scores.local, labels: labels),
            federated: try RankedScores(scores: scores.federated, labels: labels),
            combined: try RankedScores(scores: scores.combined, labels: labels))
        let summaries = PerScore(
            local: Self.summary(ranked.local, budgets),
            federated: Self.summary(ranked.federated, budgets),
            combined: Self.summary(ranked.combined, budgets))
        result = ComparisonReport.Bank(
            name: files.bank, testRows: test.rowCount, testFrauds: test.fraudCount,
            scores: summaries, combination: Self.words(model.choice))
        curves = RunReport.BankCurves(
            bank: files.bank,
            curves: PerScore(
                local: Self.curve(ranked.local), federated: Self.curve(ranked.federated),
                combined: Self.curve(ranked.combined)))
    }

    private static func summary(_ ranked: RankedScores, _ budgets: [String]) -> ScoreSummary {
        var caught: [String: Int] = [:]
        for budget in budgets {
            caught[budget] = ranked.review(share: Double(budget) ?? 0).caught
        }
        return ScoreSummary(
            auc: ranked.areaUnderROC, ap: ranked.averagePrecision, ks: ranked.kolmogorovSmirnov,
            caught: caught)
    }

    private static func curve(_ ranked: RankedScores) -> [RunReport.CurvePoint] {
        ranked.precisionRecallCurve(pointsMax: 200).map {
            RunReport.CurvePoint(recall: $0.recall, precision: $0.precision)
        }
    }

    /// Such as "stacked on the federated floor" or "federated (few-frauds)".
    private static func words(_ choice: CombinationChoice) -> String {
        switch (choice.rule.kind, choice.reason) {
        case (.federated, let reason): "federated (\(reason.rawValue))"
        case (.local, let reason): "local (\(reason.rawValue))"
        case (let kind, _):
            choice.rule.lenience > 0
                ? "\(kind.name.rawValue)" : "\(kind.name.rawValue), federated floor"
        }
    }

    /// Every test row with its label and its three scores, as CSV.
    package var scoresCSV: [UInt8] {
        var text = "row,fraud,local,federated,combined\n"
        for index in labels.indices {
            let row = rowNumbers.isEmpty ? Int64(index) : rowNumbers[index]
            text += "\(row),\(labels[index]),\(scores.local[index]),"
            text += "\(scores.federated[index]),\(scores.combined[index])\n"
        }
        return Array(text.utf8)
    }
}
