public import FedCrypto

/// The coordinator's side of one slot: adds masked updates of all banks of the roster, each once,
/// and opens the sum when the last one is in.
public struct SlotAccumulator: Sendable {
    private let context: SlotContext
    private let contextDigest: [UInt8]
    private var sums: [UInt64]
    private var updateDigests: [NodeID: [UInt8]] = [:]
    private var gated: Set<NodeID>

    /// Begins an empty sum.
    ///
    /// - Parameter isGated: whether every update carries a self-mask, to be taken off by
    ///   ``ungate(_:seed:)`` before the sum opens.
    public init(context: SlotContext, isGated: Bool = false) {
        self.context = context
        gated = isGated ? Set(context.roster.banks) : []
        self.contextDigest = context.digest
        self.sums = [UInt64](repeating: 0, count: context.layout.laneCount + CheckLanes.count)
    }

    /// Banks that have not answered yet, sorted.
    public var missing: [NodeID] { context.roster.banks.filter { updateDigests[$0] == nil } }

    /// Banks whose self-mask is still on the sum, sorted.
    public var stillGated: [NodeID] { gated.sorted() }

    /// SHA-256 of each bank's update as it travelled, in roster order; complete once nothing is missing.
    public var orderedDigests: [[UInt8]] { context.roster.banks.compactMap { updateDigests[$0] } }

    /// Adds one bank's update.
    ///
    /// - Parameter digest: SHA-256 of the statement that carried it, for the receipt.
    /// - Throws: ``UpdateFailure`` when it was made for another context or has a wrong length.
    public mutating func add(
        contextDigest: [UInt8], laneBytes: [UInt8], from bank: NodeID, digest: [UInt8]
    ) throws(UpdateFailure) {
        guard context.roster.index(of: bank) != nil else { throw .stranger }
        guard updateDigests[bank] == nil else { throw .secondUpdate }
        guard contextDigest == self.contextDigest else { throw .contextDiffers }
        let expected = sums.count * context.layout.ring.laneByteCount
        guard laneBytes.count == expected,
            LanePacking.add(laneBytes, in: context.layout.ring, onto: &sums)
        else { throw .wrongLength(got: laneBytes.count, expected: expected) }
        updateDigests[bank] = digest
    }

    /// Takes one bank's self-mask off the sum, once.
    ///
    /// - Parameter seed: as released by the bank or recovered from shares, 32 bytes.
    public mutating func ungate(_ bank: NodeID, seed: SecretBytes) {
        guard gated.remove(bank) != nil else { return }
        MaskGenerator.add(
            EpochKeys.gateMask(seed, contextDigest), to: &sums, subtract: true)
    }

    /// Opens the sum.
    ///
    /// - Throws: ``UpdateFailure/incomplete`` or ``UpdateFailure/checkLanesDiffer``.
    public func open() throws(UpdateFailure) -> Aggregate {
        guard missing.isEmpty, gated.isEmpty else { throw .incomplete }
        let bits = context.layout.ringBits
        guard
            CheckLanes.hold(
                in: sums, contributors: context.roster.banks.count, ringBits: bits,
                contextDigest: contextDigest)
        else { throw .checkLanesDiffer }
        let shift = UInt64(64 - bits)
        return Aggregate(
            integers: sums.dropLast(CheckLanes.count).map {
                Int64(bitPattern: $0 << shift) >> shift
            }
        )
    }
}

/// Why an update or a sum is refused.
public enum UpdateFailure: Error, Equatable, Sendable {
    /// The bank is not in the roster.
    case stranger
    /// The bank has answered this slot before.
    case secondUpdate
    /// The masks are bound to another context: this bank was told something else.
    case contextDiffers
    /// The vector has another length.
    case wrongLength(got: Int, expected: Int)
    /// Banks are missing.
    case incomplete
    /// The sum is garbled.
    case checkLanesDiffer
}

/// The same sum without masks: the oracle of tests.
package enum PlaintextAggregation {
    /// Adds the encoded vectors of all banks.
    package static func sum(_ vectors: [EncodedVector]) -> Aggregate? {
        guard let layout = vectors.first?.layout else { return nil }
        var sums = [UInt64](repeating: 0, count: layout.laneCount)
        for vector in vectors {
            precondition(vector.layout == layout, "vectors of different layouts")
            for lane in sums.indices { sums[lane] &+= vector.lanes[lane] }
        }
        let shift = UInt64(64 - layout.ringBits)
        return Aggregate(integers: sums.map { Int64(bitPattern: $0 << shift) >> shift })
    }
}

extension UpdateFailure: CustomStringConvertible {
    /// The words for a person.
    public var description: String {
        switch self {
        case .stranger: "it is not in the roster"
        case .secondUpdate: "it answered the same slot twice"
        case .contextDiffers: "its masks are bound to another context"
        case .wrongLength(let got, let expected): "\(got) bytes of lanes, expected \(expected)"
        case .incomplete: "updates are missing"
        case .checkLanesDiffer: "the check lanes do not hold"
        }
    }
}
