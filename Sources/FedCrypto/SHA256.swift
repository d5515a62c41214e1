internal import COpenSSL

/// SHA-256 (FIPS 180-4), by OpenSSL.
public enum SHA256 {
    /// Digest size in bytes.
    public static let byteCount = 32

    /// Digests a byte string in one call.
    ///
    /// - Returns: 32 bytes.
    public static func hash(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        let status = message.withUnsafeBytes { input in
            EVP_Digest(input.baseAddress, input.count, &digest, nil, EVP_sha256(), nil)
        }
        precondition(status == 1, "the crypto library has no SHA-256")
        return digest
    }
}
