/// Why a secret cannot be shared or reconstructed.
///
/// Cases carry counts and indexes, never bytes.
public enum SecretSharingError: Error, Equatable, Sendable {
    /// What has a fixed size.
    public enum Field: String, Equatable, Sendable {
        case secret, coefficients, share
    }

    /// The reconstruction threshold is not within 1 ... shareCount, or shareCount not in 1 ... 255.
    case threshold(got: Int, shareCount: Int)
    /// A byte string has a size that its field cannot have.
    case byteCount(Field, got: Int, expected: Int)
    /// A share claims index 0, the place of the secret itself.
    case zeroIndex
    /// Two shares claim the same index.
    case duplicateIndex(UInt8)
    /// Fewer shares than the reconstruction threshold.
    case tooFewShares(got: Int, expected: Int)
    /// More shares than the threshold were given and they do not lie on one polynomial: at least
    /// one of them is false.
    case inconsistentShares
}
