import FedCore
import FedCrypto
import Testing

// The vectors come from this Python reference, which shares nothing with the code under test:
//
//     def mul(a, b):
//         p = 0
//         while b:
//             if b & 1: p ^= a
//             a = a << 1 ^ (0x11B if a & 0x80 else 0)
//             b >>= 1
//         return p
//
//     def share(secret, coefficients, x):
//         out = bytearray()
//         for place, value in enumerate(secret):
//             power = 1
//             for term in range(len(coefficients) // 32):
//                 power = mul(power, x)
//                 value ^= mul(coefficients[32 * term + place], power)
//             out.append(value)
//         return bytes(out)
struct SecretSharingTests {
    private struct File: Decodable {
        struct Products: Decodable {
            struct Case: Decodable {
                let left: UInt8
                let right: UInt8
                let product: UInt8
            }
            let cases: [Case]
        }
        struct Case: Decodable {
            struct Share: Decodable {
                let index: UInt8
                let bytes: VectorBytes
            }
            let threshold: Int
            let shareCount: Int
            let shares: [Share]
        }
        let products: Products
        let secret: VectorBytes
        let cases: [Case]
    }

    private let file: File

    init() throws { file = try secureAggregationVectors(File.self, "secret-sharing") }

    private func bytes(_ secret: SecretBytes) -> [UInt8] { secret.withUnsafeBytes { Array($0) } }

    private func shares(
        _ secret: [UInt8], threshold: Int, shareCount: Int, seed: UInt64
    ) throws -> [SecretShare] {
        var random = SplitMix64(seed: seed)
        let count = SecretSharing.coefficientByteCount(threshold: threshold)
        return try SecretSharing.split(
            SecretBytes(secret), threshold: threshold, shareCount: shareCount,
            coefficients: SecretBytes(random.bytes(count)))
    }

    @Test func `products and inverses are those of the field of AES`() {
        #expect(file.products.cases.count == 3)
        for vector in file.products.cases {
            #expect(GF256.multiply(vector.left, vector.right) == vector.product)
            #expect(GF256.multiply(vector.right, vector.left) == vector.product)
        }
        #expect(GF256.inverse(0) == 0)
        for value in UInt8(1)...255 {
            #expect(GF256.multiply(value, GF256.inverse(value)) == 1)
        }
    }

    @Test func `the shares of the reference come out and give the secret back`() throws {
        #expect(file.cases.count == 5)
        for vector in file.cases {
            let coefficients = (1..<max(vector.threshold, 1)).flatMap {
                SHA256.hash([UInt8(vector.threshold), UInt8($0)])
            }
            let shares = try SecretSharing.split(
                SecretBytes(file.secret.bytes), threshold: vector.threshold,
                shareCount: vector.shareCount, coefficients: SecretBytes(coefficients))
            #expect(shares.map { Int($0.index) } == Array(1...vector.shareCount))
            for expected in vector.shares {
                let share = shares[Int(expected.index) - 1]
                #expect(bytes(share.bytes) == expected.bytes.bytes, "\(expected.index)")
            }
            let back = try SecretSharing.reconstruct(
                shares.suffix(vector.threshold), threshold: vector.threshold)
            #expect(bytes(back) == file.secret.bytes)
        }
    }

    @Test func `any shares that reach the threshold give the secret, in any order`() throws {
        var random = SplitMix64(seed: 5)
        for shareCount in 1...5 {
            for threshold in 1...shareCount {
                let secret = random.bytes(32)
                let all = try shares(
                    secret, threshold: threshold, shareCount: shareCount, seed: random.next())
                for subset in 0..<1 << shareCount {
                    var chosen = all.indices.filter { subset >> $0 & 1 == 1 }.map { all[$0] }
                    chosen.shuffle(using: &random)
                    guard chosen.count >= threshold else {
                        #expect(
                            throws: SecretSharingError.tooFewShares(
                                got: chosen.count, expected: threshold)
                        ) { try SecretSharing.reconstruct(chosen, threshold: threshold) }
                        continue
                    }
                    let back = try SecretSharing.reconstruct(chosen, threshold: threshold)
                    #expect(bytes(back) == secret, "\(subset) of \(shareCount), \(threshold)")
                }
            }
        }
    }

    @Test func `shares below the threshold fit every secret equally`() throws {
        // Threshold 2, one share: over all linear terms each secret byte gives each share byte
        // exactly once, so the share says nothing.
        for secret in [UInt8(0), 1, 0x80, 0xFF] {
            var values: Set<UInt8> = []
            for term in UInt8.min...UInt8.max {
                let all = try SecretSharing.split(
                    SecretBytes([UInt8](repeating: secret, count: 32)), threshold: 2,
                    shareCount: 3,
                    coefficients: SecretBytes([UInt8](repeating: term, count: 32)))
                values.insert(bytes(all[2].bytes)[31])
            }
            #expect(values.count == 256)
        }
    }

    @Test func `a false share among too many is noticed, at every place and bit`() throws {
        let all = try shares([UInt8](repeating: 3, count: 32), threshold: 3, shareCount: 5, seed: 1)
        for position in all.indices {
            for bit in stride(from: 0, to: 256, by: 5) {
                var changed = all
                var value = bytes(all[position].bytes)
                value[bit / 8] ^= 1 << (bit % 8)
                changed[position] = SecretShare(
                    index: all[position].index, bytes: SecretBytes(value))
                #expect(throws: SecretSharingError.inconsistentShares) {
                    try SecretSharing.reconstruct(changed, threshold: 3)
                }
            }
        }
    }

    @Test func `malformed shares are refused`() throws {
        let all = try shares([UInt8](repeating: 3, count: 32), threshold: 2, shareCount: 3, seed: 1)
        let short = SecretShare(index: 9, bytes: all[0].bytes.slice(0..<31))
        let zero = SecretShare(index: 0, bytes: all[0].bytes)
        #expect(throws: SecretSharingError.byteCount(.share, got: 31, expected: 32)) {
            try SecretSharing.reconstruct([all[0], short], threshold: 2)
        }
        #expect(throws: SecretSharingError.zeroIndex) {
            try SecretSharing.reconstruct([all[0], zero], threshold: 2)
        }
        #expect(throws: SecretSharingError.duplicateIndex(2)) {
            try SecretSharing.reconstruct([all[1], all[0], all[1]], threshold: 2)
        }
        #expect(throws: SecretSharingError.tooFewShares(got: 0, expected: 2)) {
            try SecretSharing.reconstruct([], threshold: 2)
        }
        #expect(throws: SecretSharingError.threshold(got: 0, shareCount: 255)) {
            try SecretSharing.reconstruct(all, threshold: 0)
        }
    }

    @Test func `secrets, coefficients and thresholds out of bounds are refused`() {
        let secret = SecretBytes([UInt8](repeating: 1, count: 32))
        func split(_ threshold: Int, _ shareCount: Int, secret: SecretBytes, coefficients: Int)
            throws
        {
            _ = try SecretSharing.split(
                secret, threshold: threshold, shareCount: shareCount,
                coefficients: SecretBytes([UInt8](repeating: 1, count: coefficients)))
        }
        for (threshold, shareCount) in [(0, 3), (4, 3), (-1, 3), (1, 0), (2, 256)] {
            #expect(
                throws: SecretSharingError.threshold(got: threshold, shareCount: shareCount)
            ) { try split(threshold, shareCount, secret: secret, coefficients: 32) }
        }
        #expect(throws: SecretSharingError.byteCount(.secret, got: 5, expected: 32)) {
            try split(2, 3, secret: secret.slice(0..<5), coefficients: 32)
        }
        for count in [0, 32, 63, 65] {
            #expect(throws: SecretSharingError.byteCount(.coefficients, got: count, expected: 64)) {
                try split(3, 3, secret: secret, coefficients: count)
            }
        }
        #expect(throws: Never.self) { try split(1, 255, secret: secret, coefficients: 0) }
    }

    @Test func `a share prints its index only`() {
        let share = SecretShare(index: 7, bytes: SecretBytes([1, 2, 3]))
        #expect("\(share)" == "SecretShare(7, redacted)")
        var dumped = ""
        dump(share, to: &dumped)
        #expect(!dumped.contains("bytes"))
    }
}
