internal import FedCore
package import FedDecision
package import FedRuntime

/// A node's models on disk: what scores, what waits, what scored before.
///
/// Every change is one transaction of the node's database, together with its line of the log; it
/// may be made by the serving node or by a command beside it. After it the active model's document
/// stands in ``activeFile`` of the state folder, where a scoring service watches it.
package struct NodeModels: Sendable {
    /// The file with the document of the bank's model that scores; absent before the first.
    package static let activeFile = "active-model.json"

    private let store: NodeModelStore
    private let folder: StateDirectory

    /// Wraps an open store.
    package init(store: NodeStore, folder: StateDirectory) {
        self.store = store.models
        self.folder = folder
    }

    /// What scores, waits, and scored before.
    package func registry() throws -> ModelRegistry { try Self.registry(try store.registry()) }

    /// What the bank scores with; `nil` before the first activation.
    package func active() throws -> BankModel? {
        guard let version = try registry().champion?.version,
            let record = try store.candidate(version)
        else { return nil }
        return try BankModel(bytes: record.bankModel)
    }

    /// Takes a bundle whose candidate this node has examined, and activates it where it may.
    ///
    /// - Parameters:
    ///   - record: the examined candidate.
    ///   - activates: whether it becomes the champion at once, not the challenger.
    ///   - now: milliseconds since 1970.
    /// - Returns: what the model is now, or why the bundle was refused; both stand in the log.
    package func admit(
        _ bundle: [UInt8], of record: CandidateRecord, charter: ConsensusCharter,
        standardDigest: [UInt8], activates: Bool, now: Int64
    ) throws -> Result<ModelStanding, BundleRefusal> {
        let vote = try ModelVote(bytes: record.vote)
        let finding = CandidateFinding(decision: vote.decision, reasons: vote.reasons)
        let version = record.version
        let result = try store.change { stored in
            var registry = try Self.registry(stored)
            do throws(BundleRefusal) {
                try registry.admit(
                    bundle: bundle, model: ModelDocument(bytes: record.model), charter: charter,
                    standardDigest: standardDigest, finding: finding, now: now / 1000)
            } catch {
                return NodeModelStore.Change(
                    log: [Self.line(now, version, "refused", "\(error.name): \(error)")],
                    value: Result<ModelStanding, BundleRefusal>.failure(error))
            }
            var log = [Self.line(now, version, "admitted", "")]
            var standing = ModelStanding.challenger
            if activates {
                do throws(ModelRegistry.Refusal) {
                    try registry.promote(finding: finding, now: now / 1000)
                    standing = .champion
                    log.append(Self.line(now, version, "activated", ""))
                } catch {
                    log.append(Self.line(now, version, "not-activated", "\(error.name): \(error)"))
                }
            }
            return NodeModelStore.Change(
                registry: registry.bytes, bundle: (version, bundle), log: log,
                value: .success(standing))
        }
        try writeActive()
        return result
    }

    /// Writes a refusal into the log for a bundle that cannot even be examined.
    func refuse(_ refusal: BundleRefusal, version: UInt64, now: Int64) throws {
        try store.change { _ in
            NodeModelStore.Change(
                log: [Self.line(now, version, "refused", "\(refusal.name): \(refusal)")], value: ())
        }
    }

    /// Makes the challenger the champion, by the decision of a person.
    ///
    /// - Throws: ``ModelChangeFailure``, or what the store throws.
    package func activate(_ version: UInt64, now: Int64) throws {
        guard let record = try store.candidate(version) else {
            throw ModelChangeFailure.unknown(version: version)
        }
        let vote = try ModelVote(bytes: record.vote)
        let finding = CandidateFinding(decision: vote.decision, reasons: vote.reasons)
        try change(now: now, event: "activated") { registry throws(ModelChangeFailure) in
            guard registry.challenger?.version == version else {
                throw .notChallenger(version: version, challenger: registry.challenger?.version)
            }
            do throws(ModelRegistry.Refusal) {
                try registry.promote(finding: finding, now: now / 1000)
            } catch {
                throw .refused(error)
            }
        }
    }

    /// Makes the last former champion the champion again.
    ///
    /// - Returns: the version that scores now.
    @discardableResult
    package func rollBack(now: Int64) throws -> UInt64 {
        try change(now: now, event: "rolled-back") { registry throws(ModelChangeFailure) in
            do throws(ModelRegistry.Refusal) { try registry.rollBack() } catch {
                throw .refused(error)
            }
        }
    }

    /// - Returns: the version that scores afterwards.
    @discardableResult
    private func change(
        now: Int64, event: String,
        _ body: @Sendable (inout ModelRegistry) throws(ModelChangeFailure) -> Void
    ) throws -> UInt64 {
        let result: Result<UInt64, ModelChangeFailure> = try store.change { stored in
            var registry = try Self.registry(stored)
            do throws(ModelChangeFailure) {
                try body(&registry)
            } catch {
                return NodeModelStore.Change(
                    log: [
                        Self.line(
                            now, registry.champion?.version ?? 0, "not-\(event)",
                            error.description)
                    ], value: .failure(error))
            }
            let version = registry.champion?.version ?? 0
            return NodeModelStore.Change(
                registry: registry.bytes, log: [Self.line(now, version, event, "")],
                value: .success(version))
        }
        try writeActive()
        return try result.get()
    }

    /// Brings ``activeFile`` to what the registry says.
    func writeActive() throws {
        guard let active = try active() else { return }
        if folder.contains(Self.activeFile), try folder.read(Self.activeFile) == active.bytes {
            return
        }
        try folder.write(active.bytes, to: Self.activeFile)
    }

    private static func registry(_ bytes: [UInt8]?) throws -> ModelRegistry {
        try bytes.map { try ModelRegistry(bytes: $0) } ?? ModelRegistry()
    }

    private static func line(
        _ now: Int64, _ version: UInt64, _ event: String, _ reason: String
    ) -> ModelLogLine {
        ModelLogLine(unixMilliseconds: now, version: version, event: event, reason: reason)
    }
}

/// Why an operator's change of models is not made.
package enum ModelChangeFailure: Error, Equatable, Sendable {
    /// This node has examined no candidate of the version.
    case unknown(version: UInt64)
    /// Another model, or none, is the challenger.
    case notChallenger(version: UInt64, challenger: UInt64?)
    /// The registry refuses.
    case refused(ModelRegistry.Refusal)
}

extension ModelChangeFailure: ExplainedError {
    package var description: String {
        switch self {
        case .unknown(let version): "this node has no candidate of version \(version)"
        case .notChallenger(let version, let challenger):
            "version \(version) is not the challenger"
                + (challenger.map { ", version \($0) is" } ?? ", there is none")
        case .refused(let refusal): refusal.description
        }
    }

    package var hint: String {
        switch self {
        case .unknown, .notChallenger: "fed-node models lists them"
        case .refused(.nothingBefore): "a rollback needs a second activated model"
        case .refused: "wait for the next published model"
        }
    }
}
