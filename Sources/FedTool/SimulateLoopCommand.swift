internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedFiles
internal import FedLoop
internal import FedRuntime
internal import FedSynthetic

struct SimulateLoopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate-loop",
        abstract: "Replays time: train, list, review, train again; reports what the loop gains.",
        discussion: """
            Every day each bank reviews its most suspicious rows; verdicts are known on the next \
            day, all other labels after the delay. Without --data the synthetic consortium is \
            replayed. With --data FOLDER it holds bank_<NAME>_transactions.csv, and --standard and \
            --derivation say what the features are.
            """)

    @Option(help: "A folder with bank_<NAME>_transactions.csv; else the synthetic consortium.")
    var data: String?
    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "The derivation, JSON; needed with --data.")
    var derivation: String?
    @Option(help: "A column of parties that all banks meet; may be repeated.")
    var shared: [String] = ["terminal"]
    @Option(help: "A column of parties of the bank's own; may be repeated.")
    var own: [String] = ["customer"]
    @Option(help: "The seed of the consortium and of all samples.")
    var seed: UInt64 = 1
    @Option(help: "The size of the synthetic consortium.")
    var scale = 1.0
    @Option(help: "The day on which the loop begins.")
    var firstDay: Int?
    @Option(help: "The first measured day; models are trained before, every 20 days.")
    var measuredFrom: Int?
    @Option(help: "Days of a period; models are trained where one begins.")
    var periodDays: Int?
    @Option(help: "Measured periods, at least \(LoopPlan.periodCountMin).")
    var periods = 8
    @Option(help: "Share of a day's rows that each bank reviews.")
    var review = 0.01
    @Option(help: "Share of the normal rows that is trained on.")
    var normalShare = 0.34
    @Option(help: "Amounts up to this multiple of the payer's mean count as usual.")
    var usualAmount = 2.5
    @Option(help: "Share of reviews by chance where verdicts are used, 0 to 0.5.")
    var exploration = 0.0
    @Option(name: .customLong("set"), help: "A hyper-parameter, name=value; may be repeated.")
    var settings: [String] = []
    @Option(help: "A variant by its name in the report; may be repeated. Default: all.")
    var variant: [String] = []
    @Option(help: "Variants replayed at once.")
    var jobs = 2
    @Option(help: "The file for the figures of each period, JSON.")
    var json: String?

    func validate() throws {
        guard (0...0.5).contains(exploration) else {
            throw ValidationError("--exploration is \(exploration), expected 0...0.5")
        }
    }

    func run() async throws {
        let plan = try makePlan()
        let stream = try makeStream(plan)
        let entries = try await replay(stream, plan)
        let report = try LoopReport(
            data: data.map(BlockReader.fileName) ?? "synthetic", stream: stream, plan: plan,
            entries: entries)
        for share in plan.reportShares.indices {
            ConsoleOutput.line(
                "Frauds caught within \(plan.reportShares[share] * 100) % of each day's rows, "
                    + "\(plan.periodCount) periods of \(plan.periodDays) days:")
            ConsoleOutput.table(LoopReport.header, report.rows(share: share))
        }
        if let json { try AtomicFile.write(report.json.bytes, to: json) }
    }

    /// The variants asked for, and the one that gains are measured against.
    private var variants: [LoopVariant] {
        get throws {
            let known = LoopVariant.standard
            if let stranger = variant.first(where: { name in !known.contains { $0.name == name } })
            {
                throw CommandFailure(
                    "--variant \(stranger) is unknown",
                    hint: "they are: " + known.map(\.name).joined(separator: "; "),
                    exitKind: .usage)
            }
            return known.filter {
                variant.isEmpty || $0 == .local || variant.contains($0.name)
            }.map { variant in
                var variant = variant
                if variant.usesVerdicts { variant.exploration = exploration }
                return variant
            }
        }
    }

    private func makePlan() throws -> LoopPlan {
        let preset = data == nil ? LoopPlan.synthetic : LoopPlan.handbook
        let firstDay = firstDay ?? preset.firstDay
        let measuredFrom = measuredFrom ?? preset.measuredFrom
        var plan = LoopPlan(
            firstDay: firstDay,
            warmUpTrainings: firstDay < measuredFrom
                ? Array(stride(from: firstDay, to: measuredFrom - 10, by: 20)) : [firstDay],
            measuredFrom: measuredFrom, periodDays: periodDays ?? preset.periodDays,
            periodCount: periods)
        plan.reviewShare = review
        plan.reportShares = [review / 2, review]
        plan.normalShare = normalShare
        plan.usualAmountMax = usualAmount
        plan.seed = seed
        plan.boosting = try boosting(preset.boosting)
        return plan
    }

    private func boosting(
        _ preset: [BoostingParameter: Double]
    ) throws -> [BoostingParameter: Double] {
        var boosting = preset
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let parameter = BoostingParameter(rawValue: parts[0]),
                let value = Double(parts[1])
            else {
                throw CommandFailure(
                    "--set \(setting) is no hyper-parameter=number", exitKind: .usage)
            }
            boosting[parameter] = value
        }
        return boosting
    }

    private func makeStream(_ plan: LoopPlan) throws -> LoopStream {
        let document = try StandardFile.read(standard)
        do {
            guard let data else {
                return try LoopData.synthetic(seed: seed, scale: scale, standard: document)
            }
            guard let derivation else {
                throw CommandFailure("--data needs --derivation", exitKind: .usage)
            }
            let files = LoopData.files(in: data)
            guard !files.isEmpty else {
                throw CommandFailure(
                    "\(data): no bank_<NAME>_transactions.csv there", exitKind: .noInput)
            }
            return try LoopData.stream(
                files: files, standard: document,
                derivation: try Derivation(json: try AtomicFile.read(derivation)),
                entities: LoopData.Entities(shared: shared, own: own), endDay: plan.endDay)
        } catch let error as SyntheticError {
            throw CommandFailure(error)
        } catch let error as FeatureBuilderError {
            throw CommandFailure("\(error)", exitKind: .data)
        } catch let error as DerivationError {
            throw CommandFailure("\(error)", exitKind: .data)
        } catch let error as LoopError {
            throw CommandFailure("\(error)", exitKind: .data)
        }
    }

    private func replay(_ stream: LoopStream, _ plan: LoopPlan) async throws -> [LoopReport.Entry] {
        do {
            return try await LoopData.replay(
                try variants, of: stream, plan: plan, jobs: max(1, jobs))
        } catch let error as LoopError {
            throw CommandFailure("\(error)", exitKind: .data)
        }
    }
}
