public import FedCrypto

/// One share of a secret of 32 bytes.
public struct SecretShare: Sendable, CustomStringConvertible, CustomReflectable {
    /// Where the polynomials were evaluated, from 1 to 255; public.
    public let index: UInt8
    /// The values of the 32 polynomials there; secret.
    public let bytes: SecretBytes

    /// Joins index and bytes, such as of a decrypted message; both are checked when used.
    public init(index: UInt8, bytes: SecretBytes) {
        self.index = index
        self.bytes = bytes
    }

    /// The index; never the bytes.
    public var description: String { "SecretShare(\(index), redacted)" }

    /// No children, so `dump` shows nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Secret sharing with a reconstruction threshold: any `threshold` shares give the secret, fewer
/// give nothing.
///
/// Shamir, How to share a secret (1979), for each of 32 bytes over GF(2^8) with the AES polynomial
/// x^8 + x^4 + x^3 + x + 1; the secret is the value at 0. Time depends on indexes, counts and the
/// threshold only.
public enum SecretSharing {
    /// Size of secrets and shares in bytes.
    public static let byteCount = 32
    /// Most shares: the indexes other than 0.
    public static let shareCountMax = 255

    /// Number of random bytes that ``split(_:threshold:shareCount:coefficients:)`` needs.
    public static func coefficientByteCount(threshold: Int) -> Int {
        max(threshold - 1, 0) * byteCount
    }

    /// Makes the shares of a secret, with the indexes from 1 to `shareCount`.
    ///
    /// - Parameters:
    ///   - secret: 32 bytes.
    ///   - threshold: shares needed to reconstruct, 1 to `shareCount`; 1 hides nothing.
    ///   - shareCount: 1 to 255.
    ///   - coefficients: `coefficientByteCount(threshold:)` uniformly random bytes, used for this
    ///     secret only; 32 for the linear terms, 32 for the squares, and so on.
    /// - Throws: `threshold`, `byteCount`.
    public static func split(
        _ secret: SecretBytes, threshold: Int, shareCount: Int, coefficients: SecretBytes
    ) throws(SecretSharingError) -> [SecretShare] {
        guard (1...shareCountMax).contains(shareCount), (1...shareCount).contains(threshold) else {
            throw .threshold(got: threshold, shareCount: shareCount)
        }
        guard secret.count == byteCount else {
            throw .byteCount(.secret, got: secret.count, expected: byteCount)
        }
        let expected = coefficientByteCount(threshold: threshold)
        guard coefficients.count == expected else {
            throw .byteCount(.coefficients, got: coefficients.count, expected: expected)
        }
        return secret.withUnsafeBytes { secret in
            coefficients.withUnsafeBytes { coefficients in
                (1...shareCount).map { number in
                    let index = UInt8(number)
                    var value = FieldVector.zero
                    // Horner's rule from the highest term down to the constant one, the secret.
                    for term in stride(from: threshold - 1, to: 0, by: -1) {
                        value.add(FieldVector(coefficients, at: (term - 1) * byteCount))
                        value.multiply(by: index)
                    }
                    value.add(FieldVector(secret, at: 0))
                    return SecretShare(index: index, bytes: value.secretBytes)
                }
            }
        }
    }

    /// Reconstructs a secret.
    ///
    /// The first `threshold` shares decide; further ones are checked against them.
    ///
    /// - Parameter threshold: what the secret was split with. A smaller number gives garbage, so
    ///   compare the result with a commitment.
    /// - Throws: `zeroIndex`, `duplicateIndex`, `byteCount`, `tooFewShares`, `threshold`,
    ///   `inconsistentShares`.
    public static func reconstruct(
        _ shares: [SecretShare], threshold: Int
    ) throws(SecretSharingError) -> SecretBytes {
        guard (1...shareCountMax).contains(threshold) else {
            throw .threshold(got: threshold, shareCount: shareCountMax)
        }
        var seen: Set<UInt8> = []
        for share in shares {
            guard share.index != 0 else { throw .zeroIndex }
            guard seen.insert(share.index).inserted else { throw .duplicateIndex(share.index) }
            guard share.bytes.count == byteCount else {
                throw .byteCount(.share, got: share.bytes.count, expected: byteCount)
            }
        }
        guard shares.count >= threshold else {
            throw .tooFewShares(got: shares.count, expected: threshold)
        }
        let deciding = shares[..<threshold]
        for surplus in shares[threshold...] {
            let expected = interpolate(deciding, at: surplus.index).secretBytes
            guard expected.isEqual(to: surplus.bytes) else { throw .inconsistentShares }
        }
        return interpolate(deciding, at: 0).secretBytes
    }

    /// The value at `place` of the polynomials through the shares (Lagrange's formula); in this
    /// field, minus is plus.
    private static func interpolate(
        _ shares: ArraySlice<SecretShare>, at place: UInt8
    ) -> FieldVector {
        var sum = FieldVector.zero
        for share in shares {
            var numerator: UInt8 = 1
            var denominator: UInt8 = 1
            for other in shares where other.index != share.index {
                numerator = GF256.multiply(numerator, place ^ other.index)
                denominator = GF256.multiply(denominator, share.index ^ other.index)
            }
            var term = share.bytes.withUnsafeBytes { FieldVector($0, at: 0) }
            term.multiply(by: GF256.multiply(numerator, GF256.inverse(denominator)))
            sum.add(term)
        }
        return sum
    }
}

/// Arithmetic of GF(2^8) modulo x^8 + x^4 + x^3 + x + 1, without tables or secret branches.
package enum GF256 {
    /// The product.
    package static func multiply(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var product: UInt8 = 0
        var power = left
        for bit in 0..<8 {
            product ^= power & (0 &- (right >> UInt8(bit) & 1))
            power = power << 1 ^ 0x1B & (0 &- (power >> 7))
        }
        return product
    }

    /// The inverse, value^254; 0 gives 0.
    package static func inverse(_ value: UInt8) -> UInt8 {
        var result: UInt8 = 1
        for _ in 0..<7 {
            result = multiply(result, value)
            result = multiply(result, result)
        }
        return result
    }
}

/// Thirty-two elements of GF(2^8) side by side.
private struct FieldVector {
    static let zero = FieldVector(words: .zero)

    private var words: SIMD4<UInt64>

    private init(words: SIMD4<UInt64>) { self.words = words }

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        words = .zero
        for index in 0..<4 {
            words[index] = bytes.loadUnaligned(fromByteOffset: offset + 8 * index, as: UInt64.self)
        }
    }

    var secretBytes: SecretBytes {
        SecretBytes(count: SecretSharing.byteCount) { buffer in
            for index in 0..<4 {
                buffer.storeBytes(of: words[index], toByteOffset: 8 * index, as: UInt64.self)
            }
        }
    }

    mutating func add(_ other: FieldVector) { words ^= other.words }

    /// Multiplies all by one public scalar, whose count of bits the time depends on.
    mutating func multiply(by scalar: UInt8) {
        var product = SIMD4<UInt64>.zero
        var remaining = UInt64(scalar)
        while remaining != 0 {
            product ^= words & SIMD4(repeating: 0 &- (remaining & 1))
            remaining >>= 1
            // Doubles each byte; where a top bit falls out, the polynomial comes back in.
            let carries = (words &>> 7) & SIMD4(repeating: 0x0101_0101_0101_0101)
            words = (words & SIMD4(repeating: 0x7F7F_7F7F_7F7F_7F7F)) &<< 1
            words ^= carries ^ (carries &<< 1) ^ (carries &<< 3) ^ (carries &<< 4)
        }
        words = product
    }
}
