internal import COpenSSL

/// A private Ed25519 key (RFC 8032), ready to sign many messages.
public final class SigningKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// Seed size in bytes.
    public static let seedByteCount = 32
    /// Signature size in bytes.
    public static let signatureByteCount = 64

    /// The public key, 32 bytes.
    public let publicKey: [UInt8]
    private let key: RawKey

    /// Makes the key of a seed; equal seeds give equal keys.
    ///
    /// - Parameter seed: 32 secret bytes, uniformly random.
    /// - Throws: `byteCount` for any other count, `libraryFailure`.
    public init(seed: SecretBytes) throws(CryptoError) {
        key = try RawKey(.ed25519, seed: seed)
        publicKey = try key.publicBytes()
    }

    /// Makes the key of a seed; see ``init(seed:)-SecretBytes``.
    ///
    /// - Throws: `byteCount` for a count other than 32, `libraryFailure`.
    public convenience init(seed: [UInt8]) throws(CryptoError) {
        try self.init(seed: SecretBytes(seed))
    }

    /// Signs a message; equal messages get equal signatures.
    ///
    /// - Returns: 64 bytes.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Self.signatureByteCount)
        var count = signature.count
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let status = message.withUnsafeBytes { bytes in
            EVP_DigestSignInit(context, nil, nil, nil, key.pointer) == 1
                ? EVP_DigestSign(
                    context, &signature, &count,
                    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count) : 0
        }
        precondition(status == 1 && count == signature.count, "Ed25519 failed")
        return signature
    }

    /// The public half only.
    public var description: String { "SigningKey(redacted)" }

    /// No children, so `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A public Ed25519 key (RFC 8032), ready to verify many signatures.
public final class VerifyingKey: Sendable {
    /// Public key size in bytes.
    public static let byteCount = 32

    /// The 32 bytes.
    public let publicKey: [UInt8]
    private let key: RawKey

    /// Checks and wraps a public key of 32 bytes.
    ///
    /// Encodings above the field prime and the eight points of small order are refused: under the
    /// latter a signature of one message verifies for others, so it would bind nobody.
    ///
    /// - Throws: `byteCount`, `invalidPublicKey`, `lowOrderPoint`, `libraryFailure`.
    public init(publicKey: [UInt8]) throws(CryptoError) {
        guard publicKey.count == Self.byteCount else {
            throw .byteCount(.publicKey, got: publicKey.count, expected: Self.byteCount)
        }
        var ordinate = publicKey
        ordinate[31] &= 0x7F  // the sign of x
        guard Self.isBelowPrime(ordinate) else { throw .invalidPublicKey }
        guard !Self.smallOrderOrdinates.contains(ordinate) else { throw .lowOrderPoint }
        key = try RawKey(.ed25519, publicKey: publicKey)
        self.publicKey = publicKey
    }

    /// Whether the holder of the private half signed the message.
    ///
    /// Any bytes may be asked about; a signature of a wrong count is simply not valid.
    public func isValid(signature: [UInt8], message: [UInt8]) -> Bool {
        guard signature.count == SigningKey.signatureByteCount else { return false }
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        // A refusal leaves its reason in this thread's error queue, which nobody reads.
        defer { ERR_clear_error() }
        return message.withUnsafeBytes { bytes in
            EVP_DigestVerifyInit(context, nil, nil, nil, key.pointer) == 1
                && EVP_DigestVerify(
                    context, signature, signature.count,
                    bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count) == 1
        }
    }

    /// Whether the signature of a message verifies under a public key.
    ///
    /// `false` for keys that ``init(publicKey:)`` refuses. To verify many, keep a `VerifyingKey`.
    public static func isValid(
        signature: [UInt8], message: [UInt8], publicKey: [UInt8]
    ) -> Bool {
        guard let key = try? VerifyingKey(publicKey: publicKey) else { return false }
        return key.isValid(signature: signature, message: message)
    }

    /// Whether 255 bits, least significant byte first, are below 2^255 - 19.
    private static func isBelowPrime(_ bytes: [UInt8]) -> Bool {
        bytes[31] != 0x7F || bytes[1..<31].contains { $0 != 0xFF } || bytes[0] < 0xED
    }

    /// The y of the eight points whose order divides 8: 1 (order 1), -1 (2), 0 (4), and two (8).
    private static let smallOrderOrdinates: [[UInt8]] = [
        [1] + [UInt8](repeating: 0, count: 31),
        [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
        [UInt8](repeating: 0, count: 32),
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89,
            0xF2, 0xEF, 0x98, 0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39,
            0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76,
            0x0D, 0x10, 0x67, 0x0F, 0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6,
            0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
    ]
}
