public import FedCore
internal import FedCrypto

/// A way to mask vectors, as ``MaskBattery`` examines it.
public struct MaskSource: Sendable {
    /// For reports.
    public let name: String
    /// The ring that masks are uniform in.
    public let ring: RingWidth
    /// Bytes of the context that a mask depends on besides the key; 0 where the key is the seed.
    public let contextByteCount: Int

    private let maskLanes:
        @Sendable (_ key: [UInt8], _ context: [UInt8], _ vector: [UInt64]) -> [UInt64]

    /// Wraps a way to mask.
    ///
    /// - Parameter mask: a vector masked under a key of 32 bytes and a context of
    ///   `contextByteCount` bytes; lanes may have bits above the ring, which do not count.
    public init(
        name: String, ring: RingWidth, contextByteCount: Int,
        mask:
            @escaping @Sendable (
                _ key: [UInt8], _ context: [UInt8], _ vector: [UInt64]
            ) -> [UInt64]
    ) {
        self.name = name
        self.ring = ring
        self.contextByteCount = contextByteCount
        maskLanes = mask
    }

    /// Seeds expanded and added as ``MaskGenerator`` does.
    public static func expansion(ring: RingWidth) -> MaskSource {
        MaskSource(name: "mask of a seed", ring: ring, contextByteCount: 0) { key, _, vector in
            var lanes = vector
            MaskGenerator.add(MaskSeed(SecretBytes(key)), to: &lanes)
            return lanes
        }
    }

    /// Seeds derived from a pair key and a slot's context of 32 bytes, then expanded and added.
    public static func derivation(ring: RingWidth) -> MaskSource {
        MaskSource(name: "mask of a pair and slot", ring: ring, contextByteCount: 32) {
            key, context, vector in
            var lanes = vector
            let seed = MaskSeed(deriving: SecretBytes(key), info: context)
            MaskGenerator.add(seed, to: &lanes)
            return lanes
        }
    }

    /// The largest lane of the ring.
    public var top: UInt64 { .max >> UInt64(64 - ring.bits) }

    /// A vector masked, as elements of the ring.
    public func masked(
        _ vector: [UInt64], key: [UInt8], context: [UInt8]
    ) -> [UInt64] {
        maskLanes(key, context, vector).map { $0 & top }
    }

    /// The mask itself: what zeros become.
    func mask(key: [UInt8], context: [UInt8], count: Int) -> [UInt64] {
        masked([UInt64](repeating: 0, count: count), key: key, context: context)
    }
}
