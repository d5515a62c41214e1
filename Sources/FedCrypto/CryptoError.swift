/// Why a cryptographic operation was refused.
///
/// Cases carry sizes, never bytes.
public enum CryptoError: Error, Equatable, Sendable {
    /// What has a fixed or bounded size.
    public enum Field: String, Equatable, Sendable {
        case seed, publicKey, signature, key, nonce, sealedBox, plaintext, additionalData
    }

    /// An input has a size that its field cannot have.
    case byteCount(Field, got: Int, expected: Int)
    /// An input is longer than the library can process in one call.
    case tooLong(Field, got: Int, countMax: Int)
    /// A public key lies in the small subgroup: any agreement with it gives a known secret, any
    /// signature by it is worthless.
    case lowOrderPoint
    /// A public key is not the canonical encoding of a curve point.
    case invalidPublicKey
    /// A sealed box was changed, cut, or sealed with another key, nonce or additional data.
    case authenticationFailed
    /// OpenSSL could not do what it always can: out of memory or of entropy, or crippled.
    case libraryFailure(operation: String)
}
