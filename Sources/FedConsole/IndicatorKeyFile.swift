internal import FedCore
package import FedCrypto
internal import FedRuntime
internal import Foundation

/// The file in which the banks' shared indicator key goes from bank to bank.
///
/// It never goes to the coordinator: whoever holds it can tell whose the cells of a sketch are.
package enum IndicatorKeyFile {
    private static let format = "fed-indicator-key/1"

    private struct Document: Codable {
        let format: String
        let key: String
    }

    /// The bytes of the file.
    package static func bytes(of key: SecretBytes) -> [UInt8] {
        CanonicalJSON.object([
            "format": .string(format),
            "key": .string(key.withUnsafeBytes { Array($0) }.hexadecimal),
        ]).bytes
    }

    /// Reads a file.
    ///
    /// - Throws: ``CommandFailure`` naming the file.
    package static func read(_ path: String) throws -> SecretBytes {
        let bytes = try AtomicFile.read(path)
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)),
            document.format == format, var key = [UInt8](hexadecimal: document.key),
            key.count == IndicatorSecrets.keyByteCount
        else {
            throw CommandFailure(
                "\(path) holds no indicator key",
                hint: "another bank writes one: fed-node indicator-key export", exitKind: .data)
        }
        return SecretBytes(wiping: &key)
    }
}
