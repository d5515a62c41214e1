import FedWire
import Testing

/// What the coordinator says first on a connection.
@Suite struct GreetingTests {
    @Test("A greeting comes back as it was said", arguments: [[], [UInt8](0..<200)])
    func roundTrip(charter: [UInt8]) {
        let greeting = Greeting(
            unixMilliseconds: -1_800_000_000_123, charter: charter,
            standardDigest: [UInt8](repeating: 7, count: 32))
        #expect(Greeting(bytes: greeting.bytes) == greeting)
    }

    @Test("Nothing else is taken for a greeting: every cut, every flipped byte of the name")
    func strict() {
        let bytes = Greeting(unixMilliseconds: 1, charter: [1, 2], standardDigest: []).bytes
        for count in bytes.indices { #expect(Greeting(bytes: Array(bytes[..<count])) == nil) }
        #expect(Greeting(bytes: bytes + [0]) == nil)
        for index in 0..<19 {
            var other = bytes
            other[index] ^= 1
            #expect(Greeting(bytes: other) == nil)
        }
        #expect(LinkPosition(bytes: bytes) == nil)
    }
}
