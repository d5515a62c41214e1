package import FedCore
package import FedDecision
package import Logging
internal import ServiceLifecycle

/// The files that an engine is made of.
package struct EngineFiles: Sendable {
    /// Where the model comes from.
    package let model: any ModelSource
    /// Where the policy is.
    package let policy: String
    /// The features.
    package let standard: FeatureStandard

    /// Follows a model's file, a bank's model or a trained model alone, and a policy's.
    package init(model: String, policy: String, standard: FeatureStandard) {
        self.init(
            model: ModelFileSource(path: model), policy: policy, standard: standard)
    }

    /// Follows a model and a policy's file.
    package init(model: any ModelSource, policy: String, standard: FeatureStandard) {
        self.model = model
        self.policy = policy
        self.standard = standard
    }

    /// Reads both.
    package func load() throws(ServiceError) -> ScoringEngine {
        let (model, policy) = (try self.model.load(), try loadPolicy())
        do {
            return try ScoringEngine(model: model, policy: policy, standard: standard)
        } catch {
            throw .invalid(path: self.model.name, reason: "\(error)")
        }
    }

    /// Reads a bank's model, or wraps a trained one so that it scores alone.
    package static func model(_ bytes: [UInt8]) throws -> BankModel {
        let isBankModel = bytes.prefix(4096).starts(with: Array("{\"calibration\"".utf8))
        guard !isBankModel, let trained = try? TrainedModel(bytes: bytes) else {
            return try BankModel(bytes: bytes)
        }
        return try BankModel(
            version: 1, local: nil, federated: trained, residual: nil,
            choice: CombinationChoice(
                rule: CombinationRule(kind: .federated), reason: .noLocalModel,
                calibration: .identity),
            reviewShare: 0)
    }

    /// Reads the policy.
    package func loadPolicy() throws(ServiceError) -> DecisionPolicy {
        let bytes = try SmallFile.read(policy, bytesMax: DecisionPolicy.documentBytesMax)
        do {
            return try DecisionPolicy(json: bytes, standard: standard)
        } catch {
            throw .invalid(path: policy, reason: "\(error)")
        }
    }
}

/// Looks at the files from time to time and swaps the engine when one has changed.
///
/// A file that is of no use leaves the engine as it is; it is reported once for each content.
package struct EngineWatcher: Service {
    private let files: EngineFiles
    private let reference: EngineReference
    private let interval: Duration
    private let metrics: ServiceMetrics
    private let drift: DriftMeter?
    private let logger: Logger

    /// What was seen of the files.
    package struct Seen: Equatable, Sendable {
        var model: ModelMark?
        var policy: SmallFile.Mark?
    }

    /// Watches for a reference.
    package init(
        files: EngineFiles, reference: EngineReference, interval: Duration,
        metrics: ServiceMetrics, drift: DriftMeter? = nil, logger: Logger
    ) {
        self.files = files
        self.reference = reference
        self.interval = interval
        self.metrics = metrics
        self.drift = drift
        self.logger = logger
    }

    /// The files as they are.
    package func look() -> Seen {
        Seen(model: files.model.mark(), policy: SmallFile.mark(files.policy))
    }

    /// Watches until a graceful shutdown.
    package func run() async throws {
        await Repetition.untilShutdown(every: interval, from: look()) { seen in
            let before = seen
            seen = await QuietThread.run {
                reference.letGo()
                return check(since: before)
            }
        }
    }

    /// Swaps the engine where a file has changed.
    ///
    /// - Returns: what was seen.
    package func check(since seen: Seen) -> Seen {
        let now = look()
        guard now != seen else { return seen }
        let current = reference.current
        do throws(ServiceError) {
            let model = now.model == seen.model ? current.model : try files.model.load()
            let policy = now.policy == seen.policy ? current.policy : try files.loadPolicy()
            let next: ScoringEngine
            do {
                next = try ScoringEngine(model: model, policy: policy, standard: files.standard)
            } catch {
                throw .invalid(path: files.model.name, reason: "\(error)")
            }
            guard
                next.modelSHA256 != current.modelSHA256
                    || next.policySHA256 != current.policySHA256
            else { return now }
            drift?.follow(next)
            reference.swap(next)
            logger.info(
                "scoring by new files",
                metadata: [
                    "model.sha256": "\(next.modelSHA256)", "policy.sha256": "\(next.policySHA256)",
                ])
        } catch {
            metrics.count(.reloadFailures)
            logger.error(
                "a changed file is of no use; scoring goes on as before",
                metadata: ["reason": "\(error)"])
        }
        return now
    }
}
