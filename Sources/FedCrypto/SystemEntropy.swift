internal import COpenSSL

/// Random bytes of the operating system, through OpenSSL's generator.
///
/// This is the one impure thing here. FedCore never calls it: it is given seeds. Only the edges
/// (services, tools) draw them, so that a run can be replayed from its seeds.
public enum SystemEntropy {
    /// Draws bytes that may become public, such as a run identifier or a nonce.
    ///
    /// - Throws: `libraryFailure` when there is no entropy to be had; never weak bytes.
    public static func bytes(_ count: Int) throws(CryptoError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(clamping: count)) == 1, count <= Int32.max else {
            throw .libraryFailure(operation: "RAND_bytes")
        }
        return bytes
    }

    /// Draws bytes that stay secret, such as a key seed, from the private generator.
    ///
    /// - Throws: `libraryFailure` when there is no entropy to be had; never weak bytes.
    public static func secret(_ count: Int) throws(CryptoError) -> SecretBytes {
        try SecretBytes(count: count) { output throws(CryptoError) in
            let start = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard count <= Int32.max, RAND_priv_bytes(start, Int32(count)) == 1 else {
                throw .libraryFailure(operation: "RAND_priv_bytes")
            }
        }
    }
}
