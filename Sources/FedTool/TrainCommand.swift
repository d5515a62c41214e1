internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedFiles
internal import FedRuntime

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract:
            "Trains on rows in one place: a bank's own model, or a pooled one to compare with.")

    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "The algorithm: \(AlgorithmConfiguration.names.joined(separator: ", ")).")
    var algorithm = "logistic"
    @Option(name: .customLong("set"), help: "A hyper-parameter, name=value; may be repeated.")
    var settings: [String] = []
    @Option(help: "Threads to use.")
    var threads = 2
    @Option(help: "Runs of the training; the best time counts.")
    var repeats = 1
    @Option(name: .shortAndLong, help: "The model file to write.")
    var out: String?
    @Flag(help: "Print times and the model's digest as JSON.")
    var json = false
    @Argument(help: "Rows to train on, CSV; several files are pooled.")
    var files: [String]

    private struct Report: Encodable {
        let algorithm: String
        let rows: Int
        let frauds: Int
        let secondsData: Double
        let secondsTrain: Double
        let modelSHA256: String
        let blas: String
        let peakBytes: Int
    }

    func run() async throws {
        let standard = try StandardFile.read(standard)
        let algorithm = try AlgorithmConfiguration(
            name: algorithm, configurationJSON: Array(try AlgorithmSettings.json(of: settings).utf8)
        )
        let clock = ContinuousClock()
        var fit: [Dataset] = []
        let dataTime = try clock.measure {
            for file in files {
                fit.append(try DatasetLoader.load(path: file, standard: standard))
            }
        }
        var model: TrainedModel?
        let trainTime = Duration.seconds(
            try MeasureCommand.best(of: repeats) {
                model = try algorithm.train(standard: standard, fit: fit, threads: threads)
            })
        guard let document = model?.document else { return }
        if let out { try AtomicFile.write(document.bytes, to: out) }
        let report = Report(
            algorithm: algorithm.name, rows: fit.reduce(0) { $0 + $1.rowCount },
            frauds: fit.reduce(0) { $0 + $1.fraudCount }, secondsData: dataTime.seconds,
            secondsTrain: trainTime.seconds, modelSHA256: document.digest.hexadecimal,
            blas: BLASBoot.core, peakBytes: PeakMemory.bytes() ?? 0)
        if json { return try ConsoleOutput.json(report) }
        ConsoleOutput.line(
            "\(report.rows) rows, \(report.frauds) frauds: read in "
                + "\(dataTime.text), trained in \(trainTime.text) (BLAS \(report.blas))")
        if case .logistic(let logistic) = model { CoefficientTable.show(logistic) }
        ConsoleOutput.line("model \(report.modelSHA256)\(out.map { " in \($0)" } ?? "")")
    }

}
