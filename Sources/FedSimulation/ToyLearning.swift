public import FedCore

/// A learner that asks for plain sums in rounds, so that the protocol can be run without a
/// training: a stand-in for statistics and then trees.
///
/// The model is the list of its sums.
public struct ToyLearner: JointLearner {
    private let rounds: Int
    private let depth: Int
    private let layout: VectorLayout
    private var round = 0
    private var level = 0
    private var sums: [Int64] = []

    /// Asks `rounds` rounds of `depth` queries each.
    public init(rounds: Int, depth: Int, layout: VectorLayout) {
        self.rounds = rounds
        self.depth = depth
        self.layout = layout
    }

    /// Rounds done.
    public var progress: LearnerProgress {
        LearnerProgress(roundsDone: round, roundsMax: rounds, note: "toy")
    }

    /// A query that names its place and the sum before it.
    public mutating func next() throws(LearningError) -> JointStep {
        guard round < rounds else {
            return .finished(ModelDocument(bytes: Array("\(sums)".utf8)))
        }
        let body = Array("\(round).\(level) after \(sums.last ?? 0)".utf8)
        return .query(Query(round: round, kind: "toy", body: body, layout: layout))
    }

    /// Remembers a digest of the sum.
    public mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
        sums.append(aggregate.integers.reduce(0) { $0 &* 31 &+ $1 })
        level += 1
        if level == depth { endRound() }
    }

    /// Goes on with the next round.
    public mutating func truncateGroup() throws(LearningError) {
        guard level > 0 else {
            throw .unexpectedQuery(kind: "toy", reason: "nothing is summed yet")
        }
        endRound()
    }

    private mutating func endRound() {
        level = 0
        round += 1
    }
}

/// Answers with numbers that depend on a seed and on every query so far, answered or replayed: a
/// bank that missed one would not answer as before.
public struct ToyBank: LocalLearner {
    private let seed: UInt64
    private var state: UInt64 = 0

    /// Begins with a seed of its own.
    public init(seed: UInt64) { self.seed = seed }

    /// Numbers that fit any roster.
    public mutating func answer(
        _ query: Query, contributors: Int
    ) throws(LearningError) -> EncodedVector {
        take(query)
        var generator = SeededGenerator(seed: seed ^ state)
        let limit = min(query.layout.laneMagnitudeMax(contributors: 200), 1 << 40)
        let integers = (0..<query.layout.laneCount).map { _ in
            Int64(bitPattern: generator.next() >> 1) % (limit + 1)
                * (generator.next() & 1 == 0 ? 1 : -1)
        }
        return try EncodedVector(
            integers: integers, layout: query.layout, contributors: contributors)
    }

    /// Takes the query into the state.
    public mutating func replay(_ query: Query) throws(LearningError) { take(query) }

    private mutating func take(_ query: Query) {
        for byte in query.body { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
}
