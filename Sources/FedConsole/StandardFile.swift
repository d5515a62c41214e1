package import FedCore
internal import FedRuntime

/// Reads a feature standard's file for a command.
package enum StandardFile {
    /// Reads and checks it.
    ///
    /// - Throws: ``CommandFailure`` naming the file and the place in it.
    package static func read(_ path: String) throws -> FeatureStandard {
        let bytes = try AtomicFile.read(path)
        do {
            return try FeatureStandard(json: bytes)
        } catch {
            throw CommandFailure(
                "\(path): \(error)",
                hint: "the members are described in Schemas/feature-standard.v1.schema.json",
                exitKind: .data)
        }
    }
}
