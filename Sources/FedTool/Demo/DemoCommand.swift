internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import Foundation

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Five banks and a coordinator, six processes, train one fraud model.",
        discussion: """
            Makes a synthetic consortium, or takes --data, a folder with \
            bank_<NAME>_<fit|valid|test>.csv of three or more banks (columns row, features, fraud). \
            Starts a coordinator and one node a bank on loopback, enrols the banks, trains over \
            mutual TLS with masked sums, and shows what each bank gained.
            """)

    @Option(help: "A folder with the banks' files. Default: a synthetic consortium.")
    var data: String?
    @Option(help: "A folder with bank_<NAME>_transactions.csv: features are derived first.")
    var raw: String?
    @Option(
        help: """
            The derivation of --raw, JSON. Default: the file of the standard's name in the folder \
            derivations beside that of the standard.
            """)
    var derivation: String?
    @Flag(
        help: """
            Also train with what the banks count together, by the standard and derivation \
            NAME_shared.json, and compare. Without --raw: on a synthetic consortium's transactions.
            """)
    var indicators = false
    @Option(
        help: "The feature standard, JSON. Default: the synthetic one, or a draft from the data.")
    var standard: String?
    @Option(help: "The algorithm: \(AlgorithmConfiguration.names.joined(separator: ", ")).")
    var algorithm = "logistic"
    @Option(name: .customLong("set"), help: "A hyper-parameter, name=value; may be repeated.")
    var settings: [String] = []
    @Option(help: "Review budgets, shares of rows, separated by commas.")
    var budgets = "0.001,0.005,0.01"
    @Option(help: "The seed of the synthetic consortium.")
    var seed: UInt64 = 6
    @Option(help: "The size of the synthetic consortium; 1 is about 170,000 rows.")
    var scale = 1.0
    @Option(help: "Where state folders, logs and the report go; an earlier demo there is replaced.")
    var out = "demo-output"
    @Option(
        help: """
            Write the figures to this JSON file (Schemas/comparison-report.v1.schema.json, with \
            --indicators indicator-gain.v1.schema.json).
            """)
    var json: String?
    @Option(help: "Write every test row's three scores, one CSV file a bank, into this folder.")
    var scores: String?
    @Flag(help: "Also train on all rows in one place and compare the two models.")
    var checkPooled = false

    func run() async throws {
        let budgets = try BudgetList(budgets).texts
        if raw != nil || indicators {
            let synthetic = raw == nil ? RawDemo.Synthetic(seed: seed, scale: scale) : nil
            guard let standard = standard ?? (raw == nil ? RawDemo.syntheticStandard : nil) else {
                throw CommandFailure("--raw needs --standard", exitKind: .usage)
            }
            try await RawDemo(
                raw: raw ?? out + "/raw", standard: standard, derivation: derivation,
                hasIndicators: indicators, folder: out, algorithm: algorithm, settings: settings,
                budgets: budgets, synthetic: synthetic
            ).run(json: json, scoresFolder: scores, checkPooled: checkPooled)
            return
        }
        var demo = try Demo(
            folder: out, algorithm: algorithm, settings: settings, budgets: budgets)
        let started = ContinuousClock.now
        try await demo.prepareData(data: data, standard: standard, seed: seed, scale: scale)
        try await demo.train()
        try await demo.evaluate(scoresFolder: scores, checkPooled: checkPooled)
        try demo.report(json: json, total: ContinuousClock.now - started)
    }
}
