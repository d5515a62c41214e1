public import FedCrypto

/// The 32 secret bytes that a mask expands from, the AES-256 key of its keystream.
///
/// Fresh for every (pair, group, slot, attempt): a seed that masks two vectors gives away their
/// difference. It cannot be printed, compared or stored.
public struct MaskSeed: Sendable, CustomStringConvertible, CustomReflectable {
    /// Size in bytes.
    public static let byteCount = 32

    let bytes: SecretBytes

    /// Takes 32 uniformly random bytes.
    public init(_ bytes: SecretBytes) {
        precondition(bytes.count == Self.byteCount, "mask seed of \(bytes.count) bytes")
        self.bytes = bytes
    }

    /// Derives the seed of a context from a pseudo-random key by ``HKDF/expand(_:info:count:)``.
    ///
    /// - Parameter info: everything that both sides must agree on for their masks to cancel.
    public init(deriving key: SecretBytes, info: [UInt8]) {
        bytes = HKDF.expand(key, info: info, count: Self.byteCount)
    }

    /// Never the bytes.
    public var description: String { "MaskSeed(redacted)" }

    /// No children, so `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
