internal import FedConsole
internal import FedCore
internal import FedReport
internal import FedRuntime
internal import Foundation

extension Demo {
    /// Prints the table, writes the HTML report and, where asked, the JSON document.
    func report(json: String?, total: Duration) throws {
        guard let training, let evaluation, let standard else { return }
        let comparison = try ComparisonReport(
            algorithm: algorithm.name, modelSHA256: training.model.document.digest.hexadecimal,
            standardSHA256: standard.sha256.hexadecimal, slots: training.slots,
            seconds: ComparisonReport.Seconds(
                data: dataTime.seconds, train: training.trainTime.seconds,
                evaluate: evaluateTime.seconds),
            bytesSent: training.bytesSent, budgets: budgets, banks: evaluation.banks,
            pooled: evaluation.pooled,
            standardErrors: CoefficientTable.standardErrors(of: training.model))
        ConsoleOutput.line(ComparisonTable(comparison).text)
        if let pooled = evaluation.pooled { ConsoleOutput.line(words(pooled)) }
        let page = folder + "/report.html"
        let report = RunReport(
            title: "What \(banks.count) banks gained by training together",
            comparison: comparison, curves: evaluation.curves, sent: training.sent,
            maskedSums: training.maskedSums, facts: facts(training, total: total))
        try AtomicFile.write(Array(HTMLReport(report).text.utf8), to: page)
        try AtomicFile.write(training.model.document.bytes, to: folder + "/model.json")
        if let json { try AtomicFile.write(comparison.json.bytes, to: json) }
        let bytes = training.bytesSent.values.max() ?? 0
        ConsoleOutput.line(
            """
            No row has left a bank: at most \(bytes) bytes of masked sums, keys and signatures did.
            report  \(page)
            model   \(folder)/model.json
            """)
    }

    private func words(_ pooled: ComparisonReport.Pooled) -> String {
        if pooled.identical {
            return "Pooled training gives the same model, byte for byte: \(pooled.modelSHA256)"
        }
        guard let difference = pooled.maxRelativeDifference else {
            return "Pooled training gives a model of another shape: \(pooled.modelSHA256)"
        }
        return "Pooled training gives coefficients that differ by at most "
            + String(format: "%.1e", difference) + " relative"
    }

    private func facts(_ training: DemoTraining, total: Duration) -> [RunReport.Fact] {
        var facts = [
            RunReport.Fact("run", training.run),
            RunReport.Fact("suite", Manifest.suite),
            RunReport.Fact("banks", banks.map(\.bank).joined(separator: ", ")),
            RunReport.Fact("feature standard", standardPath),
            RunReport.Fact("BLAS kernels", BLASBoot.core),
            RunReport.Fact("mask kernels", MaskGenerator.implementationName),
            RunReport.Fact("whole demonstration", total.text),
        ]
        for (name, bytes) in training.peakBytes.sorted(by: { $0.key < $1.key }) where bytes > 0 {
            facts.append(RunReport.Fact("peak memory, \(name)", "\(bytes >> 20) MiB"))
        }
        return facts
    }
}
