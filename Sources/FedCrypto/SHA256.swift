internal import COpenSSL

/// SHA-256 (FIPS 180-4), by OpenSSL: at once by ``hash(_:)``, or piece by piece by an instance.
public struct SHA256: ~Copyable {
    /// Digest size in bytes.
    public static let byteCount = 32

    // Looked up once: OpenSSL would ask its providers at each use. Only read after that.
    private nonisolated(unsafe) static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    private let context: OpaquePointer

    /// Begins an empty message.
    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, Self.algorithm, nil) == 1
        else { preconditionFailure("the crypto library has no SHA-256") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Appends bytes to the message.
    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// Appends the bytes of a buffer to the message.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        let status = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
        precondition(status == 1, "SHA-256 failed")
    }

    /// Ends the message.
    ///
    /// - Returns: 32 bytes.
    public consuming func finalize() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        let status = EVP_DigestFinal_ex(context, &digest, nil)
        precondition(status == 1, "SHA-256 failed")
        return digest
    }

    /// Digests a byte string in one call.
    ///
    /// - Returns: 32 bytes.
    public static func hash(_ message: [UInt8]) -> [UInt8] {
        message.withUnsafeBytes { hash($0) }
    }

    /// Digests a buffer in one call.
    ///
    /// - Returns: 32 bytes.
    public static func hash(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        let status = EVP_Digest(
            message.baseAddress, message.count, &digest, nil, algorithm, nil)
        precondition(status == 1, "the crypto library has no SHA-256")
        return digest
    }
}
