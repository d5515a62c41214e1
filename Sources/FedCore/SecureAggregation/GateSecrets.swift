package import FedCrypto

/// One bank's gate seeds of an epoch: a self-mask for the first slot of every attempt of a group,
/// Shamir-shared among all banks before the first group (secure-aggregation design, section 1.3).
///
/// All of them derive from the bank's run seed, so a bank that restarts deals the same shares.
package struct GateDealer: Sendable {
    /// Attempts that can be gated in this epoch.
    let count: Int
    /// Shares that make up a seed.
    let threshold: Int
    /// Banks of the epoch.
    let bankCount: Int
    /// The dealer's place in the epoch's roster.
    let place: Int
    private let root: SecretBytes

    package init(root: SecretBytes, count: Int, threshold: Int, bankCount: Int, place: Int) {
        self.root = root
        self.count = count
        self.threshold = threshold
        self.bankCount = bankCount
        self.place = place
    }

    /// The seed of one attempt, 32 bytes.
    package func seed(of gate: Int) -> SecretBytes {
        HKDF.expand(root, info: Self.info("fed/v1/gate-seed", gate), count: 32)
    }

    /// The digests that fix all seeds, in order.
    package func leaves() -> [[UInt8]] {
        (0..<count).map { gate in
            GateCommitment.leaf(of: seed(of: gate), gate: gate, dealer: place)
        }
    }

    /// Deals all seeds.
    ///
    /// - Returns: for every bank of the roster, all its shares one after the other, 32 bytes each.
    package func deal() throws(SecretSharingError) -> [SecretBytes] {
        let coefficientCount = SecretSharing.coefficientByteCount(threshold: threshold)
        var dealt = [[UInt8]](
            repeating: [UInt8](repeating: 0, count: count * 32), count: bankCount)
        for gate in 0..<count {
            let shares = try SecretSharing.split(
                seed(of: gate), threshold: threshold, shareCount: bankCount,
                coefficients: HKDF.expand(
                    root, info: Self.info("fed/v1/gate-shares", gate), count: coefficientCount))
            for (bank, share) in shares.enumerated() {
                dealt[bank].withUnsafeMutableBytes { target in
                    share.bytes.withUnsafeBytes {
                        UnsafeMutableRawBufferPointer(
                            rebasing: target[(gate * 32)..<(gate * 32 + 32)]
                        ).copyMemory(from: $0)
                    }
                }
            }
        }
        return dealt.indices.map { SecretBytes(wiping: &dealt[$0]) }
    }

    private static func info(_ label: String, _ gate: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(label)
        writer.write(UInt32(gate))
        return writer.bytes
    }
}

/// What a dealer signs about its gates.
package struct GateCommitment: Equatable, Sendable {
    /// Merkle root over the digests of all its seeds.
    package let seedRoot: [UInt8]
    /// For each bank of the roster, the Merkle root over all shares dealt to it.
    package let shareRoots: [[UInt8]]
    /// For each bank of the roster, SHA-256 of the sealed box with its shares; of nothing for the
    /// dealer itself.
    package let boxDigests: [[UInt8]]

    /// The digest that fixes one seed.
    static func leaf(of seed: SecretBytes, gate: Int, dealer: Int) -> [UInt8] {
        var writer = ByteWriter()
        writer.write("fed/v1/gate-leaf")
        writer.write(UInt32(gate))
        writer.write(UInt32(dealer))
        seed.withUnsafeBytes { writer.writeFixed(Array($0)) }
        return SHA256.hash(writer.bytes)
    }

    /// The Merkle root over shares of 32 bytes each.
    package static func tree(of shares: SecretBytes) -> MerkleTree {
        MerkleTree(
            leaves: shares.withUnsafeBytes { bytes in
                stride(from: 0, to: bytes.count, by: 32).map { Array(bytes[$0..<($0 + 32)]) }
            })
    }

    func write(to writer: inout ByteWriter) {
        writer.write(seedRoot)
        writer.writeEach(shareRoots) { $0.write($1) }
        writer.writeEach(boxDigests) { $0.write($1) }
    }

    package init(seedRoot: [UInt8], shareRoots: [[UInt8]], boxDigests: [[UInt8]]) {
        self.seedRoot = seedRoot
        self.shareRoots = shareRoots
        self.boxDigests = boxDigests
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        seedRoot = try reader.readBytes(limit: 32)
        shareRoots = try reader.readDigests(limit: Roster.banksMax)
        boxDigests = try reader.readDigests(limit: Roster.banksMax)
    }
}

extension ByteReader {
    /// Reads a list of digests of at most 32 bytes each.
    mutating func readDigests(limit: Int) throws(DecodingFailure) -> [[UInt8]] {
        try readEach(limit: limit) { reader throws(DecodingFailure) in
            try reader.readBytes(limit: 32)
        }
    }
}

/// A share of a lost bank's gate seed with the path that shows it is the one dealt.
public struct RecoveredShare: Equatable, Sendable {
    /// The dealer's place in the epoch's roster.
    package let dealer: Int
    /// The share, 32 bytes; public from here on.
    package let share: [UInt8]
    /// From the share to the dealer's signed root.
    package let path: [[UInt8]]

    /// Whether it is the share of a gate's seed that its dealer has committed to for the holder.
    ///
    /// - Parameter gates: gates of the epoch.
    func isDealt(
        to holder: Int, gate: Int, of gates: Int, by commitment: GateCommitment
    ) -> Bool {
        commitment.shareRoots.indices.contains(holder)
            && MerkleTree.holds(
                leaf: share, at: gate, of: gates, path: path,
                root: commitment.shareRoots[holder])
    }

    /// The point of the dealer's polynomials that the holder had.
    func secret(of holder: Int) -> SecretShare {
        SecretShare(index: UInt8(holder + 1), bytes: SecretBytes(share))
    }

    func write(to writer: inout ByteWriter) {
        writer.write(UInt8(dealer))
        writer.write(share)
        writer.writeEach(path) { $0.write($1) }
    }

    package init(dealer: Int, share: [UInt8], path: [[UInt8]]) {
        self.dealer = dealer
        self.share = share
        self.path = path
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        dealer = Int(try reader.read(UInt8.self))
        share = try reader.readBytes(limit: 32)
        path = try reader.readDigests(limit: 16)
    }
}
