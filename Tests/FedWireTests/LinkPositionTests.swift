import FedCore
import FedWire
import Testing

/// What both sides say first on a connection.
@Suite struct LinkPositionTests {
    private static let run = RunID(bytes: [UInt8](0..<16))

    @Test("A position comes back as it was said", arguments: [nil, run])
    func roundTrip(run: RunID?) {
        let position = LinkPosition(run: run, count: 1 << 40)
        #expect(LinkPosition(bytes: position.bytes) == position)
    }

    @Test("Nothing else is taken for a position: every cut, every flipped byte of the name")
    func strict() {
        let bytes = LinkPosition(run: Self.run, count: 3).bytes
        for count in bytes.indices { #expect(LinkPosition(bytes: Array(bytes[..<count])) == nil) }
        #expect(LinkPosition(bytes: bytes + [0]) == nil)
        for index in 0..<19 {
            var other = bytes
            other[index] ^= 1
            #expect(LinkPosition(bytes: other) == nil)
        }
    }
}
