package import ArgumentParser
package import FedConsole
internal import FedCore
internal import FedCrypto
internal import FedDecision
internal import FedFiles
internal import FedRuntime
internal import FedService
internal import FedWire
internal import Foundation
internal import Logging

/// `fed-node`.
package struct NodeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "fed-node",
        abstract: "A member bank's service: trains on the bank's own rows, sends masked sums only.",
        discussion: "A first run: enrol with the invitation, then serve.",
        subcommands: [
            EnrolCommand.self, ServeCommand.self, RunsCommand.self, ReceiptCommand.self,
            LedgerCommand.self, MembersCommand.self, ModelCommand.self, TablesCommand.self,
            IndicatorKeyCommand.self, CombineCommand.self, ScoreCommand.self, ShadowCommand.self,
            VerdictsCommand.self,
            EffectCommand.self, ModelsCommand.self, ActivateCommand.self, RollbackCommand.self,
            DoctorCommand.self,
        ])

    package init() {}
}

/// Options that every command shares.
struct StateOptions: ParsableArguments {
    @Option(name: .long, help: "The node's state folder.")
    var state = "node-state"

    /// The enrolled node in the folder, which stays locked as long as the value lives.
    ///
    /// Looks before it locks, so that a mistyped path makes no folder.
    func lockedNode() throws -> NodeState {
        _ = try NodeState(in: try StateDirectory(reading: state))
        return try NodeState(in: try StateDirectory(state))
    }

    /// What an enrolled node has recorded, also while it serves.
    func store() throws -> NodeStore {
        try NodeStore(in: try NodeState(in: try StateDirectory(reading: state)).folder)
    }
}

extension NodeFailure: ExitingError {
    package var exitKind: ExitKind {
        switch self {
        case .notEnrolled: .noInput
        case .alreadyEnrolled: .cannotCreate
        case .standard: .data
        case .anotherIndicatorKey: .cannotCreate
        }
    }
}

struct EnrolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enrol",
        abstract: "Becomes a member: makes this bank's keys here and gets a certificate.")

    @OptionGroup var options: StateOptions
    @Option(help: "The invitation file from the coordinator's operator.")
    var invitation: String

    func run() async throws {
        let invitation = try Invitation(json: try AtomicFile.read(invitation))
        let node = try await NodeState.enrol(
            with: invitation, in: try StateDirectory(options.state))
        ConsoleOutput.line(
            """
            bank \(node.bank) is enrolled; state in \(options.state)
            identity key \(try node.identity().publicKey.hexadecimal)
            next: fed-node serve --state \(options.state) --standard FILE --fit FILE
            """)
    }
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Connects to the coordinator and takes part in runs until it is told to stop.",
        discussion: """
            With --fit it can train models, with --raw and --derivation it can sum shared \
            indicators, which fed-node tables lists; the transactions are read again for each run.
            """)

    @OptionGroup var options: StateOptions
    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "Rows to train on, CSV.")
    var fit: String?
    @Option(help: "Rows to choose by, CSV; optional.")
    var valid: String?
    @Option(help: "Raw transactions to count indicators of: FILE.csv or FILE.sqlite?table=NAME.")
    var raw: String?
    @Option(help: "The derivation that declares the indicators, JSON.")
    var derivation: String?
    @Option(
        name: .customLong("column"),
        help: "A column of --raw under the bank's own name, derivation=bank; may be repeated.")
    var columns: [String] = []
    @Flag(help: "Let a greater revision replace what was summed of a period, over the same banks.")
    var permitCorrections = false
    @Option(
        help: """
            Seconds of silence after which the coordinator counts as gone; it is asked for a \
            sign of life in a third of them. Default: 9.
            """)
    var silenceSeconds = 9
    @Option(
        help: """
            The folder of fed-node score: its lists' effect may be summed, masked; with --raw its \
            verdicts enter the indicators of the transactions that were scored under their rows' \
            numbers.
            """)
    var reviews: String?
    @Option(help: "When the time of --raw is 0, seconds since 1970: verdicts are dated by it.")
    var origin: Int64 = 0
    @Flag(help: "Train on the verdicts in --reviews too, weighted for how their cases were chosen.")
    var verdictLabels = false
    @Option(
        help: "A published model that passes this bank's guard: automatic or manual activation.")
    var activation = Activation.automatic
    @Option(help: "The review budget at which candidates are judged, a share of rows.")
    var reviewBudget = ConsensusOptions().reviewShare
    @Option(help: "A feature whose values are the segments that a candidate is judged in.")
    var segment: String?
    @Option(help: "Threads to train with. Default: one for each of the machine's cores, at most 8.")
    var threads: Int?
    @Option(help: "The quietest lines to log: debug, info, warning, error.")
    var logLevel = "info"

    enum Activation: String, ExpressibleByArgument, CaseIterable {
        case automatic, manual
    }

    func validate() throws {
        guard fit != nil || raw != nil else {
            throw ValidationError("--fit or --raw is needed: this bank would bring nothing")
        }
        guard (raw == nil) == (derivation == nil) else {
            throw ValidationError("--raw and --derivation go together")
        }
        guard (1...86_400).contains(silenceSeconds) else {
            throw ValidationError("--silence-seconds is \(silenceSeconds), expected 1 to 86400")
        }
        guard origin.magnitude <= 1 << 52 else {
            throw ValidationError("--origin is \(origin), expected seconds within ±2^52")
        }
        guard (threads ?? 1) >= 1 else {
            throw ValidationError("--threads is \(threads ?? 0), expected 1 or more")
        }
        guard !verdictLabels || reviews != nil else {
            throw ValidationError("--verdict-labels needs --reviews")
        }
        guard reviewBudget > 0, reviewBudget < 1 else {
            throw ValidationError(
                "--review-budget is \(reviewBudget), expected more than 0 and less than 1")
        }
    }

    func run() async throws {
        Telemetry.start(level: Logger.Level(rawValue: logLevel) ?? .info)
        var logger = Logger(label: "fed-node")
        let state = try options.lockedNode()
        logger[metadataKey: "node.id"] = "\(state.bank)"
        try await state.credentials().check(expected: .bank(state.bank))
        let standard = try StandardFile.read(standard)
        let reviewStore = try reviews.map { folder in try ReviewFolder.open(folder) }
        let data = try await data(standard, state: state, reviews: reviewStore, logger: logger)
        logger.info(
            "data are ready",
            metadata: [
                "rows": "\(data.rowCount)", "frauds": "\(data.fit?.fraudCount ?? 0)",
                "standard.sha256": "\(standard.sha256.hexadecimal)", "blas": "\(BLASBoot.core)",
                "masks": "\(MaskGenerator.implementationName)",
            ])
        if let fit = data.fit, fit.fraudCount == 0 || fit.fraudCount == fit.rowCount {
            logger.warning(
                "this bank's rows are of one class only: it can help the joint model, but has no local one"
            )
        }
        if let segment, !standard.features.contains(where: { $0.name == segment }) {
            throw CommandFailure(
                "--segment \(segment) is no feature of the standard",
                hint: "fed standard show lists them", exitKind: .data)
        }
        var consensus = ConsensusOptions()
        consensus.activatesAtOnce = activation == .automatic
        consensus.reviewShare = reviewBudget
        consensus.segmentFeature = segment
        let service = try NodeService(
            state: state, standard: standard, data: data, logger: logger,
            settings: TransportSettings(silenceMax: .seconds(silenceSeconds)),
            consensus: consensus, reviews: reviewStore,
            threads: threads ?? min(8, ProcessInfo.processInfo.activeProcessorCount))
        var quiet = logger
        quiet.logLevel = .error
        try await ServiceRunner.run([service], logger: quiet)
        logger.info(
            "stopped",
            metadata: [
                "cpu.seconds": "\(ProcessorTime.seconds())",
                "peak.bytes": "\(PeakMemory.bytes() ?? 0)",
            ])
    }

    private func data(
        _ standard: FeatureStandard, state: NodeState, reviews: ReviewStore?, logger: Logger
    ) async throws -> NodeData {
        var rows = try fit.map { try DatasetLoader.load(path: $0, standard: standard) }
        if verdictLabels, let reviews, let found = rows {
            rows = try await overlaid(found, standard: standard, reviews, logger: logger)
        }
        var indicators: NodeIndicators?
        var rawRows = 0
        if let raw, let derivation {
            let source = NodeIndicators(
                raw: raw, mapping: try DerivationFile.mapping(columns),
                derivation: try DerivationFile.read(derivation),
                secrets: try secrets(of: state),
                permitsCorrections: permitCorrections, reviews: reviews, origin: origin)
            do {
                rawRows = try source.counts().rowCount
            } catch {
                throw CommandFailure(
                    "\(error)", hint: "fed check --raw --derivation", exitKind: .data)
            }
            indicators = source
        }
        return NodeData(
            fit: rows,
            valid: try valid.flatMap { path throws in
                try validRows(path, standard: standard, logger: logger)
            }, indicators: indicators, rawRowCount: rawRows)
    }

    /// The banks' key; without it one that nobody shares, so that runs of sketches are refused by
    /// its check and others go on.
    private func secrets(of state: NodeState) throws -> IndicatorSecrets {
        if let key = try state.indicatorKey() { return try IndicatorSecrets(key: key) }
        var bytes = try SystemEntropy.bytes(IndicatorSecrets.keyByteCount)
        return try IndicatorSecrets(key: SecretBytes(wiping: &bytes))
    }

    /// The rows with reviewers' findings in them.
    private func overlaid(
        _ rows: Dataset, standard: FeatureStandard, _ reviews: ReviewStore, logger: Logger
    ) async throws -> Dataset {
        let verdicts = try await reviews.verdictRows(
            standard: standard, until: Timestamp.nowUnixMilliseconds() / 1000)
        let overlay = VerdictOverlay(verdicts, over: rows)
        logger.info(
            "verdicts are labels",
            metadata: [
                "cases": "\(verdicts.count)", "rows.labelled": "\(overlay.overlaid)",
                "rows.changed": "\(overlay.changed)", "rows.appended": "\(overlay.appended)",
            ])
        return overlay.rows
    }

    /// A small bank may have set no row aside; it then takes part without.
    private func validRows(
        _ path: String, standard: FeatureStandard, logger: Logger
    ) throws -> Dataset? {
        var options = DatasetLoader.Options()
        options.requiresRows = false
        let rows = try DatasetLoader.load(path: path, standard: standard, options: options)
        guard rows.rowCount > 0 else {
            logger.warning("no rows to choose by", metadata: ["file": "\(path)"])
            return nil
        }
        return rows
    }
}

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "Lists the runs that this bank took part in.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let store = try options.store()
        ConsoleOutput.table(
            ["run", "state", "algorithm", "started", "result"],
            try store.runs.runs().map {
                [
                    $0.run.description, $0.state.rawValue, $0.algorithm,
                    Timestamp.text(unixSeconds: $0.startedUnixMilliseconds / 1000),
                    $0.reason.isEmpty ? $0.modelSHA256 : $0.reason,
                ]
            })
    }
}

struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Lists everything that has left this bank.")

    @OptionGroup var options: StateOptions
    @Option(help: "Only this run.")
    var run: RunID?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let records = try options.store().egress(run: run)
        if json {
            struct Line: Encodable {
                let sentUnixMs: Int64
                let run: String
                let kind: String
                let slot: UInt64?
                let lanes: Int
                let bytes: Int
                let sha256: String
            }
            return try ConsoleOutput.json(
                records.map {
                    Line(
                        sentUnixMs: $0.sentUnixMilliseconds, run: $0.run?.description ?? "",
                        kind: $0.kind, slot: $0.slot, lanes: $0.lanes, bytes: $0.byteCount,
                        sha256: $0.sha256)
                })
        }
        ConsoleOutput.table(
            ["sent", "run", "kind", "slot", "lanes", "bytes", "sha256"],
            records.map {
                [
                    Timestamp.text(unixSeconds: $0.sentUnixMilliseconds / 1000),
                    $0.run.map { String($0.description.prefix(8)) } ?? "-", $0.kind,
                    $0.slot.map { "\($0)" } ?? "-", "\($0.lanes)", "\($0.byteCount)",
                    String($0.sha256.prefix(16)),
                ]
            })
        let total = records.reduce(0) { $0 + $1.byteCount }
        ConsoleOutput.line("\(records.count) messages, \(total) bytes; no row has left this bank")
    }
}

struct MembersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members",
        abstract: "Lists the identity keys that this bank holds other banks to.",
        discussion: "Compare them with the other banks over another channel once.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let keys = try options.store().pinnedKeys()
        ConsoleOutput.table(
            ["bank", "identity key"],
            keys.sorted { $0.key < $1.key }.map { [$0.key.name, $0.value.hexadecimal] })
    }
}

struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Writes a model that this bank has received.")

    @OptionGroup var options: StateOptions
    @Option(help: "The model's SHA-256. Default: the newest.")
    var sha256: String?
    @Option(name: .shortAndLong, help: "The file to write.")
    var out: String

    func run() async throws {
        let store = try options.store()
        let newest = try store.runs.runs().first {
            !$0.modelSHA256.isEmpty && AlgorithmConfiguration.names.contains($0.algorithm)
        }?.modelSHA256
        guard let digest = sha256 ?? newest, let bytes = try store.runs.model(sha256: digest) else {
            throw CommandFailure(
                "no such model at this node", hint: "fed-node runs lists them", exitKind: .data)
        }
        try AtomicFile.write(bytes, to: out)
        ConsoleOutput.line("\(out): model \(digest)")
    }
}
