package import FedCore
internal import FedCrypto
internal import FedRuntime

/// What a coordinator's state folder holds of its runs, to be read while it serves or when it is
/// long gone.
package struct CoordinatorRecord {
    private let state: CoordinatorState
    private let store: CoordinatorStore

    /// Opens a state folder without taking it.
    package init(state path: String) throws {
        state = try CoordinatorState(in: try StateDirectory(reading: path))
        store = try CoordinatorStore(in: state.folder)
    }

    /// Computes a run again from the recorded masked vectors and gates, with no bank online.
    ///
    /// - Parameter run: the run; `nil` for the newest that has a model.
    /// - Returns: what the record proves, and the model's digest as it was published, hexadecimal.
    /// - Throws: ``RecordFailure`` at the first thing that does not fit.
    package func replay(run: RunID?) throws -> (run: VerifiedRun, modelSHA256: String) {
        let newest = try store.runs.runs().first {
            !$0.modelSHA256.isEmpty && AlgorithmConfiguration.names.contains($0.algorithm)
        }
        let record = try run.map { try store.runs.run($0) } ?? newest
        guard let record, let documents = try store.documents(of: record.run) else {
            throw CoordinatorFailure.noRun(path: state.folder.path)
        }
        var journal: [CoordinatorRun.JournalEntry] = []
        for bytes in try store.journal.entries(of: record.run) {
            journal.append(try CoordinatorRun.JournalEntry(bytes: bytes))
        }
        guard !journal.isEmpty else { throw CoordinatorFailure.pruned(run: record.run) }
        let standard = try FeatureStandard(json: documents.standard)
        let manifest = try Manifest(bytes: record.manifest)
        let identity = try state.identity()
        let (machine, _) = CoordinatorRun.restore(
            manifest: manifest, charter: try Charter(bytes: documents.charter), key: identity,
            learner: try CoordinatorService.learner(manifest, standard: standard),
            journal: journal)
        let verified = try RunReplay.verify(
            statements: machine.statements,
            bankStatements: journal.compactMap {
                if case .statement(let bank, let bytes) = $0 { (bank, bytes) } else { nil }
            }, coordinatorKey: identity.publicKey
        ) { manifest throws(LearningError) in
            try CoordinatorService.learner(manifest, standard: standard)
        }
        return (verified, record.modelSHA256)
    }
}
