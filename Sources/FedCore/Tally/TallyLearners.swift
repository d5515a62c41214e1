/// The coordinator's side of a tally: one query, one sum.
public struct JointTallyLearner: JointLearner {
    private let configuration: TallyConfiguration
    private let contributors: Int
    private let manifestHash: [UInt8]?
    private var sums: [Int64]?

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - contributors: banks in the roster.
    ///   - manifestHash: SHA-256 of the run's manifest.
    public init(
        configuration: TallyConfiguration, contributors: Int, manifestHash: [UInt8]? = nil
    ) {
        self.configuration = configuration
        self.contributors = contributors
        self.manifestHash = manifestHash
    }

    /// One round.
    public var progress: LearnerProgress {
        LearnerProgress(roundsDone: sums == nil ? 0 : 1, roundsMax: 1, note: "")
    }

    /// The query, or the sums as a document.
    public mutating func next() throws(LearningError) -> JointStep {
        guard let sums else { return .query(try configuration.query) }
        return .finished(
            TallyDocument(
                configuration: configuration, sums: sums, manifestHash: manifestHash
            ).document)
    }

    /// Takes the sum.
    public mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
        guard sums == nil else {
            throw .unexpectedQuery(kind: configuration.name, reason: "it is summed already")
        }
        let lanes = aggregate.integers
        guard lanes.count == configuration.laneCount else {
            throw .laneCount(got: lanes.count, expected: configuration.laneCount)
        }
        guard lanes.allSatisfy({ $0 >= 0 }) else {
            throw .numericalFailure(reason: "a count is negative")
        }
        sums = lanes
    }
}

/// A bank's side of a tally: it answers once, with the counts that it was made with.
public struct LocalTallyLearner: LocalLearner {
    private let configuration: TallyConfiguration
    private let lanes: [Int64]

    /// Wraps a bank's counts, none negative.
    ///
    /// - Throws: ``LearningError/laneCount(got:expected:)``.
    public init(
        configuration: TallyConfiguration, lanes: [Int64]
    ) throws(LearningError) {
        guard lanes.count == configuration.laneCount else {
            throw .laneCount(got: lanes.count, expected: configuration.laneCount)
        }
        guard lanes.allSatisfy({ $0 >= 0 }) else {
            throw .numericalFailure(reason: "a count is negative")
        }
        self.configuration = configuration
        self.lanes = lanes
    }

    /// Answers the one query of the configuration.
    public mutating func answer(
        _ query: Query, contributors: Int
    ) throws(LearningError) -> EncodedVector {
        let expected = try configuration.query
        guard query.kind == expected.kind, query.body.isEmpty, query.layout == expected.layout,
            query.round == expected.round
        else {
            throw .unexpectedQuery(kind: query.kind, reason: "the manifest asks for another count")
        }
        return try EncodedVector(
            integers: lanes, layout: query.layout, contributors: contributors)
    }
}

extension TallyConfiguration {
    var query: Query {
        get throws(LearningError) {
            guard let layout = VectorLayout(laneCount: laneCount) else {
                throw .invalidConfiguration(
                    field: "lanes", got: "\(laneCount)", expected: "at most 2^26")
            }
            return Query(round: 1, kind: name, body: [], layout: layout)
        }
    }
}
