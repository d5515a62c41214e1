import FedCrypto
import Testing

struct SecretBytesTests {
    private let plain: [UInt8] = Array("correct horse battery staple".utf8)

    @Test func `a secret keeps its bytes and compares by them`() {
        let secret = SecretBytes(plain)
        #expect(secret.count == plain.count)
        #expect(secret.withUnsafeBytes { Array($0) } == plain)
        #expect(secret.isEqual(to: SecretBytes(plain)))
        #expect(!secret.isEqual(to: SecretBytes(plain + [0])))
        #expect(!secret.isEqual(to: SecretBytes(plain.dropLast() + [0])))
        #expect(secret.slice(8..<13).isEqual(to: SecretBytes(Array("horse".utf8))))
        #expect(SecretBytes([]).isEqual(to: SecretBytes([])))
    }

    @Test func `a secret cannot be printed`() throws {
        let secret = SecretBytes(plain)
        let key = try SigningKey(seed: [UInt8](repeating: 0x41, count: 32))
        let agreement = try AgreementKey(seed: [UInt8](repeating: 0x41, count: 32))
        var dumped = ""
        dump(secret, to: &dumped)
        dump(key, to: &dumped)
        dump(agreement, to: &dumped)
        dump([secret], to: &dumped)
        let printed = dumped + "\(secret) \(String(reflecting: secret)) \(key) \(agreement)"
        #expect(printed.contains("redacted"))
        #expect(!printed.contains("horse"))
        #expect(!printed.contains("104, 111"))
        #expect(!printed.contains("65"))
        #expect(!printed.contains("0x"), "not even the address: \(printed)")
    }

    @Test func `wiping clears the array that the secret came from`() {
        var bytes = plain
        let secret = SecretBytes(wiping: &bytes)
        #expect(bytes == [UInt8](repeating: 0, count: plain.count))
        #expect(secret.withUnsafeBytes { Array($0) } == plain)
    }

    @Test func `an initialiser that fails passes its error on`() {
        #expect(throws: CryptoError.authenticationFailed) {
            try SecretBytes(count: 4) { buffer throws(CryptoError) in
                buffer[0] = 1
                throw .authenticationFailed
            }
        }
    }

    @Test func `comparison notices a difference at every place`() {
        for place in plain.indices {
            var other = plain
            other[place] ^= 1
            #expect(!ConstantTime.equal(plain, other))
        }
        #expect(ConstantTime.equal(plain, plain))
        #expect(!ConstantTime.equal(plain, []))
    }

    @Test func `entropy has the count asked for and does not repeat`() throws {
        let draws = try (0..<64).map { _ in try SystemEntropy.bytes(16) }
        #expect(Set(draws).count == 64)
        #expect(draws.allSatisfy { $0.count == 16 })
        #expect(try SystemEntropy.bytes(0).isEmpty)
        #expect(try !SystemEntropy.secret(32).isEqual(to: SystemEntropy.secret(32)))
    }
}
