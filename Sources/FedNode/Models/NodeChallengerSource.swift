package import FedDecision
package import FedRuntime
package import FedService

/// A challenger of a node, for its scoring service to try in shadow.
package struct NodeChallengerSource: ModelSource {
    /// Which one.
    package enum Kind: Sendable {
        /// The model that the banks have published and a person may activate.
        case published
        /// The newest candidate that this node has voted on and that may still be published; not
        /// one that it has rejected, which it would not take.
        case underVote
    }

    private let kind: Kind
    private let store: NodeStore
    private let folder: String
    private let now: @Sendable () -> Int64

    /// Follows a node's store.
    ///
    /// - Parameters:
    ///   - folder: the state folder, for messages.
    ///   - now: seconds since 1970.
    package init(
        _ kind: Kind, store: NodeStore, folder: String,
        now: @escaping @Sendable () -> Int64 = { Timestamp.nowUnixMilliseconds() / 1000 }
    ) {
        self.kind = kind
        self.store = store
        self.folder = folder
        self.now = now
    }

    package var name: String { folder + "/node.sqlite" }

    /// The challenger's version; `nil` while there is none.
    private var version: UInt64? {
        guard let stored = try? store.models.registry().map(ModelRegistry.init(bytes:)) else {
            // Before the first published model there is no registry.
            return kind == .underVote ? candidate(after: 0) : nil
        }
        return kind == .published
            ? stored.challenger?.version : candidate(after: stored.highestVersion)
    }

    private func candidate(after version: UInt64) -> UInt64? {
        guard let candidates = try? store.models.unpublished(after: version) else { return nil }
        return candidates.first { found in
            guard let candidate = try? ModelCandidate(bytes: found.candidate),
                let vote = try? ModelVote(bytes: found.vote)
            else { return false }
            return vote.decision != .reject && now() < candidate.validity.upperBound
        }?.version
    }

    package func mark() -> ModelMark? { version.map { ModelMark("\($0)") } }

    package func load() throws(ServiceError) -> BankModel {
        let version = version ?? 0
        do {
            guard let record = try store.models.candidate(version) else {
                throw ModelChangeFailure.unknown(version: version)
            }
            return try BankModel(bytes: record.bankModel)
        } catch {
            throw .invalid(path: name, reason: "\(error)")
        }
    }
}
