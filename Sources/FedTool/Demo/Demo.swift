internal import FedConsole
internal import FedCore
internal import FedFiles
internal import FedReport
internal import FedRuntime
internal import FedSynthetic
internal import Foundation

/// The demonstration, step by step; what an operator does by hand, in one process that starts the
/// others.
struct Demo {
    let folder: String
    let algorithm: AlgorithmConfiguration
    let settings: [String]
    let budgets: [String]
    let progress = DemoProgress()

    /// Whether the folder is this demonstration's already.
    var isCleared = false
    var banks: [BankEvaluation.Files] = []
    var standardPath = ""
    var standard: FeatureStandard?
    var dataTime = Duration.zero
    var training: DemoTraining?
    var evaluation: DemoEvaluation?
    var evaluateTime = Duration.zero

    init(folder: String, algorithm: String, settings: [String], budgets: [String]) throws {
        self.folder = folder
        self.settings = settings
        self.budgets = budgets
        self.algorithm = try AlgorithmConfiguration(
            name: algorithm, configurationJSON: Array(try AlgorithmSettings.json(of: settings).utf8)
        )
    }

    /// The feature standard of the synthetic consortium, beside the sources.
    private static let syntheticStandard = "Datasets/standards/synthetic.json"

    /// Clears what an earlier demonstration left, but nothing that is not of a demonstration.
    func clear() throws {
        let files = FileManager.default
        let marker = folder + "/.fed-demo"
        if files.fileExists(atPath: folder) {
            let isOurs = files.fileExists(atPath: marker)
            let isEmpty = (try? files.contentsOfDirectory(atPath: folder).isEmpty) ?? false
            guard isOurs || isEmpty else {
                throw CommandFailure(
                    "\(folder) exists and is not of an earlier demonstration",
                    hint: "choose another folder with --out", exitKind: .cannotCreate)
            }
            try files.removeItem(atPath: folder)
        }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try AtomicFile.write([], to: marker)
    }

    /// Makes or finds the data and the feature standard.
    mutating func prepareData(
        data: String?, standard path: String?, seed: UInt64, scale: Double
    ) async throws {
        if !isCleared { try clear() }
        let started = ContinuousClock.now
        let source = data ?? folder + "/data"
        if data == nil {
            progress.begin("making a synthetic consortium (seed \(seed))")
            do {
                try SyntheticConsortium.write(to: source, seed: seed, scale: scale)
            } catch {
                throw CommandFailure(error)
            }
        } else {
            progress.begin("looking at \(source)")
        }
        banks = try BankFolder(source, banksMin: Roster.banksMin).banks
        standardPath = path ?? (data == nil ? Self.syntheticStandard : folder + "/standard.json")
        if path == nil, data != nil {
            progress.begin("drafting a feature standard from the banks' fit files")
            let draft = try StandardDrafter.draft(name: "draft", paths: banks.map(\.fit))
            try AtomicFile.write(draft.readableBytes, to: standardPath)
        }
        standard = try StandardFile.read(standardPath)
        dataTime = ContinuousClock.now - started
        progress.done(
            "\(banks.count) banks: \(banks.map(\.bank).joined(separator: ", "))")
    }

    /// Starts the processes, enrols the banks, trains, ends the processes.
    mutating func train() async throws {
        training = try await DemoTraining.run(self)
    }

    /// Measures at every bank.
    mutating func evaluate(scoresFolder: String?, checkPooled: Bool) async throws {
        guard let training, let standard else { return }
        let started = ContinuousClock.now
        progress.begin("evaluating at each bank: local model, combination, test rows")
        evaluation = try await DemoEvaluation.run(
            self, standard: standard, model: training.model, scoresFolder: scoresFolder)
        evaluateTime = ContinuousClock.now - started
        if checkPooled {
            progress.begin("training on all rows in one place, to compare")
            let pooled = try await DemoEvaluation.pooled(
                self, standard: standard, federated: training.model)
            evaluation?.pooled = pooled
        }
        progress.done("evaluated")
    }
}

/// Progress lines of the demonstration: what is being done, with a clock after two seconds.
final class DemoProgress: Sendable {
    private let line = ProgressLine()
    private let started = ContinuousClock.now

    /// A step begins.
    func begin(_ text: String) { line.update(stamp + text + " …") }

    /// The step has come to a part of it.
    func update(_ text: String) { line.update(stamp + text) }

    /// How far the step is; there will be more of it.
    func news(_ text: String) { line.update(stamp + text, isNews: true) }

    /// The step is done.
    func done(_ text: String) {
        line.update(stamp + text)
        line.finish()
    }

    private var stamp: String {
        String(format: "[%5.1f s] ", (ContinuousClock.now - started).seconds)
    }
}
