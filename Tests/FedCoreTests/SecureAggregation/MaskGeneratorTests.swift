import CFedKernels
import FedCore
import FedCrypto
import Testing

struct MaskGeneratorTests {
    private struct File: Decodable {
        struct Nist: Decodable {
            let key: VectorBytes
            let counter: VectorBytes
            let plaintext: VectorBytes
            let ciphertext: VectorBytes
        }
        struct Mask: Decodable {
            struct Part: Decodable {
                let offset: Int
                let bytes: VectorBytes
            }
            let key: VectorBytes
            let keystream: VectorBytes
            let mebibyteDigest: VectorBytes
            let bytesAt: [Part]
        }
        struct CounterCarry: Decodable {
            struct Case: Decodable {
                let counter: VectorBytes
                let keystream: VectorBytes
            }
            let key: VectorBytes
            let cases: [Case]
        }
        let nist: Nist
        let mask: Mask
        let counterCarry: CounterCarry
    }

    private static let implementations = (0..<UInt32(FED_MASK_IMPLEMENTATION_COUNT))
        .map { fed_mask_implementation(rawValue: $0) }
        .filter { fed_mask_available($0) == 1 }

    private let file: File

    init() throws { file = try secureAggregationVectors(File.self, "mask-keystream") }

    private func name(_ implementation: fed_mask_implementation) -> String {
        String(cString: fed_mask_name(implementation))
    }

    private func littleEndianBytes(_ lanes: [UInt64]) -> [UInt8] {
        lanes.flatMap { lane in (0..<8).map { UInt8(truncatingIfNeeded: lane >> (8 * $0)) } }
    }

    private func keystream(
        _ implementation: fed_mask_implementation, key: [UInt8], counter: [UInt8], byteCount: Int
    ) -> [UInt8] {
        var lanes = [UInt64](repeating: 0, count: byteCount / 8)
        #expect(
            fed_mask_add_from(implementation, &lanes, lanes.count, key, counter, 0) == 1)
        return littleEndianBytes(lanes)
    }

    @Test func `the portable implementation and the best one are available`() {
        #expect(Self.implementations.contains(FED_MASK_PORTABLE))
        #expect(Self.implementations.contains(fed_mask_best()))
        #expect(MaskGenerator.implementationName == name(fed_mask_best()))
        let unknown = fed_mask_implementation(rawValue: 99)
        #expect(fed_mask_available(unknown) == 0)
        #expect(fed_mask_add_with(unknown, nil, 0, file.mask.key.bytes, 0, 0) == 0)
    }

    @Test func `every implementation encrypts the NIST counter mode example`() {
        for implementation in Self.implementations {
            let vector = file.nist
            let stream = keystream(
                implementation, key: vector.key.bytes, counter: vector.counter.bytes,
                byteCount: vector.plaintext.bytes.count)
            let ciphertext = zip(stream, vector.plaintext.bytes).map { $0 ^ $1 }
            #expect(ciphertext == vector.ciphertext.bytes, "\(name(implementation))")
        }
    }

    @Test func `every implementation carries through the whole counter`() {
        #expect(file.counterCarry.cases.count == 2)
        for implementation in Self.implementations {
            for vector in file.counterCarry.cases {
                let stream = keystream(
                    implementation, key: file.counterCarry.key.bytes,
                    counter: vector.counter.bytes, byteCount: vector.keystream.bytes.count)
                #expect(stream == vector.keystream.bytes, "\(name(implementation))")
            }
        }
    }

    @Test func `the mask of the frozen key is the frozen keystream`() {
        let seed = MaskSeed(SecretBytes(file.mask.key.bytes))
        var lanes = [UInt64](repeating: 0, count: 4)
        MaskGenerator.add(seed, to: &lanes)
        #expect(littleEndianBytes(lanes) == file.mask.keystream.bytes)
        lanes = [UInt64](repeating: 0, count: 1 << 17)
        MaskGenerator.add(seed, to: &lanes)
        #expect(SHA256.hash(littleEndianBytes(lanes)) == file.mask.mebibyteDigest.bytes)
    }

    @Test func `a mask that begins anywhere is that part of the whole`() {
        let seed = MaskSeed(SecretBytes(file.mask.key.bytes))
        #expect(file.mask.bytesAt.count == 6)
        for part in file.mask.bytesAt {
            var lanes = [UInt64](repeating: 0, count: part.bytes.bytes.count / 8)
            MaskGenerator.add(seed, to: &lanes, firstLane: UInt64(part.offset / 8))
            #expect(littleEndianBytes(lanes) == part.bytes.bytes, "byte \(part.offset)")
        }
    }

    @Test(arguments: 0..<UInt64(4))
    func `all implementations give the same lanes from any place, length and alignment`(
        seed: UInt64
    ) throws {
        var random = SplitMix64(seed: seed)
        let lengths =
            Array(0...70) + (0..<12).map { _ in Int.random(in: 71...9000, using: &random) }
        for length in lengths {
            let key = random.bytes(32)
            let first = Bool.random(using: &random) ? random.next() >> 31 : random.next() % 40
            let shift = Int.random(in: 0..<16, using: &random)
            let subtract = Int32.random(in: 0...1, using: &random)
            let start = random.bytes(8 * length + 32)
            let results = Self.implementations.map { implementation in
                var bytes = start
                bytes.withUnsafeMutableBytes { buffer in
                    // Deliberately unaligned, which the C side allows and Swift's types do not.
                    let lanes = OpaquePointer(buffer.baseAddress?.advanced(by: shift))
                    let done = fed_mask_add_with(
                        implementation, .init(lanes), length, key, first, subtract)
                    #expect(done == 1)
                }
                return bytes
            }
            #expect(results.allSatisfy { $0 == results[0] }, "seed \(seed), \(length) lanes")
            #expect(results[0][..<shift] == start[..<shift])
            #expect(results[0][(shift + 8 * length)...] == start[(shift + 8 * length)...])
            #expect(length == 0 || results[0] != start, "seed \(seed), \(length) lanes")
        }
    }

    @Test func `what one side adds the other takes away, in any tiling`() {
        var random = SplitMix64(seed: 1)
        let count = 20_011
        let plain = (0..<count).map { _ in random.next() }
        let masks = (0..<5).map { number in
            MaskGenerator.Mask(
                MaskSeed(SecretBytes(random.bytes(32))), isSubtracted: number.isMultiple(of: 2))
        }
        var whole = plain
        MaskGenerator.add(masks, to: &whole)
        #expect(zip(whole, plain).allSatisfy { $0 != $1 })

        var parts: [UInt64] = []
        var rest = plain[...]
        while !rest.isEmpty {
            var part = Array(rest.prefix(1237))
            rest = rest.dropFirst(part.count)
            MaskGenerator.add(masks, to: &part, firstLane: UInt64(parts.count))
            parts += part
        }
        #expect(parts == whole)

        for mask in masks { MaskGenerator.add(mask.seed, to: &whole, subtract: !mask.isSubtracted) }
        #expect(whole == plain)
    }

    @Test func `pairwise masks cancel in the sum over all banks`() {
        for bankCount in 2...7 {
            var random = SplitMix64(seed: UInt64(bankCount))
            let vectors = (0..<bankCount).map { _ in (0..<33).map { _ in random.next() } }
            let seeds = (0..<bankCount * bankCount).map { _ in
                MaskSeed(SecretBytes(random.bytes(32)))
            }
            var sum = [UInt64](repeating: 0, count: 33)
            for bank in 0..<bankCount {
                var lanes = vectors[bank]
                let masks = (0..<bankCount).filter { $0 != bank }.map { peer in
                    MaskGenerator.Mask(
                        seeds[min(bank, peer) * bankCount + max(bank, peer)],
                        isSubtracted: bank > peer)
                }
                MaskGenerator.add(masks, to: &lanes)
                LanePacking.add(lanes, onto: &sum)
            }
            for lane in sum.indices {
                #expect(sum[lane] == vectors.reduce(0) { $0 &+ $1[lane] })
            }
        }
    }

    @Test func `a seed derived from a context changes with every bit of it`() {
        let key = SecretBytes([UInt8](repeating: 7, count: 32))
        let context: [UInt8] = Array("mask/group 3/slot 1".utf8)
        func firstLane(_ context: [UInt8]) -> UInt64 {
            var lane: [UInt64] = [0]
            MaskGenerator.add(MaskSeed(deriving: key, info: context), to: &lane)
            return lane[0]
        }
        var seen: Set<UInt64> = [firstLane(context)]
        for bit in 0..<context.count * 8 {
            var changed = context
            changed[bit / 8] ^= 1 << (bit % 8)
            seen.insert(firstLane(changed))
        }
        #expect(seen.count == 1 + context.count * 8)
        #expect("\(MaskSeed(deriving: key, info: context))" == "MaskSeed(redacted)")
    }
}
