package import FedCore
internal import FedFiles

/// Measures in one process what shared indicators add, from the banks' raw transactions.
///
/// The indicators are summed and the joint models trained by the plaintext twins of the protocol,
/// which give the same tables and models byte for byte.
package enum IndicatorMeasurement {
    /// A bank's file of raw transactions.
    package struct RawBank: Equatable, Sendable {
        /// The bank's name.
        package let name: String
        /// The path of its file, which says the part of each row.
        package let path: String

        /// Wraps a name and a path.
        package init(name: String, path: String) {
            self.name = name
            self.path = path
        }
    }

    /// A standard with the derivation that feeds it.
    package struct Features: Sendable {
        package let standard: FeatureStandard
        package let derivation: Derivation

        /// Wraps the two documents.
        package init(standard: FeatureStandard, derivation: Derivation) {
            self.standard = standard
            self.derivation = derivation
        }
    }

    /// Sums all indicators of a derivation over all periods of the banks' files.
    package static func tables(
        of derivation: Derivation, banks: [RawBank], secrets: IndicatorSecrets = .none
    ) throws -> [IndicatorTable] {
        var ledgers: [[IndicatorLedger]] = derivation.indicators.map { _ in [] }
        for bank in banks {
            let own = try RawTransactions.counts(
                of: bank.path, derivation: derivation, secrets: secrets
            ).ledgers
            for index in own.indices { ledgers[index].append(own[index]) }
        }
        var tables: [IndicatorTable] = []
        for (index, indicator) in derivation.indicators.enumerated() {
            let periods = ledgers[index].flatMap(\.countedPeriods)
            guard let first = periods.min(), let last = periods.max() else { continue }
            let end = last + 1
            let most = Int64(IndicatorPlan.periodCountMax)
            for start in stride(from: first, to: end, by: IndicatorPlan.periodCountMax) {
                let plan = try IndicatorPlan(
                    derivation, indicator: indicator.name, firstPeriod: start,
                    periodCount: Int(min(most, end - start)))
                tables.append(try IndicatorTable.plaintext(plan, ledgers: ledgers[index]))
            }
        }
        return tables
    }

    /// Writes the banks' feature files `bank_<NAME>_<fit|valid|test>.csv`.
    ///
    /// - Parameter folder: an existing folder.
    package static func build(
        _ features: Features, banks: [RawBank], tables: [IndicatorTable] = [],
        secrets: IndicatorSecrets = .none, folder: String
    ) throws -> [BankEvaluation.Files] {
        try banks.map { bank in
            try FeatureBuilder.build(
                raw: bank.path, derivation: features.derivation, standard: features.standard,
                output: .folder(folder, bank: bank.name), tables: tables, secrets: secrets)
            func path(_ part: String) -> String { "\(folder)/bank_\(bank.name)_\(part).csv" }
            return BankEvaluation.Files(
                bank: bank.name, fit: path("fit"), valid: path("valid"), test: path("test"))
        }
    }

    /// Builds the banks' feature files, trains the joint model and evaluates at every bank.
    ///
    /// - Parameter folder: an existing folder, to which the feature files are written.
    package static func evaluate(
        _ features: Features, banks: [RawBank], tables: [IndicatorTable] = [],
        secrets: IndicatorSecrets = .none, algorithm: AlgorithmConfiguration, budgets: [String],
        folder: String, threads: Int = 1
    ) throws -> [ComparisonReport.Bank] {
        let files = try build(
            features, banks: banks, tables: tables, secrets: secrets, folder: folder)
        var fit: [Dataset] = []
        var valid: [Dataset] = []
        for bank in files {
            fit.append(try DatasetLoader.load(path: bank.fit, standard: features.standard))
            var options = DatasetLoader.Options()
            options.requiresRows = false
            valid.append(
                try DatasetLoader.load(
                    path: bank.valid, standard: features.standard, options: options))
        }
        let federated = try algorithm.train(
            standard: features.standard, fit: fit, valid: valid, threads: threads)
        var results: [ComparisonReport.Bank] = []
        for bank in files {
            results.append(
                try BankEvaluation(
                    bank, standard: features.standard, federated: federated,
                    algorithm: algorithm, budgets: budgets, threads: threads
                ).result)
        }
        return results
    }
}
