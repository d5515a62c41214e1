import CFedKernels
import FedCore
import Testing

@Suite struct CRC32CTests {
    /// RFC 3720, appendix B.4, and the check value of the catalogues.
    @Test(arguments: [
        ([UInt8](repeating: 0, count: 32), [0x8A, 0x91, 0x36, 0xAA] as [UInt8]),
        ([UInt8](repeating: 0xFF, count: 32), [0x62, 0xA8, 0xAB, 0x43]),
        ((0..<32).map { UInt8($0) }, [0x46, 0xDD, 0x79, 0x4E]),
        (Array("123456789".utf8), [0xE3, 0x06, 0x92, 0x83]),
        ([], [0, 0, 0, 0]),
    ])
    func `published vectors`(bytes: [UInt8], check: [UInt8]) {
        #expect(CRC32C.of(bytes) == check)
    }

    @Test func `the processor's instruction gives what plain code gives`() {
        var random = SeededRandom(seed: 5)
        for count in Array(0...70) + [4096, 9001] {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(fed_crc32c(bytes, count) == fed_crc32c_portable(bytes, count), "\(count) bytes")
            // From any address.
            let tail = Array(bytes.dropFirst())
            bytes.dropFirst().withUnsafeBufferPointer { part in
                #expect(fed_crc32c(part.baseAddress, part.count) == fed_crc32c(tail, tail.count))
            }
        }
    }
}
