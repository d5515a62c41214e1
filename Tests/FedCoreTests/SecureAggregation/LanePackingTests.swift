import FedCore
import Testing

struct LanePackingTests {
    private static let rings = [16, 24, 32, 40, 48, 56, 64].compactMap { RingWidth(bits: $0) }

    /// The wire form, byte by byte.
    private func plainPack(_ lanes: [UInt64], _ ring: RingWidth) -> [UInt8] {
        lanes.flatMap { lane in
            (0..<ring.laneByteCount).map { UInt8(truncatingIfNeeded: lane >> (8 * $0)) }
        }
    }

    @Test func `the widths are the whole bytes from 16 to 64 bits`() {
        #expect(Self.rings.count == 7)
        let accepted = (-8...80).filter { RingWidth(bits: $0) != nil }
        #expect(accepted == [16, 24, 32, 40, 48, 56, 64])
    }

    @Test(arguments: rings)
    func `packing equals the plain byte loop and unpacking reduces to the ring`(ring: RingWidth) {
        var random = SplitMix64(seed: UInt64(ring.bits))
        for count in Array(0...40) + [257, 1000] {
            let lanes = (0..<count).map { _ in random.next() }
            let wire = LanePacking.pack(lanes, in: ring)
            #expect(wire == plainPack(lanes, ring), "\(count) lanes")
            let reduced = lanes.map { $0 & (UInt64.max >> UInt64(64 - ring.bits)) }
            #expect(LanePacking.unpack(wire, in: ring) == reduced, "\(count) lanes")
        }
        let extremes: [UInt64] = [0, .max, 1 << 63, 1 << (ring.bits - 1)]
        #expect(LanePacking.pack(extremes, in: ring) == plainPack(extremes, ring))
    }

    @Test(arguments: rings)
    func `sums over the wire form are sums in the ring`(ring: RingWidth) {
        var random = SplitMix64(seed: UInt64(ring.bits))
        let start = (0..<101).map { _ in random.next() }
        let lanes = (0..<101).map { _ in random.next() }
        var sums = start
        let wire = LanePacking.pack(lanes, in: ring)
        let split = 37 * ring.laneByteCount
        let isFirstAdded = LanePacking.add(Array(wire[..<split]), in: ring, onto: &sums)
        let isSecondAdded = LanePacking.add(
            Array(wire[split...]), in: ring, onto: &sums, firstLane: 37)
        #expect(isFirstAdded && isSecondAdded)
        let expected = zip(start, lanes).map { $0 &+ $1 }
        #expect(LanePacking.pack(sums, in: ring) == plainPack(expected, ring))
    }

    @Test func `bytes that are no lanes, or too many, are refused and change nothing`() throws {
        let ring = try #require(RingWidth(bits: 40))
        #expect(LanePacking.unpack([1, 2, 3, 4, 5, 6], in: ring) == nil)
        let start: [UInt64] = [1, 2, 3]
        var sums = start
        let ten = [UInt8](repeating: 9, count: 10)
        #expect(!LanePacking.add(Array(ten.dropLast()), in: ring, onto: &sums))
        #expect(!LanePacking.add(ten, in: ring, onto: &sums, firstLane: 2))
        #expect(!LanePacking.add(ten, in: ring, onto: &sums, firstLane: 4))
        #expect(!LanePacking.add(ten, in: ring, onto: &sums, firstLane: -1))
        #expect(sums == start)
        #expect(LanePacking.add([], in: ring, onto: &sums, firstLane: 3))
        #expect(sums == start)
    }

    @Test func `adding vectors wraps modulo two to the sixty-fourth`() {
        for count in 0...67 {
            var random = SplitMix64(seed: UInt64(count))
            let left = (0..<count).map { _ in random.next() }
            let right = (0..<count).map { _ in random.next() | 1 << 63 }
            var sums = left
            LanePacking.add(right, onto: &sums)
            #expect(sums == zip(left, right).map { $0 &+ $1 })
        }
    }
}
