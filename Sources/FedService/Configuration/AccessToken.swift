internal import FedCrypto

/// The secret that callers show as `Authorization: Bearer …`.
///
/// Only its SHA-256 is kept.
package struct AccessToken: Sendable, CustomStringConvertible {
    /// The fewest bytes of a token.
    package static let byteCountMin = 32
    /// The most bytes of a token.
    package static let byteCountMax = 512

    private let digest: SecretBytes

    /// Takes a token's file: one line of printable ASCII.
    ///
    /// - Throws: ``ServiceError/token(reason:)``.
    package init(file bytes: [UInt8]) throws(ServiceError) {
        var bytes = bytes
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard (Self.byteCountMin...Self.byteCountMax).contains(bytes.count) else {
            throw .token(
                reason: "\(bytes.count) bytes, expected "
                    + "\(Self.byteCountMin)...\(Self.byteCountMax)")
        }
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .token(reason: "expected one line of printable ASCII without blanks")
        }
        digest = SecretBytes(SHA256.hash(bytes))
    }

    /// Whether a caller's token is this one, in a time that tells nothing of it.
    package func isShown(by caller: some Collection<UInt8>) -> Bool {
        guard caller.count <= Self.byteCountMax else { return false }
        return digest.isEqual(to: SecretBytes(SHA256.hash(Array(caller))))
    }

    /// Nothing of the token.
    package var description: String { "AccessToken(redacted)" }
}
