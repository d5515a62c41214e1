internal import COpenSSL

/// Owner of an OpenSSL key.
///
/// OpenSSL only reads it and counts its references after it is made, both safe from several
/// threads.
final class RawKey: @unchecked Sendable {
    enum Curve {
        case ed25519, x25519

        var identifier: Int32 {
            switch self {
            case .ed25519: EVP_PKEY_ED25519
            case .x25519: EVP_PKEY_X25519
            }
        }
    }

    static let byteCount = 32
    let pointer: OpaquePointer

    /// Makes a private key of 32 bytes.
    init(_ curve: Curve, seed: SecretBytes) throws(CryptoError) {
        guard seed.count == Self.byteCount else {
            throw .byteCount(.seed, got: seed.count, expected: Self.byteCount)
        }
        let key = seed.withUnsafeBytes {
            EVP_PKEY_new_raw_private_key(
                curve.identifier, nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self),
                $0.count)
        }
        guard let key else { throw .libraryFailure(operation: "private key") }
        pointer = key
    }

    /// Makes a public key of 32 bytes, which OpenSSL does not look at here.
    init(_ curve: Curve, publicKey: [UInt8]) throws(CryptoError) {
        guard publicKey.count == Self.byteCount else {
            throw .byteCount(.publicKey, got: publicKey.count, expected: Self.byteCount)
        }
        guard let key = EVP_PKEY_new_raw_public_key(curve.identifier, nil, publicKey, 32) else {
            throw .libraryFailure(operation: "public key")
        }
        pointer = key
    }

    deinit { EVP_PKEY_free(pointer) }

    func publicBytes() throws(CryptoError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1, count == Self.byteCount
        else { throw .libraryFailure(operation: "public key") }
        return bytes
    }
}
