internal import CFedKernels

/// The ring Z_2^b in which vectors are summed; a lane goes over the wire as b / 8 bytes.
public struct RingWidth: Hashable, Sendable {
    /// b: 16, 24, 32, 40, 48, 56 or 64.
    public let bits: Int

    /// Wraps a width.
    ///
    /// - Returns: `nil` for a width that the wire form does not have.
    public init?(bits: Int) {
        guard (16...64).contains(bits), bits.isMultiple(of: 8) else { return nil }
        self.bits = bits
    }

    /// Bytes of one lane on the wire.
    public var laneByteCount: Int { bits / 8 }
}

/// The wire form of masked vectors, and sums over it.
///
/// A lane is its low b bits, least significant byte first; lanes follow each other without gaps.
public enum LanePacking {
    /// Writes lanes in wire form, dropping what is above the ring.
    ///
    /// - Returns: `lanes.count * ring.laneByteCount` bytes.
    public static func pack(_ lanes: [UInt64], in ring: RingWidth) -> [UInt8] {
        let byteCount = lanes.count * ring.laneByteCount
        return [UInt8](unsafeUninitializedCapacity: byteCount) { wire, initializedCount in
            let status = lanes.withUnsafeBufferPointer { lanes in
                fed_lanes_pack(
                    wire.baseAddress, lanes.baseAddress, lanes.count, UInt32(ring.bits))
            }
            precondition(status == 1, "ring of \(ring.bits) bits")
            initializedCount = byteCount
        }
    }

    /// Reads lanes in wire form; each is below 2^b.
    ///
    /// - Returns: `nil` when the bytes are not a whole number of lanes.
    public static func unpack(_ wire: [UInt8], in ring: RingWidth) -> [UInt64]? {
        guard wire.count.isMultiple(of: ring.laneByteCount) else { return nil }
        let laneCount = wire.count / ring.laneByteCount
        return [UInt64](unsafeUninitializedCapacity: laneCount) { lanes, initializedCount in
            let status = wire.withUnsafeBufferPointer { wire in
                fed_lanes_unpack(
                    lanes.baseAddress, wire.baseAddress, laneCount, UInt32(ring.bits))
            }
            precondition(status == 1, "ring of \(ring.bits) bits")
            initializedCount = laneCount
        }
    }

    /// Adds lanes in wire form onto a part of `sums`, modulo 2^64.
    ///
    /// - Returns: `false`, with `sums` unchanged, when the bytes are not a whole number of lanes
    ///   or do not fit between `firstLane` and the end.
    public static func add(
        _ wire: [UInt8], in ring: RingWidth, onto sums: inout [UInt64], firstLane: Int = 0
    ) -> Bool {
        let laneCount = wire.count / ring.laneByteCount
        guard wire.count.isMultiple(of: ring.laneByteCount), (0...sums.count).contains(firstLane),
            laneCount <= sums.count - firstLane
        else { return false }
        let status = sums.withUnsafeMutableBufferPointer { sums in
            wire.withUnsafeBufferPointer { wire in
                fed_lanes_add_packed(
                    UnsafeMutableBufferPointer(rebasing: sums[firstLane...]).baseAddress,
                    wire.baseAddress, laneCount, UInt32(ring.bits))
            }
        }
        precondition(status == 1, "ring of \(ring.bits) bits")
        return true
    }

    /// Adds a vector onto another of the same count, modulo 2^64.
    public static func add(_ lanes: [UInt64], onto sums: inout [UInt64]) {
        precondition(lanes.count == sums.count, "\(lanes.count) lanes onto \(sums.count)")
        sums.withUnsafeMutableBufferPointer { sums in
            lanes.withUnsafeBufferPointer { lanes in
                fed_lanes_add(sums.baseAddress, lanes.baseAddress, lanes.count)
            }
        }
    }
}
