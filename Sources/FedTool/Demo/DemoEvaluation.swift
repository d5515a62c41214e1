internal import FedConsole
internal import FedCore
internal import FedFiles
internal import FedReport
internal import FedRuntime
internal import Foundation

/// What each bank gained, measured on its own rows.
struct DemoEvaluation {
    let banks: [ComparisonReport.Bank]
    let curves: [RunReport.BankCurves]
    var pooled: ComparisonReport.Pooled?

    /// Evaluates the banks one after the other, two at a time.
    static func run(
        _ demo: Demo, standard: FeatureStandard, model: TrainedModel, scoresFolder: String?
    ) async throws -> DemoEvaluation {
        if let scoresFolder {
            try FileManager.default.createDirectory(
                atPath: scoresFolder, withIntermediateDirectories: true)
        }
        let (algorithm, budgets, banks) = (demo.algorithm, demo.budgets, demo.banks)
        let results = try await withThrowingTaskGroup(
            of: (Int, ComparisonReport.Bank, RunReport.BankCurves).self
        ) { group in
            func add(_ index: Int) {
                group.addTask {
                    let files = banks[index]
                    let evaluation = try BankEvaluation(
                        files, standard: standard, federated: model, algorithm: algorithm,
                        budgets: budgets)
                    if let scoresFolder {
                        try AtomicFile.write(
                            evaluation.scoresCSV, to: "\(scoresFolder)/\(files.bank).csv")
                    }
                    return (index, evaluation.result, evaluation.curves)
                }
            }
            var next = min(2, banks.count)
            for index in 0..<next { add(index) }
            var results: [(Int, ComparisonReport.Bank, RunReport.BankCurves)] = []
            while let result = try await group.next() {
                results.append(result)
                demo.progress.update("bank \(result.1.name) evaluated")
                if next < banks.count {
                    add(next)
                    next += 1
                }
            }
            return results.sorted { $0.0 < $1.0 }
        }
        return DemoEvaluation(banks: results.map(\.1), curves: results.map(\.2))
    }

    /// Trains on all banks' rows in one place and compares.
    static func pooled(
        _ demo: Demo, standard: FeatureStandard, federated: TrainedModel
    ) async throws -> ComparisonReport.Pooled {
        let fit = try demo.banks.map { try DatasetLoader.load(path: $0.fit, standard: standard) }
        var validOptions = DatasetLoader.Options()
        validOptions.requiresRows = false
        let valid = try demo.banks.map {
            try DatasetLoader.load(path: $0.valid, standard: standard, options: validOptions)
        }
        let pooled = try demo.algorithm.train(
            standard: standard, fit: fit, valid: valid,
            manifestDigest: federated.manifestDigest)
        return ComparisonReport.Pooled(
            modelSHA256: pooled.document.digest.hexadecimal,
            maxRelativeDifference: pooled.maxRelativeDifference(from: federated),
            identical: pooled.document == federated.document)
    }
}
