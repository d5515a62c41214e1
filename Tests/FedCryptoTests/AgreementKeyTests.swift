import FedCrypto
import Testing

struct AgreementKeyTests {
    private struct File: Decodable {
        struct Case: Decodable {
            let name: String
            let seed: Hex
            let publicKey: Hex
            let secret: Hex
        }
        struct Iterated: Decodable {
            let start: Hex
            let after1: Hex
            let after1000: Hex
        }
        struct Exchange: Decodable {
            let seedA: Hex
            let publicKeyA: Hex
            let seedB: Hex
            let publicKeyB: Hex
            let secret: Hex
        }
        struct LowOrderPoints: Decodable {
            let points: [Hex]
        }
        let cases: [Case]
        let iterated: Iterated
        let exchange: Exchange
        let lowOrderPoints: LowOrderPoints
    }

    private let file: File

    init() throws { file = try knownAnswers(File.self, from: "x25519") }

    private func bytes(of secret: SecretBytes) -> [UInt8] { secret.withUnsafeBytes { Array($0) } }

    @Test func `the products of RFC 7748 section 5 2 come out`() throws {
        #expect(file.cases.count == 2)
        for vector in file.cases {
            let secret = try AgreementKey(seed: vector.seed.bytes)
                .sharedSecret(with: vector.publicKey.bytes)
            #expect(bytes(of: secret) == vector.secret.bytes, "\(vector.name)")
        }
    }

    @Test func `a thousand products in a row come out`() throws {
        var scalar = file.iterated.start.bytes
        var point = scalar
        for iteration in 1...1000 {
            let product = try AgreementKey(seed: scalar).sharedSecret(with: point)
            point = scalar
            scalar = bytes(of: product)
            if iteration == 1 { #expect(scalar == file.iterated.after1.bytes) }
        }
        #expect(scalar == file.iterated.after1000.bytes)
    }

    @Test func `both sides of the exchange of RFC 7748 section 6 1 agree`() throws {
        let vector = file.exchange
        let first = try AgreementKey(seed: vector.seedA.bytes)
        let second = try AgreementKey(seed: vector.seedB.bytes)
        #expect(first.publicKey == vector.publicKeyA.bytes)
        #expect(second.publicKey == vector.publicKeyB.bytes)
        #expect(
            bytes(of: try first.sharedSecret(with: second.publicKey)) == vector.secret.bytes)
        #expect(
            bytes(of: try second.sharedSecret(with: first.publicKey)) == vector.secret.bytes)
    }

    @Test func `a point of small order is refused, in all its encodings`() throws {
        let key = try AgreementKey(seed: file.exchange.seedA.bytes)
        #expect(file.lowOrderPoints.points.count == 14)
        for point in file.lowOrderPoints.points {
            #expect(throws: CryptoError.lowOrderPoint) {
                try key.sharedSecret(with: point.bytes)
            }
        }
    }

    @Test(arguments: [0, 1, 31, 33, 64])
    func `a key of another count is refused`(count: Int) throws {
        let wrong = [UInt8](repeating: 9, count: count)
        let key = try AgreementKey(seed: file.exchange.seedA.bytes)
        #expect(throws: CryptoError.byteCount(.publicKey, got: count, expected: 32)) {
            try key.sharedSecret(with: wrong)
        }
        #expect(throws: CryptoError.byteCount(.seed, got: count, expected: 32)) {
            try AgreementKey(seed: wrong)
        }
    }
}
