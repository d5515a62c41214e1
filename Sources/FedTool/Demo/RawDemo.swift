internal import FedConsole
internal import FedCore
internal import FedReport
internal import FedRuntime
internal import FedSynthetic
internal import Foundation

/// The demonstration from raw transactions: features are derived, with own windows and, where asked,
/// with what the banks count together; each kind is trained by the processes of ``Demo``.
struct RawDemo {
    let raw: String
    let standardPath: String
    let derivationPath: String
    let hasIndicators: Bool
    let folder: String
    let algorithm: String
    let settings: [String]
    let budgets: [String]
    /// The consortium to be made first; `nil` where the files are there.
    let synthetic: Synthetic?

    /// A synthetic consortium.
    struct Synthetic {
        let seed: UInt64
        let scale: Double
    }

    /// The standard of the synthetic consortium's raw transactions, beside the sources.
    static let syntheticStandard = "Datasets/standards/synthetic_raw.json"

    /// Prepares a demonstration.
    ///
    /// - Parameter derivation: by default the file of the standard's name in the folder
    ///   `derivations` beside that of the standard.
    init(
        raw: String, standard: String, derivation: String?, hasIndicators: Bool, folder: String,
        algorithm: String, settings: [String], budgets: [String], synthetic: Synthetic? = nil
    ) {
        self.raw = raw
        standardPath = standard
        derivationPath = derivation ?? Self.derivation(beside: standard)
        self.hasIndicators = hasIndicators
        self.folder = folder
        self.algorithm = algorithm
        self.settings = settings
        self.budgets = budgets
        self.synthetic = synthetic
    }

    private func make(_ synthetic: Synthetic) throws {
        do {
            try SyntheticConsortium.write(
                to: raw, seed: synthetic.seed, scale: synthetic.scale, withTransactions: true)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Runs all of it and prints what was gained.
    func run(json: String?, scoresFolder: String?, checkPooled: Bool) async throws {
        if let synthetic { try make(synthetic) }
        let banks = try rawBanks()
        let started = ContinuousClock.now
        let (own, _) = try await demo(
            "own", standard: standardPath, derivation: derivationPath, banks: banks,
            isShared: false, scoresFolder: scoresFolder, checkPooled: checkPooled)
        guard hasIndicators else {
            try own.report(json: json, total: ContinuousClock.now - started)
            return
        }
        try own.report(json: nil, total: ContinuousClock.now - started)
        let (shared, tables) = try await demo(
            "shared", standard: Self.shared(standardPath),
            derivation: Self.shared(derivationPath), banks: banks, isShared: true,
            scoresFolder: scoresFolder.map { $0 + "-shared" }, checkPooled: checkPooled)
        try shared.report(json: nil, total: ContinuousClock.now - started)
        guard let first = own.evaluation, let second = shared.evaluation, let tables else { return }
        let report = try IndicatorGainReport(
            budgets: budgets, own: first.banks, shared: second.banks,
            counting: tables.counting)
        ConsoleOutput.line(report.text)
        if let json { try AtomicFile.write(report.json.bytes, to: json) }
    }

    /// Derives one kind of features, then trains and evaluates.
    private func demo(
        _ name: String, standard: String, derivation: String,
        banks: [IndicatorMeasurement.RawBank], isShared: Bool, scoresFolder: String?,
        checkPooled: Bool
    ) async throws -> (demo: Demo, tables: DemoTables?) {
        let features = IndicatorMeasurement.Features(
            standard: try StandardFile.read(standard),
            derivation: try DerivationFile.read(derivation))
        let data = "\(folder)/\(name)-features"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        var demo = try Demo(
            folder: "\(folder)/\(name)", algorithm: algorithm, settings: settings,
            budgets: budgets)
        try demo.clear()
        demo.isCleared = true
        demo.standardPath = standard
        demo.banks = banks.map {
            BankEvaluation.Files(bank: $0.name, fit: "", valid: "", test: "")
        }
        var shared: DemoTables?
        if isShared {
            shared = try await DemoTables.sum(
                demo, derivation: features.derivation, derivationPath: derivation, banks: banks)
        }
        demo.progress.begin("deriving features from \(raw)")
        _ = try IndicatorMeasurement.build(
            features, banks: banks, tables: shared?.tables ?? [],
            secrets: shared?.secrets ?? .none, folder: data)
        try await demo.prepareData(data: data, standard: standard, seed: 0, scale: 1)
        try await demo.train()
        try await demo.evaluate(scoresFolder: scoresFolder, checkPooled: checkPooled)
        return (demo, shared)
    }

    private func rawBanks() throws -> [IndicatorMeasurement.RawBank] {
        let banks = LoopData.files(in: raw).map {
            IndicatorMeasurement.RawBank(name: $0.bank, path: $0.path)
        }
        guard banks.count >= Roster.banksMin else {
            throw CommandFailure(
                "\(raw): \(banks.count) banks found, at least \(Roster.banksMin) are needed",
                hint: "the files are named bank_<NAME>_transactions.csv", exitKind: .noInput)
        }
        return banks
    }

    /// `…/standards/NAME.json` becomes `…/derivations/NAME.json`.
    private static func derivation(beside standard: String) -> String {
        let url = URL(fileURLWithPath: standard)
        return url.deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("derivations").appendingPathComponent(url.lastPathComponent)
            .path
    }

    /// `…/NAME.json` becomes `…/NAME_shared.json`.
    private static func shared(_ path: String) -> String {
        path.hasSuffix(".json") ? String(path.dropLast(5)) + "_shared.json" : path + "_shared"
    }
}
