internal import FedCrypto

/// A Merkle tree of SHA-256 over byte strings: one root commits to all of them, and a path of
/// log2(count) digests shows one of them.
///
/// Leaves and inner nodes are hashed under different prefixes (RFC 6962, section 2.1); a last node
/// without a neighbour moves up unchanged.
package struct MerkleTree {
    /// From the leaves' digests up to the root.
    private let levels: [[[UInt8]]]

    /// Builds the tree.
    ///
    /// - Parameter leaves: at least one.
    package init(leaves: [[UInt8]]) {
        precondition(!leaves.isEmpty, "a Merkle tree of nothing")
        var levels = [leaves.map { SHA256.hash([0] + $0) }]
        while let last = levels.last, last.count > 1 {
            var next: [[UInt8]] = []
            next.reserveCapacity((last.count + 1) / 2)
            for index in stride(from: 0, to: last.count, by: 2) {
                next.append(
                    index + 1 < last.count
                        ? Self.node(last[index], last[index + 1]) : last[index])
            }
            levels.append(next)
        }
        self.levels = levels
    }

    /// The commitment, 32 bytes.
    package var root: [UInt8] { levels.last?.first ?? [] }

    /// The digests beside the way from a leaf to the root.
    package func path(to index: Int) -> [[UInt8]] {
        var path: [[UInt8]] = []
        var place = index
        for level in levels.dropLast() {
            if place ^ 1 < level.count { path.append(level[place ^ 1]) }
            place /= 2
        }
        return path
    }

    /// Whether the path leads from a leaf at `index` of `count` to the root.
    package static func holds(
        leaf: [UInt8], at index: Int, of count: Int, path: [[UInt8]], root: [UInt8]
    ) -> Bool {
        guard (0..<count).contains(index) else { return false }
        var digest = SHA256.hash([0] + leaf)
        var (place, width, rest) = (index, count, path[...])
        while width > 1 {
            if place ^ 1 < width {
                guard let beside = rest.popFirst(), beside.count == 32 else { return false }
                digest = place & 1 == 0 ? node(digest, beside) : node(beside, digest)
            }
            place /= 2
            width = (width + 1) / 2
        }
        return rest.isEmpty && digest == root
    }

    private static func node(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [1]
        bytes.reserveCapacity(65)
        bytes += left
        bytes += right
        return SHA256.hash(bytes)
    }
}
