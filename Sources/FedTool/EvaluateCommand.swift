internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedReport
internal import FedRuntime
internal import Foundation

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measures at a bank what a federated model adds to the bank's own.",
        discussion: """
            Trains the bank's own model on --fit, combines both on --valid, and compares local, \
            federated and local + federated on --test: AUC, average precision, KS, and frauds \
            caught within the review budgets.
            """)

    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "The federated model's file.")
    var model: String
    @Option(help: "The bank's name, for the report.")
    var bank = "own"
    @Option(help: "Rows to train the local model on, CSV.")
    var fit: String
    @Option(help: "Rows to fit the combination on, CSV.")
    var valid: String
    @Option(help: "Rows to measure on, CSV.")
    var test: String
    @Option(help: "Review budgets, shares of rows, separated by commas.")
    var budgets = "0.001,0.005,0.01"
    @Option(name: .customLong("set"), help: "A hyper-parameter of the local model, name=value.")
    var settings: [String] = []
    @Option(help: "Write every test row's three scores to this CSV file.")
    var scores: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let standard = try StandardFile.read(standard)
        let model = try ModelFile.read(model)
        let budgets = try BudgetList(budgets).texts
        let clock = ContinuousClock()
        var evaluation: BankEvaluation?
        let time = try clock.measure {
            evaluation = try BankEvaluation(
                BankEvaluation.Files(bank: bank, fit: fit, valid: valid, test: test),
                standard: standard, federated: model,
                algorithm: try AlgorithmConfiguration(
                    name: model.algorithm,
                    configurationJSON: Array(try AlgorithmSettings.json(of: settings).utf8)),
                budgets: budgets, threads: 2)
        }
        guard let evaluation else { return }
        if let scores { try AtomicFile.write(evaluation.scoresCSV, to: scores) }
        let report = try ComparisonReport(
            algorithm: model.algorithm, modelSHA256: model.document.digest.hexadecimal,
            standardSHA256: standard.sha256.hexadecimal, slots: 0,
            seconds: ComparisonReport.Seconds(data: 0, train: 0, evaluate: time.seconds),
            bytesSent: [:], budgets: budgets, banks: [evaluation.result],
            standardErrors: CoefficientTable.standardErrors(of: model))
        if json {
            ConsoleOutput.line(String(decoding: report.json.bytes, as: UTF8.self))
        } else {
            ConsoleOutput.line(ComparisonTable(report).text)
        }
    }
}

/// Review budgets on the command line.
struct BudgetList {
    /// As given.
    let texts: [String]

    init(_ list: String) throws {
        texts = list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        for text in texts {
            guard let share = Double(text), share > 0, share <= 1 else {
                throw CommandFailure(
                    "review budget \"\(text)\", expected a share of rows above 0 and up to 1",
                    exitKind: .usage)
            }
        }
        guard !texts.isEmpty else {
            throw CommandFailure("no review budget", exitKind: .usage)
        }
    }
}
