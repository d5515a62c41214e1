internal import FedDecision
internal import FedRuntime
internal import FedService

/// The challenger of a node: what the banks have admitted and a person may activate.
struct NodeChallengerSource: ModelSource {
    let store: NodeStore
    /// The state folder.
    let folder: String

    var name: String { folder + "/node.sqlite" }

    /// The challenger's version; `nil` while there is none.
    private var version: UInt64? {
        guard let bytes = try? store.models.registry(),
            let registry = try? ModelRegistry(bytes: bytes)
        else { return nil }
        return registry.challenger?.version
    }

    func mark() -> ModelMark? { version.map { ModelMark("\($0)") } }

    func load() throws(ServiceError) -> BankModel {
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
