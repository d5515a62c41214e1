internal import COpenSSL

/// A private X25519 key (RFC 7748).
public final class AgreementKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// Size of seeds, public keys and shared secrets in bytes.
    public static let byteCount = 32

    /// The public key, 32 bytes.
    public let publicKey: [UInt8]
    private let key: RawKey

    /// Makes the key of a seed; equal seeds give equal keys.
    ///
    /// - Parameter seed: 32 secret bytes, uniformly random; clamped as in RFC 7748, section 5.
    /// - Throws: `byteCount` for any other count, `libraryFailure`.
    public init(seed: SecretBytes) throws(CryptoError) {
        key = try RawKey(.x25519, seed: seed)
        publicKey = try key.publicBytes()
    }

    /// Makes the key of a seed; see ``init(seed:)-SecretBytes``.
    ///
    /// - Throws: `byteCount` for a count other than 32, `libraryFailure`.
    public convenience init(seed: [UInt8]) throws(CryptoError) {
        try self.init(seed: SecretBytes(seed))
    }

    /// Agrees on a secret with the holder of another key.
    ///
    /// Feed the result to ``HKDF/extract(salt:inputKey:)``; it is a curve point, not a uniform
    /// key.
    ///
    /// - Returns: 32 bytes.
    /// - Throws: `byteCount` for a public key of another count; `lowOrderPoint` when the secret
    ///   is all zero, which a peer forces by sending a point of small order (RFC 7748, section
    ///   6.1).
    public func sharedSecret(with publicKey: [UInt8]) throws(CryptoError) -> SecretBytes {
        let peer = try RawKey(.x25519, publicKey: publicKey)
        guard let context = EVP_PKEY_CTX_new(key.pointer, nil) else {
            throw .libraryFailure(operation: "X25519")
        }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_derive_init(context) == 1,
            EVP_PKEY_derive_set_peer(context, peer.pointer) == 1
        else { throw .libraryFailure(operation: "X25519") }
        return try SecretBytes(count: Self.byteCount) { output throws(CryptoError) in
            var count = output.count
            let status = EVP_PKEY_derive(
                context, output.baseAddress?.assumingMemoryBound(to: UInt8.self), &count)
            ERR_clear_error()
            // OpenSSL fails on the all-zero point; the second test does not rely on that.
            let union = output.reduce(0, |)
            guard status == 1, count == output.count, union != 0 else { throw .lowOrderPoint }
        }
    }

    /// The public half only.
    public var description: String { "AgreementKey(redacted)" }

    /// No children, so `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
