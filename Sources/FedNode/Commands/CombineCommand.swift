internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedDecision
internal import FedFiles
internal import FedRuntime

struct CombineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "combine",
        abstract: "Makes the bank's model: local and federated as one, chosen on its valid rows.")

    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "The federated model, as fed-node model writes it.")
    var model: String
    @Option(help: "Rows to train the local model on, CSV.")
    var fit: String
    @Option(help: "Rows to choose by, CSV.")
    var valid: String
    @Option(name: .customLong("set"), help: "A hyper-parameter of the local model, name=value.")
    var settings: [String] = []
    @Option(help: "The review budget for which is chosen, a share of rows.")
    var budget = 0.005
    @Option(help: "The version of the bank's model.")
    var version = 1
    @Option(name: .shortAndLong, help: "The file to write.")
    var out: String

    func validate() throws {
        guard budget > 0, budget < 1 else {
            throw ValidationError("--budget is \(budget), expected more than 0 and less than 1")
        }
    }

    func run() async throws {
        let standard = try StandardFile.read(standard)
        let federated = try ModelFile.read(model)
        let fit = try DatasetLoader.load(path: fit, standard: standard)
        let valid = try DatasetLoader.load(path: valid, standard: standard)
        let name: String
        switch federated {
        case .logistic: name = "logistic"
        case .boosting: name = "gbdt"
        }
        let algorithm = try AlgorithmConfiguration(
            name: name, configurationJSON: Array(try AlgorithmSettings.json(of: settings).utf8))
        var options = CombinationChoice.Options()
        options.reviewShare = budget
        let combined = try BankModel.train(
            version: version, algorithm: algorithm, federated: federated, fit: fit, valid: valid,
            standard: standard, options: options, threads: 2)
        try AtomicFile.write(combined.bytes, to: out)
        ConsoleOutput.line(
            "\(out): \(combined.choice.rule.kind) (\(combined.choice.reason.rawValue)), "
                + "model \(combined.digest.hexadecimal)")
    }
}
