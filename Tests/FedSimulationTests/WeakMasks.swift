import FedCore
import FedSimulation
import Testing

/// Weak masks that shipped in federated learning systems, or could; the battery must refuse each
/// for the defect that it has, or it is worth nothing.
struct WeakMask: Sendable, CustomTestStringConvertible {
    let name: String
    /// Checks of which each must find something.
    let refusedBy: [MaskBattery.Check]
    let source: MaskSource

    var testDescription: String { name }

    /// - Parameter mask: the mask of a key and context; it is added in the ring.
    private init(
        _ name: String, bits: Int = 64, refusedBy: [MaskBattery.Check],
        mask: @escaping @Sendable (_ good: MaskSource, [UInt8], [UInt8], Int) -> [UInt64]
    ) {
        self.init(named: name, bits: bits, refusedBy: refusedBy) { good, key, context, vector in
            zip(vector, mask(good, key, context, vector.count)).map { $0 &+ $1 }
        }
    }

    private init(
        named name: String, bits: Int, refusedBy: [MaskBattery.Check],
        masked: @escaping @Sendable (_ good: MaskSource, [UInt8], [UInt8], [UInt64]) -> [UInt64]
    ) {
        let good = MaskSource.derivation(ring: ring(bits))
        self.name = name
        self.refusedBy = refusedBy
        source = MaskSource(
            name: name, ring: good.ring, contextByteCount: good.contextByteCount
        ) { masked(good, $0, $1, $2) }
    }

    static let all = [
        WeakMask("key folded to 32 bits", refusedBy: [.foldedKeys]) { good, key, context, count in
            var fold = [UInt8](repeating: 0, count: 4)
            for (index, byte) in key.enumerated() { fold[index % 4] ^= byte }
            return stream(good, fold + [UInt8](repeating: 0, count: 28), context, count)
        },
        WeakMask("half of the key", refusedBy: [.seedBits, .foldedKeys]) {
            good, key, context, count in
            stream(good, key[..<16] + [UInt8](repeating: 0, count: 16), context, count)
        },
        WeakMask("context without its last byte", refusedBy: [.seedBits]) {
            good, key, context, count in
            stream(good, key, context.dropLast() + [0], count)
        },
        WeakMask("one mask for all slots", refusedBy: [.seedBits, .crossSlot]) {
            good, key, context, count in
            stream(good, key, context.map { _ in 0 }, count)
        },
        WeakMask("one mask for all pairs", refusedBy: [.seedBits, .crossPeer, .keyUniformity]) {
            good, key, context, count in
            stream(good, key.map { _ in 0 }, context, count)
        },
        WeakMask("exclusive upper bound", bits: 16, refusedBy: [.topValue]) {
            good, key, context, count in
            stream(ring64, key, context, count).map { $0 % 0xFFFF }
        },
        WeakMask("fractions scaled to the ring", refusedBy: [.topValue, .byteFrequency]) {
            good, key, context, count in
            stream(good, key, context, count).map { UInt64(Double($0 >> 40) * 0x1p40) }
        },
        WeakMask("one scalar for all lanes", refusedBy: [.sharedLanes, .laneUniformity]) {
            good, key, context, count in
            [UInt64](repeating: stream(good, key, context, 1)[0], count: count)
        },
        WeakMask("one scalar for all lanes of a narrow ring", bits: 16, refusedBy: [.sharedLanes]) {
            good, key, context, count in
            [UInt64](repeating: stream(good, key, context, 1)[0], count: count)
        },
        WeakMask("text bytes", refusedBy: [.constantBits, .byteFrequency, .keyUniformity]) {
            good, key, context, count in
            stream(good, key, context, count).map { $0 & 0x7F7F_7F7F_7F7F_7F7F }
        },
        WeakMask(
            named: "floating noise that does not wrap", bits: 64,
            refusedBy: [.averaging, .byteFrequency, .ringAddition]
        ) { good, key, context, vector in
            zip(vector, stream(good, key, context, vector.count)).map { lane, noise in
                let sum = Double(Int64(bitPattern: lane)) + Double(Int64(bitPattern: noise))
                return UInt64(bitPattern: Int64(max(-0x1p63, min(sum, 0x1p63 - 1024))))
            }
        },
        WeakMask(
            "bounded noise around zero", refusedBy: [.averaging, .laneUniformity, .byteFrequency]
        ) { good, key, context, count in
            stream(good, key, context, count).map {
                UInt64(bitPattern: Int64(bitPattern: $0) >> 8)
            }
        },
        WeakMask("a part that all pairs share", refusedBy: [.crossPeer, .averaging]) {
            good, key, context, count in
            let common = stream(good, key.map { _ in 0 }, context.map { _ in 0 }, count)
            return zip(stream(good, key, context, count), common).map { $0 >> 1 &+ $1 >> 1 }
        },
    ]

    private static let ring64 = MaskSource.derivation(ring: ring(64))

    /// A good mask, to be spoilt.
    private static func stream(
        _ source: MaskSource, _ key: [UInt8], _ context: [UInt8], _ count: Int
    ) -> [UInt64] {
        source.masked([UInt64](repeating: 0, count: count), key: key, context: context)
    }
}

/// A ring of a width that exists.
func ring(_ bits: Int) -> RingWidth {
    guard let ring = RingWidth(bits: bits) else { preconditionFailure("no ring of \(bits) bits") }
    return ring
}
