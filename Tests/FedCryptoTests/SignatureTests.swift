import FedCrypto
import Testing

struct SignatureTests {
    private struct File: Decodable {
        struct Case: Decodable {
            let name: String
            let seed: Hex
            let publicKey: Hex
            let message: Hex
            let signature: Hex
        }
        struct Refused: Decodable {
            struct Case: Decodable {
                let name: String
                let publicKey: Hex
                let message: Hex
                let signature: Hex
            }
            let cases: [Case]
        }
        let cases: [Case]
        let refused: Refused
    }

    private let file: File

    init() throws { file = try knownAnswers(File.self, from: "ed25519") }

    @Test func `the keys and signatures of RFC 8032 come out and verify`() throws {
        #expect(file.cases.count == 4)
        for vector in file.cases {
            let key = try SigningKey(seed: vector.seed.bytes)
            #expect(key.publicKey == vector.publicKey.bytes, "\(vector.name)")
            #expect(key.sign(vector.message.bytes) == vector.signature.bytes, "\(vector.name)")
            let verifier = try VerifyingKey(publicKey: key.publicKey)
            #expect(
                verifier.isValid(
                    signature: vector.signature.bytes, message: vector.message.bytes))
            #expect(
                VerifyingKey.isValid(
                    signature: vector.signature.bytes, message: vector.message.bytes,
                    publicKey: vector.publicKey.bytes))
        }
    }

    @Test func `any flipped bit of signature, message or key is noticed`() throws {
        let vector = try #require(file.cases.last)
        let whole =
            [vector.signature.bytes, vector.message.bytes, vector.publicKey.bytes].flatMap { $0 }
        let ends = (64, 64 + vector.message.bytes.count)
        for bit in 0..<whole.count * 8 {
            var changed = whole
            changed[bit / 8] ^= 1 << (bit % 8)
            let isValid = VerifyingKey.isValid(
                signature: Array(changed[..<ends.0]), message: Array(changed[ends.0..<ends.1]),
                publicKey: Array(changed[ends.1...]))
            #expect(!isValid, "bit \(bit)")
        }
    }

    @Test func `malformed, foreign and worthless signatures are not valid`() {
        #expect(file.refused.cases.count == 16)
        for vector in file.refused.cases {
            let isValid = VerifyingKey.isValid(
                signature: vector.signature.bytes, message: vector.message.bytes,
                publicKey: vector.publicKey.bytes)
            #expect(!isValid, "\(vector.name)")
        }
    }

    @Test func `a public key of small order is refused by name`() {
        var key = [UInt8](repeating: 0, count: 32)
        #expect(throws: CryptoError.lowOrderPoint) { try VerifyingKey(publicKey: key) }
        key[0] = 1
        key[31] = 0x80
        #expect(throws: CryptoError.lowOrderPoint) { try VerifyingKey(publicKey: key) }
        let above = [0xEE] + [UInt8](repeating: 0xFF, count: 31)
        #expect(throws: CryptoError.invalidPublicKey) { try VerifyingKey(publicKey: above) }
    }

    @Test func `a seed of another count is refused`() {
        #expect(throws: CryptoError.byteCount(.seed, got: 31, expected: 32)) {
            try SigningKey(seed: [UInt8](repeating: 1, count: 31))
        }
    }
}
