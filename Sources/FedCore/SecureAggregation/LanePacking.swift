internal import CFedKernels

/// Lanes on the wire: the low b bits of each, b/8 bytes, little-endian.
///
/// Masking works modulo 2^64 and the cut to b bits comes after it: 2^b divides 2^64, so masks still
/// cancel and what leaves the bank is uniform in Z_2^b.
enum LanePacking {
    /// The wire form of lanes.
    static func pack(_ lanes: [UInt64], ringBits: Int) -> [UInt8] {
        let size = lanes.count * ringBits / 8
        return [UInt8](unsafeUninitializedCapacity: size) { output, count in
            let isWidthKnown = fed_lanes_pack(
                output.baseAddress, lanes, lanes.count, UInt32(ringBits))
            precondition(isWidthKnown == 1, "ring width \(ringBits)")
            count = size
        }
    }

    /// Adds lanes in wire form to sums, modulo 2^64.
    static func add(_ bytes: [UInt8], ringBits: Int, to sums: inout [UInt64]) {
        precondition(bytes.count == sums.count * ringBits / 8, "\(bytes.count) bytes of lanes")
        let isWidthKnown = fed_lanes_add_packed(&sums, bytes, sums.count, UInt32(ringBits))
        precondition(isWidthKnown == 1, "ring width \(ringBits)")
    }
}
