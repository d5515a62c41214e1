internal import COpenSSL

/// HMAC with SHA-256 (RFC 2104), by OpenSSL.
public enum HMACSHA256 {
    /// Code size in bytes.
    public static let byteCount = 32

    /// Authenticates a message.
    ///
    /// - Returns: 32 bytes.
    public static func authenticate(_ message: [UInt8], key: SecretBytes) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        key.withUnsafeBytes { key in
            var computation = HMACComputation(key: key)
            message.withUnsafeBytes { computation.update($0) }
            code.withUnsafeMutableBytes { computation.finish(into: $0) }
        }
        return code
    }

    /// Whether `code` authenticates the message, compared in constant time.
    public static func isValid(_ code: [UInt8], for message: [UInt8], key: SecretBytes) -> Bool {
        ConstantTime.equal(code, authenticate(message, key: key))
    }
}

/// One keyed HMAC-SHA-256 that can be run several times.
struct HMACComputation: ~Copyable {
    // Fetching an algorithm walks OpenSSL's providers: once is enough. The object is immutable.
    private nonisolated(unsafe) static let algorithm = EVP_MAC_fetch(nil, "HMAC", nil)

    private let context: OpaquePointer

    init(key: UnsafeRawBufferPointer) {
        guard let context = EVP_MAC_CTX_new(Self.algorithm) else {
            preconditionFailure("the crypto library has no HMAC")
        }
        self.context = context
        var digest = Array("SHA256".utf8CString)
        // OpenSSL takes no null key, and an empty HMAC key equals a zero one by its padding.
        let zero: [UInt8] = [0]
        let status = digest.withUnsafeMutableBufferPointer { digest in
            let parameters = [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.baseAddress, 0),
                OSSL_PARAM_construct_end(),
            ]
            guard let bytes = key.baseAddress, !key.isEmpty else {
                return EVP_MAC_init(context, zero, 1, parameters)
            }
            return EVP_MAC_init(
                context, bytes.assumingMemoryBound(to: UInt8.self), key.count, parameters)
        }
        precondition(status == 1, "the crypto library has no HMAC with SHA-256")
    }

    deinit { EVP_MAC_CTX_free(context) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        let status = EVP_MAC_update(
            context, start.assumingMemoryBound(to: UInt8.self), bytes.count)
        precondition(status == 1, "HMAC failed")
    }

    /// Writes 32 bytes and makes ready for the next message under the same key.
    mutating func finish(into output: UnsafeMutableRawBufferPointer) {
        var written = 0
        let status = EVP_MAC_final(
            context, output.baseAddress?.assumingMemoryBound(to: UInt8.self), &written,
            output.count)
        precondition(
            status == 1 && written == HMACSHA256.byteCount
                && EVP_MAC_init(context, nil, 0, nil) == 1,
            "HMAC failed")
    }
}
