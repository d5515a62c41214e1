import FedCrypto
import Testing

struct KeyDerivationTests {
    private struct CodeFile: Decodable {
        struct Case: Decodable {
            let key: Hex
            let message: Hex
            let code: Hex
        }
        let cases: [Case]
    }

    private struct DerivationFile: Decodable {
        struct Case: Decodable {
            let name: String
            let inputKey: Hex
            let salt: Hex
            let info: Hex
            let count: Int
            let pseudoRandomKey: Hex
            let output: Hex
        }
        struct LongInfo: Decodable {
            struct Case: Decodable {
                let count: Int
                let outputDigest: Hex
            }
            let cases: [Case]
        }
        let cases: [Case]
        let longInfo: LongInfo
    }

    @Test func `HMAC gives the codes of RFC 4231`() throws {
        let file = try knownAnswers(CodeFile.self, from: "hmac-sha256")
        #expect(file.cases.count == 4)
        for vector in file.cases {
            let key = SecretBytes(vector.key.bytes)
            #expect(
                HMACSHA256.authenticate(vector.message.bytes, key: key) == vector.code.bytes)
            #expect(HMACSHA256.isValid(vector.code.bytes, for: vector.message.bytes, key: key))
        }
    }

    @Test func `a changed, short or foreign code is not valid`() {
        let key = SecretBytes([1, 2, 3])
        let code = HMACSHA256.authenticate([9], key: key)
        for index in code.indices {
            var changed = code
            changed[index] ^= 0x80
            #expect(!HMACSHA256.isValid(changed, for: [9], key: key))
        }
        #expect(!HMACSHA256.isValid(Array(code.dropLast()), for: [9], key: key))
        #expect(!HMACSHA256.isValid([], for: [9], key: key))
        #expect(!HMACSHA256.isValid(code, for: [8], key: key))
        #expect(!HMACSHA256.isValid(code, for: [9], key: SecretBytes([1, 2, 4])))
    }

    @Test func `HKDF gives the keys of RFC 5869`() throws {
        let file = try knownAnswers(DerivationFile.self, from: "hkdf-sha256")
        #expect(file.cases.count == 3)
        for vector in file.cases {
            let key = HKDF.extract(
                salt: vector.salt.bytes, inputKey: SecretBytes(vector.inputKey.bytes))
            #expect(key.isEqual(to: SecretBytes(vector.pseudoRandomKey.bytes)), "\(vector.name)")
            let output = HKDF.expand(key, info: vector.info.bytes, count: vector.count)
            #expect(output.isEqual(to: SecretBytes(vector.output.bytes)), "\(vector.name)")
        }
    }

    @Test func `an info of three kilobytes counts to its last byte, for every output count`()
        throws
    {
        let file = try knownAnswers(DerivationFile.self, from: "hkdf-sha256").longInfo
        let key = SecretBytes(Array(0..<32))
        let info = (0..<3000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(file.cases.count == 6)
        for vector in file.cases {
            let output = HKDF.expand(key, info: info, count: vector.count)
            let digest = output.withUnsafeBytes { SHA256.hash($0) }
            #expect(digest == vector.outputDigest.bytes, "\(vector.count) bytes")
        }
        #expect(HKDF.expand(key, info: info, count: 0).count == 0)
        #expect(HKDF.outputByteCountMax == 8160)
    }
}
