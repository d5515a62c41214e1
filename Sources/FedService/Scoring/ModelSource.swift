package import FedDecision

/// Where the model that scores comes from: a file, or whatever else a node keeps its active model
/// in.
package protocol ModelSource: Sendable {
    /// Names the source, for messages.
    var name: String { get }

    /// What tells one model from the next without reading it; `nil` while there is none.
    ///
    /// Asked about once a second.
    func mark() -> ModelMark?

    /// Reads the model of now.
    func load() throws(ServiceError) -> BankModel
}

/// What tells one model from the next.
package struct ModelMark: Hashable, Sendable {
    private let text: String

    /// Wraps what changes with the model, such as its version or digest.
    package init(_ text: String) { self.text = text }
}

/// A model in a file, replaced whole.
package struct ModelFileSource: ModelSource {
    /// Where the file is: a bank's model, or a trained model alone.
    package let name: String

    /// Follows a file.
    package init(path: String) { name = path }

    package func mark() -> ModelMark? {
        SmallFile.mark(name).map {
            ModelMark("\($0.inode) \($0.size) \($0.changedSeconds).\($0.changedNanoseconds)")
        }
    }

    package func load() throws(ServiceError) -> BankModel {
        let bytes = try SmallFile.read(name, bytesMax: BankModel.documentBytesMax)
        do {
            return try EngineFiles.model(bytes)
        } catch {
            throw .invalid(path: name, reason: "\(error)")
        }
    }
}
