import FedCrypto
import Testing

struct AEADTests {
    private struct File: Decodable {
        struct Case: Decodable {
            let name: String
            let key: Hex
            let nonce: Hex
            let plaintext: Hex
            let additionalData: Hex
            let box: Hex
        }
        let cases: [Case]
    }

    private let file: File

    init() throws { file = try knownAnswers(File.self, from: "aes-256-gcm") }

    @Test func `the published boxes come out and open`() throws {
        #expect(file.cases.count == 4)
        for vector in file.cases {
            let key = SecretBytes(vector.key.bytes)
            let box = try AEAD.seal(
                SecretBytes(vector.plaintext.bytes), key: key, nonce: vector.nonce.bytes,
                additionalData: vector.additionalData.bytes)
            #expect(box == vector.box.bytes, "\(vector.name)")
            let opened = try AEAD.open(
                box, key: key, nonce: vector.nonce.bytes,
                additionalData: vector.additionalData.bytes)
            #expect(opened.isEqual(to: SecretBytes(vector.plaintext.bytes)), "\(vector.name)")
        }
    }

    @Test func `any flipped bit of box, key, nonce or additional data is noticed`() throws {
        let vector = try #require(file.cases.last)
        let parts = [vector.box, vector.key, vector.nonce, vector.additionalData].map(\.bytes)
        for part in parts.indices {
            for bit in 0..<parts[part].count * 8 {
                var changed = parts
                changed[part][bit / 8] ^= 1 << (bit % 8)
                #expect(throws: CryptoError.authenticationFailed, "part \(part), bit \(bit)") {
                    try AEAD.open(
                        changed[0], key: SecretBytes(changed[1]), nonce: changed[2],
                        additionalData: changed[3])
                }
            }
        }
    }

    @Test func `a box cut anywhere is refused`() throws {
        let vector = try #require(file.cases.last)
        let key = SecretBytes(vector.key.bytes)
        for count in 0..<vector.box.bytes.count {
            let expected: CryptoError =
                count < 16
                ? .byteCount(.sealedBox, got: count, expected: 16) : .authenticationFailed
            #expect(throws: expected) {
                try AEAD.open(
                    Array(vector.box.bytes[..<count]), key: key, nonce: vector.nonce.bytes,
                    additionalData: vector.additionalData.bytes)
            }
        }
    }

    @Test func `keys and nonces of another count are refused`() {
        let box = [UInt8](repeating: 0, count: 20)
        let key = SecretBytes([UInt8](repeating: 0, count: 31))
        let nonce = [UInt8](repeating: 0, count: 12)
        #expect(throws: CryptoError.byteCount(.key, got: 31, expected: 32)) {
            try AEAD.open(box, key: key, nonce: nonce)
        }
        #expect(throws: CryptoError.byteCount(.nonce, got: 11, expected: 12)) {
            try AEAD.seal(
                key, key: SecretBytes(nonce + box), nonce: Array(nonce.dropLast()))
        }
    }
}
