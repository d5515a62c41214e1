/// Key derivation HKDF with SHA-256 (RFC 5869).
///
/// Built on HMAC rather than on OpenSSL's own HKDF, which cuts off an `info` above 1 KiB.
public enum HKDF {
    /// Largest output of ``expand(_:info:count:)``: 255 blocks (RFC 5869, section 2.3).
    public static let outputByteCountMax = 255 * HMACSHA256.byteCount

    /// Concentrates the entropy of an input key (RFC 5869, section 2.2).
    ///
    /// - Parameters:
    ///   - salt: any count; empty means 32 zero bytes, as in the RFC.
    ///   - inputKey: such as the raw output of a key agreement, any count.
    /// - Returns: a pseudo-random key of 32 bytes.
    public static func extract(salt: [UInt8], inputKey: SecretBytes) -> SecretBytes {
        salt.withUnsafeBytes { salt in
            var computation = HMACComputation(key: salt)
            inputKey.withUnsafeBytes { computation.update($0) }
            return SecretBytes(count: HMACSHA256.byteCount) { computation.finish(into: $0) }
        }
    }

    /// Derives key bytes that are bound to `info` (RFC 5869, section 2.3).
    ///
    /// - Parameters:
    ///   - pseudoRandomKey: uniform secret, as made by ``extract(salt:inputKey:)``.
    ///   - info: the context; different contexts give independent keys.
    ///   - count: number of bytes, 0 to ``outputByteCountMax``.
    public static func expand(
        _ pseudoRandomKey: SecretBytes, info: [UInt8], count: Int
    ) -> SecretBytes {
        precondition((0...outputByteCountMax).contains(count), "\(count) derived bytes")
        let blockCount = (count + HMACSHA256.byteCount - 1) / HMACSHA256.byteCount
        let blocks = SecretBytes(count: blockCount * HMACSHA256.byteCount) { output in
            pseudoRandomKey.withUnsafeBytes { key in
                var computation = HMACComputation(key: key)
                var previous = UnsafeRawBufferPointer(rebasing: output[..<0])
                for number in 0..<blockCount {
                    computation.update(previous)
                    info.withUnsafeBytes { computation.update($0) }
                    let counter = [UInt8(number + 1)]
                    counter.withUnsafeBytes { computation.update($0) }
                    let start = number * HMACSHA256.byteCount
                    let block = UnsafeMutableRawBufferPointer(
                        rebasing: output[start..<start + HMACSHA256.byteCount])
                    computation.finish(into: block)
                    previous = UnsafeRawBufferPointer(block)
                }
            }
        }
        return count == blocks.count ? blocks : blocks.slice(0..<count)
    }
}
