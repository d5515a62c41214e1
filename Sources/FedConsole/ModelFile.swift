package import FedCore
internal import FedRuntime

/// Reads a model's file for a command.
package enum ModelFile {
    /// Reads and checks it.
    package static func read(_ path: String) throws -> TrainedModel {
        do {
            return try TrainedModel(bytes: try AtomicFile.read(path))
        } catch let error as LearningError {
            throw CommandFailure(
                "\(path): \(error.description)",
                hint: "take the file that fed-node model or fed-coordinator model writes",
                exitKind: .data)
        }
    }
}
