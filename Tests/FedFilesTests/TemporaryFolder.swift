import FedCore
import Foundation

/// A folder of test files that goes away with the value.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "fed-files-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and gives its path.
    func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// Two features, one of which may be missing.
func smallStandard() throws -> FeatureStandard {
    try FeatureStandard(
        name: "small", version: 2, description: "Test rows.",
        features: [
            Feature(
                name: "amount", type: .continuous, unit: "EUR", range: 0...1000,
                transform: .signedLog, sensitivity: .confidential, description: "Amount."),
            Feature(
                name: "hour", type: .integer, unit: "h", range: 0...23, missing: .impute(12),
                transform: .signedLog, sensitivity: .internal, description: "Hour."),
        ])
}
