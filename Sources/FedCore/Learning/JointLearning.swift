/// The shape of one masked sum: how many lanes, in which ring.
public struct VectorLayout: Equatable, Sendable {
    /// Lanes of the encoded vector, check lanes not counted.
    public let laneCount: Int
    /// The ring Z_2^b; a lane takes b/8 bytes on the wire.
    public let ring: RingWidth
    /// Width b of the ring: a multiple of 8 from 16 to 64.
    public var ringBits: Int { ring.bits }

    /// Wraps a shape.
    ///
    /// - Returns: `nil` when the width is not one of those above, or for more than 2^26 lanes.
    public init?(laneCount: Int, ringBits: Int = 64) {
        guard (1...(1 << 26)).contains(laneCount), let ring = RingWidth(bits: ringBits) else {
            return nil
        }
        self.laneCount = laneCount
        self.ring = ring
    }

    /// The greatest magnitude that a lane of one of `contributors` banks may have: with it the sum
    /// of all of them stays strictly within ±2^(b-1), so the centred decoding of the ring sum *is*
    /// the integer sum and no wrap-around can happen.
    public func laneMagnitudeMax(contributors: Int) -> Int64 {
        let half = ringBits == 64 ? Int64.max : (Int64(1) << (ringBits - 1)) - 1
        return half / Int64(contributors)
    }
}

/// What a bank computed for one query, as signed integers, before it is masked.
///
/// The type has no byte form and no description of its content: the only way from here to the wire
/// is through masking.
public struct EncodedVector: Sendable, CustomStringConvertible {
    /// The lanes, two's complement in the low b bits.
    let lanes: [UInt64]
    /// The shape.
    public let layout: VectorLayout

    /// Encodes integers after checking each against the overflow bound.
    ///
    /// - Parameters:
    ///   - integers: one value a lane.
    ///   - contributors: banks in the roster, n.
    /// - Throws: ``LearningError/laneOutOfRange(lane:laneMagnitudeMax:)`` when the sum over n banks
    ///   could leave the ring; ``LearningError/laneCount(got:expected:)``.
    public init(
        integers: [Int64], layout: VectorLayout, contributors: Int
    ) throws(LearningError) {
        guard integers.count == layout.laneCount else {
            throw .laneCount(got: integers.count, expected: layout.laneCount)
        }
        let limit = layout.laneMagnitudeMax(contributors: contributors)
        let mask = layout.ringBits == 64 ? UInt64.max : (UInt64(1) << layout.ringBits) - 1
        var lanes = [UInt64](repeating: 0, count: integers.count)
        for (lane, value) in integers.enumerated() {
            guard value.magnitude <= UInt64(limit) else {
                throw .laneOutOfRange(lane: lane, laneMagnitudeMax: limit)
            }
            lanes[lane] = UInt64(bitPattern: value) & mask
        }
        self.lanes = lanes
        self.layout = layout
    }

    /// The words for a person.
    public var description: String { "EncodedVector(\(layout.laneCount) lanes, redacted)" }
}

/// The sum of all banks' encoded vectors.
public struct Aggregate: Equatable, Sendable {
    /// One exact integer sum a lane.
    public let integers: [Int64]

    /// Wraps sums; made by the aggregator and by plaintext twins.
    public init(integers: [Int64]) { self.integers = integers }
}

/// What the coordinator asks all banks at once.
///
/// The same bytes go to every bank, and every mask is bound to them.
public struct Query: Equatable, Sendable {
    /// The round that an operator sees.
    ///
    /// A Newton step, a tree. 0 for the statistics before.
    public let round: Int
    /// A short name of the kind of query, for logs and the egress ledger, such as `newton`.
    public let kind: String
    /// The learner's own canonical encoding of what is asked.
    public let body: [UInt8]
    /// The shape of the answer.
    public let layout: VectorLayout

    /// Wraps a query.
    public init(round: Int, kind: String, body: [UInt8], layout: VectorLayout) {
        self.round = round
        self.kind = kind
        self.body = body
        self.layout = layout
    }
}

/// How far a joint training is, for operators and banks.
public struct LearnerProgress: Equatable, Sendable {
    /// Rounds done, of `roundsMax`.
    public let roundsDone: Int
    /// The most rounds that this run can have.
    public let roundsMax: Int
    /// A figure of merit with its name, such as the loss a row.
    public let note: String

    /// Wraps the figures.
    public init(roundsDone: Int, roundsMax: Int, note: String) {
        self.roundsDone = roundsDone
        self.roundsMax = roundsMax
        self.note = note
    }
}

/// What a joint learner wants next.
public enum JointStep: Sendable {
    /// Ask all banks, and give the sum to ``JointLearner/absorb(_:)``.
    case query(Query)
    /// Training is over.
    case finished(ModelDocument)
}

/// The coordinator's side of a learning algorithm: what to ask, and how the sum changes the model.
///
/// It sees sums only. It knows nothing of masks, banks or messages.
public protocol JointLearner: Sendable {
    /// How far it is.
    var progress: LearnerProgress { get }
    /// The next query, or the model.
    mutating func next() throws(LearningError) -> JointStep
    /// Takes the sum of all banks' answers to the last query.
    mutating func absorb(_ aggregate: Aggregate) throws(LearningError)
    /// Gives up the last query, which cannot be answered any more, and what depends on it: the
    /// round ends with what has been summed so far.
    ///
    /// - Throws: ``LearningError/unexpectedQuery(kind:reason:)`` when nothing useful can be made of
    ///   the sums so far; the learner is unchanged.
    mutating func truncateGroup() throws(LearningError)
}

extension JointLearner {
    /// Refuses: most computations need all their sums.
    public mutating func truncateGroup() throws(LearningError) {
        throw .unexpectedQuery(kind: "truncation", reason: "all sums are needed")
    }
}

/// A bank's side: answers queries from its own rows.
public protocol LocalLearner: Sendable {
    /// Computes the answer to a query. A query that does not fit the manifest is refused.
    ///
    /// - Parameter contributors: banks in the roster, for the overflow bound.
    mutating func answer(_ query: Query, contributors: Int) throws(LearningError) -> EncodedVector
    /// Moves to the state after a query without the sums that its answer needs: for a bank that
    /// restarts in the middle of a training, or that sits a group out.
    mutating func replay(_ query: Query) throws(LearningError)
}

extension LocalLearner {
    /// Does nothing: for learners whose answers depend on the query alone.
    public mutating func replay(_ query: Query) throws(LearningError) {}
}

/// A trained model as a file: canonical JSON, named by its SHA-256.
public struct ModelDocument: Equatable, Sendable {
    /// The file's bytes.
    public let bytes: [UInt8]

    /// Wraps the bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }
}
