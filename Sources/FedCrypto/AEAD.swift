internal import COpenSSL

/// Authenticated encryption: AES-256-GCM (NIST SP 800-38D), by OpenSSL.
///
/// A (key, nonce) pair must never seal two different messages; the caller sees to that.
public enum AEAD {
    /// Key size in bytes.
    public static let keyByteCount = 32
    /// Nonce size in bytes.
    public static let nonceByteCount = 12
    /// Size of the tag, which ends a sealed box, in bytes.
    public static let tagByteCount = 16

    /// Encrypts and authenticates.
    ///
    /// - Returns: ciphertext followed by the tag: `plaintext.count + 16` bytes.
    /// - Throws: `byteCount` for the key or nonce, `tooLong`, `libraryFailure`.
    public static func seal(
        _ plaintext: SecretBytes, key: SecretBytes, nonce: [UInt8], additionalData: [UInt8] = []
    ) throws(CryptoError) -> [UInt8] {
        try check(key: key, nonce: nonce, text: plaintext.count, additionalData: additionalData)
        var box = [UInt8](repeating: 0, count: plaintext.count + tagByteCount)
        let context = EVP_CIPHER_CTX_new()
        defer { EVP_CIPHER_CTX_free(context) }
        let tagStart = plaintext.count
        let isSealed = box.withUnsafeMutableBytes { box in
            key.withUnsafeBytes { key in
                plaintext.withUnsafeBytes { plaintext in
                    let output = box.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    var written: Int32 = 0
                    return EVP_EncryptInit_ex(
                        context, EVP_aes_256_gcm(), nil, key.octets, nonce) == 1
                        && authenticate(additionalData) { bytes in
                            EVP_EncryptUpdate(context, nil, &written, bytes.octets, bytes.length)
                        }
                        && (plaintext.isEmpty
                            || EVP_EncryptUpdate(
                                context, output, &written, plaintext.octets, plaintext.length) == 1)
                        && EVP_EncryptFinal_ex(context, output?.advanced(by: tagStart), &written)
                            == 1
                        && EVP_CIPHER_CTX_ctrl(
                            context, EVP_CTRL_AEAD_GET_TAG, Int32(tagByteCount),
                            output?.advanced(by: tagStart)) == 1
                }
            }
        }
        guard isSealed else { throw .libraryFailure(operation: "AES-256-GCM") }
        return box
    }

    /// Checks and decrypts; nothing of the plaintext is given out when the check fails.
    ///
    /// - Returns: `box.count - 16` bytes.
    /// - Throws: `authenticationFailed`; `byteCount` for the key, the nonce or a box shorter than
    ///   a tag; `tooLong`; `libraryFailure`.
    public static func open(
        _ box: [UInt8], key: SecretBytes, nonce: [UInt8], additionalData: [UInt8] = []
    ) throws(CryptoError) -> SecretBytes {
        guard box.count >= tagByteCount else {
            throw .byteCount(.sealedBox, got: box.count, expected: tagByteCount)
        }
        let count = box.count - tagByteCount
        try check(key: key, nonce: nonce, text: count, additionalData: additionalData)
        guard let context = EVP_CIPHER_CTX_new() else {
            throw .libraryFailure(operation: "AES-256-GCM")
        }
        defer { EVP_CIPHER_CTX_free(context) }
        defer { ERR_clear_error() }
        var tag = Array(box[count...])
        return try SecretBytes(count: count) { output throws(CryptoError) in
            var written: Int32 = 0
            let isOpened = key.withUnsafeBytes { key in
                box.withUnsafeBytes { box in
                    EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key.octets, nonce) == 1
                        && authenticate(additionalData) { bytes in
                            EVP_DecryptUpdate(context, nil, &written, bytes.octets, bytes.length)
                        }
                        && (count == 0
                            || EVP_DecryptUpdate(
                                context, output.octets, &written, box.octets, Int32(count)) == 1)
                        && EVP_CIPHER_CTX_ctrl(
                            context, EVP_CTRL_AEAD_SET_TAG, Int32(tagByteCount), &tag) == 1
                }
            }
            guard isOpened else { throw .libraryFailure(operation: "AES-256-GCM") }
            var rest = [UInt8](repeating: 0, count: tagByteCount)
            guard EVP_DecryptFinal_ex(context, &rest, &written) == 1 else {
                throw .authenticationFailed
            }
        }
    }

    private static func authenticate(
        _ additionalData: [UInt8], _ update: (UnsafeRawBufferPointer) -> Int32
    ) -> Bool {
        additionalData.isEmpty || additionalData.withUnsafeBytes { update($0) } == 1
    }

    private static func check(
        key: SecretBytes, nonce: [UInt8], text: Int, additionalData: [UInt8]
    ) throws(CryptoError) {
        guard key.count == keyByteCount else {
            throw .byteCount(.key, got: key.count, expected: keyByteCount)
        }
        guard nonce.count == nonceByteCount else {
            throw .byteCount(.nonce, got: nonce.count, expected: nonceByteCount)
        }
        // OpenSSL counts in 32-bit integers.
        let countMax = Int(Int32.max) - tagByteCount
        guard text <= countMax else { throw .tooLong(.plaintext, got: text, countMax: countMax) }
        guard additionalData.count <= countMax else {
            throw .tooLong(.additionalData, got: additionalData.count, countMax: countMax)
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate var octets: UnsafePointer<UInt8>? {
        baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
    fileprivate var length: Int32 { Int32(count) }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate var octets: UnsafeMutablePointer<UInt8>? {
        baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
}
