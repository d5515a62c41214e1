internal import CFedKernels
internal import FedCrypto

/// Expands mask seeds and adds them to vectors in one pass.
///
/// Lane `i` of a mask is bytes `8 i ..< 8 i + 8`, least significant first, of the AES-256-CTR
/// keystream with a zero initial counter block (NIST SP 800-38A, section 6.5). Lanes add modulo
/// 2^64, so every ring Z_2^b with b up to 64 is served by the low b bits of each lane.
public enum MaskGenerator {
    /// One mask of a vector: a seed, and whether it is subtracted rather than added.
    ///
    /// Of two banks that share a seed, one adds and the other subtracts.
    public struct Mask: Sendable {
        /// What the mask expands from.
        public let seed: MaskSeed
        /// Whether the mask is subtracted.
        public let isSubtracted: Bool

        /// Joins seed and sign.
        public init(_ seed: MaskSeed, isSubtracted: Bool) {
            self.seed = seed
            self.isSubtracted = isSubtracted
        }
    }

    /// Longest mask: 2^32 - 1 blocks of two lanes, 64 GiB.
    ///
    /// Up to it, the keystream of one key differs from random bytes, by never repeating a block,
    /// with an advantage below 2^-64.
    public static let laneCountMax: UInt64 = 2 * 0xFFFF_FFFF

    /// How this processor makes masks, for logs and reports: `vaes-512`, `vaes-256`, `aes-ni`,
    /// `armv8-ce` or `openssl`.
    public static var implementationName: String {
        String(cString: fed_mask_implementation_name())
    }

    /// Adds the mask of a seed to a vector, or subtracts it, modulo 2^64.
    ///
    /// - Parameters:
    ///   - lanes: the vector, or a part of it.
    ///   - firstLane: position of `lanes[0]` in the whole vector; the end is bounded by
    ///     ``laneCountMax``.
    public static func add(
        _ seed: MaskSeed, to lanes: inout [UInt64], subtract: Bool = false, firstLane: UInt64 = 0
    ) {
        lanes.withUnsafeMutableBufferPointer {
            add(seed, to: $0, subtract: subtract, firstLane: firstLane)
        }
    }

    /// Adds the mask of a seed to lanes in place; see ``add(_:to:subtract:firstLane:)``.
    public static func add(
        _ seed: MaskSeed, to lanes: UnsafeMutableBufferPointer<UInt64>, subtract: Bool = false,
        firstLane: UInt64 = 0
    ) {
        precondition(
            firstLane <= laneCountMax && UInt64(lanes.count) <= laneCountMax - firstLane,
            "\(lanes.count) lanes from \(firstLane) of \(laneCountMax)")
        let status = seed.bytes.withUnsafeBytes { key in
            fed_mask_add(
                lanes.baseAddress, lanes.count,
                key.baseAddress?.assumingMemoryBound(to: UInt8.self), firstLane, subtract ? 1 : 0)
        }
        precondition(status == 1, "out of memory in the mask generator")
    }

    /// Adds many masks to a vector, modulo 2^64.
    ///
    /// Works tile by tile, so that the vector passes through memory once and not once per mask.
    ///
    /// - Parameter firstLane: position of `lanes[0]` in the whole vector.
    public static func add(
        _ masks: [Mask], to lanes: inout [UInt64], firstLane: UInt64 = 0
    ) {
        let laneCount = lanes.count
        lanes.withUnsafeMutableBufferPointer { lanes in
            for start in stride(from: 0, to: laneCount, by: tileLaneCount) {
                let tile = UnsafeMutableBufferPointer(
                    rebasing: lanes[start..<min(start + tileLaneCount, laneCount)])
                for mask in masks {
                    add(
                        mask.seed, to: tile, subtract: mask.isSubtracted,
                        firstLane: firstLane + UInt64(start))
                }
            }
        }
    }

    // 64 KiB: in the second-level cache, and long against the expansion of a key.
    private static let tileLaneCount = 8192
}
