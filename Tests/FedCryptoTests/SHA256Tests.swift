import FedCrypto
import Testing

struct SHA256Tests {
    private struct File: Decodable {
        struct Case: Decodable {
            let message: Hex
            let repeated: Int
            let digest: Hex
        }
        let cases: [Case]
    }

    @Test func `the published digests come out`() throws {
        let file = try knownAnswers(File.self, from: "sha256")
        #expect(file.cases.count == 4)
        for vector in file.cases {
            let message = (0..<vector.repeated).flatMap { _ in vector.message.bytes }
            #expect(SHA256.hash(message) == vector.digest.bytes)
        }
    }

    @Test func `a message hashed in pieces has the digest of the whole`() {
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for size in [1, 7, 63, 64, 65, 999] {
            var hasher = SHA256()
            hasher.update([])
            for start in stride(from: 0, to: message.count, by: size) {
                hasher.update(Array(message[start..<min(start + size, message.count)]))
            }
            #expect(hasher.finalize() == SHA256.hash(message), "pieces of \(size)")
        }
        #expect(SHA256().finalize() == SHA256.hash([]))
    }
}
