/// Two lanes that travel behind the statistics and show a garbled sum with probability
/// 1 - 2^-b: a constant 1, whose sum must be the number of banks, and a public random linear
/// combination of the lanes, whose sum must be that of the summed lanes (design, section 1.5).
///
/// They catch wrong kernels, lost frames and contexts that differ. They are no defence against a
/// coordinator that lies about the sum.
enum CheckLanes {
    static let count = 2

    /// The lanes with both check lanes behind them.
    static func append(to lanes: [UInt64], contextDigest: [UInt8]) -> [UInt64] {
        var checked = lanes
        checked.reserveCapacity(lanes.count + count)
        checked.append(1)
        checked.append(combination(of: lanes[...], contextDigest: contextDigest))
        return checked
    }

    /// Whether the summed lanes and check lanes fit together.
    static func hold(
        in sums: [UInt64], contributors: Int, ringBits: Int, contextDigest: [UInt8]
    ) -> Bool {
        guard sums.count > count else { return false }
        let ring = ringBits == 64 ? UInt64.max : (UInt64(1) << ringBits) - 1
        let lanes = sums[..<(sums.count - count)]
        let expected = combination(of: lanes, contextDigest: contextDigest)
        return sums[sums.count - 2] & ring == UInt64(contributors) & ring
            && sums[sums.count - 1] & ring == expected & ring
    }

    /// Σ ρ_k·x_k modulo 2^64.
    ///
    /// The ρ are odd and come from splitmix64 seeded by the context: they need to be spread, not
    /// secret.
    private static func combination(
        of lanes: ArraySlice<UInt64>, contextDigest: [UInt8]
    ) -> UInt64 {
        var state = contextDigest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return lanes.withUnsafeBufferPointer { lanes in
            var sum: UInt64 = 0
            for lane in lanes {
                state &+= 0x9E37_79B9_7F4A_7C15
                var rho = state
                rho = (rho ^ (rho >> 30)) &* 0xBF58_476D_1CE4_E5B9
                rho = (rho ^ (rho >> 27)) &* 0x94D0_49BB_1331_11EB
                rho ^= rho >> 31
                sum &+= (rho | 1) &* lane
            }
            return sum
        }
    }
}
