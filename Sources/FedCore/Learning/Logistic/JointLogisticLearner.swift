/// The coordinator's side of logistic regression: two sums for the standardisation, then Newton's
/// iteration on summed gradients and Hessians.
///
/// On the four public benchmark sets a whole fit takes at most twelve masked sums. The coefficients
/// equal those of ``LogisticTrainer`` on all rows to better than 10^-8 relative: sums are exact but
/// for fixed-point rounding, whose scale ``LogisticScales`` derives.
public struct JointLogisticLearner: JointLearner {
    /// What is asked now, with what was learned so far.
    private enum Stage: Sendable {
        case rowSums(LogisticQuery.RowSums)
        case moments(LogisticQuery.Moments, Totals)
        case newton(LogisticQuery.Newton, Totals, NewtonOptimiser)
        case finished(LogisticModel)
    }

    private struct Totals: Sendable {
        let rows: Int
        let frauds: Int
    }

    private let space: LinearFeatureSpace
    private let configuration: LogisticConfiguration
    private let contributors: Int
    private let manifestHash: [UInt8]?
    private var stage: Stage

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - space: the feature standard's columns.
    ///   - configuration: penalty, class weights, limits, from the manifest.
    ///   - contributors: banks in the roster; the roster may shrink later, not grow.
    ///   - manifestHash: SHA-256 of the run's manifest, 32 bytes.
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)`` when a feature's range
    ///   is too wide for exact sums.
    public init(
        space: LinearFeatureSpace, configuration: LogisticConfiguration, contributors: Int,
        manifestHash: [UInt8]?
    ) throws(LearningError) {
        precondition(contributors > 0, "\(contributors) contributors")
        precondition(manifestHash.map { $0.count == 32 } ?? true, "a manifest hash of 32 bytes")
        let limit = try Self.limit(
            laneCount: LogisticQuery.newtonLaneCount(features: space.count),
            contributors: contributors)
        var exponents: [Int] = []
        for (index, range) in space.transformedRanges.enumerated() {
            guard let scale = LogisticScales.rowSum(range: range, limit: limit) else {
                throw Self.rangeTooWide(space.names[index])
            }
            exponents.append(scale.exponent)
        }
        self.space = space
        self.configuration = configuration
        self.contributors = contributors
        self.manifestHash = manifestHash
        self.stage = .rowSums(LogisticQuery.RowSums(exponents: exponents))
    }

    /// The model, when training is over.
    public var model: LogisticModel? {
        guard case .finished(let model) = stage else { return nil }
        return model
    }

    /// Newton rounds done, and the objective a row.
    public var progress: LearnerProgress {
        let (done, note): (Int, String) =
            switch stage {
            case .rowSums: (0, "row sums")
            case .moments: (0, "moments")
            case .newton(_, let totals, let optimiser):
                (
                    optimiser.iterations,
                    optimiser.iterations == 0
                        ? "Newton's iteration begins"
                        : "objective a row \(optimiser.objective / Double(totals.rows))"
                )
            case .finished(let model): (model.iterations, "converged")
            }
        return LearnerProgress(roundsDone: done, roundsMax: configuration.iterationsMax, note: note)
    }

    /// The query for the present stage, or the model; asking again gives the same.
    public mutating func next() throws(LearningError) -> JointStep {
        let (round, query): (Int, LogisticQuery)
        switch stage {
        case .rowSums(let body): (round, query) = (0, .rowSums(body))
        case .moments(let body, _): (round, query) = (0, .moments(body))
        case .newton(let body, _, let optimiser):
            (round, query) = (optimiser.iterations + 1, .newton(body))
        case .finished(let model): return .finished(model.document)
        }
        let laneCount = query.laneCount(features: space.count)
        guard let layout = VectorLayout(laneCount: laneCount) else {
            throw .invalidConfiguration(
                field: "features", got: "\(space.count)", expected: "fewer lanes than 2^26")
        }
        return .query(
            Query(
                round: round, kind: query.kind, body: query.bytes(standardHash: space.standardHash),
                layout: layout))
    }

    /// Takes a sum in.
    ///
    /// - Throws: ``LearningError/laneCount(got:expected:)``;
    ///   ``LearningError/unusableData(reason:)`` when all rows have one label;
    ///   ``LearningError/numericalFailure(reason:)`` for impossible sums or no convergence.
    public mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
        switch stage {
        case .rowSums(let query):
            try check(aggregate, .rowSums(query))
            stage = try afterRowSums(query, aggregate.integers)
        case .moments(let query, let totals):
            try check(aggregate, .moments(query))
            stage = try afterMoments(query, totals, aggregate.integers)
        case .newton(let query, let totals, let optimiser):
            try check(aggregate, .newton(query))
            stage = try afterNewton(query, totals, optimiser, aggregate.integers)
        case .finished:
            throw .unexpectedQuery(kind: "none", reason: "a sum after the end of training")
        }
    }

    private func check(_ aggregate: Aggregate, _ query: LogisticQuery) throws(LearningError) {
        let expected = query.laneCount(features: space.count)
        guard aggregate.integers.count == expected else {
            throw .laneCount(got: aggregate.integers.count, expected: expected)
        }
    }

    private func afterRowSums(
        _ query: LogisticQuery.RowSums, _ sums: [Int64]
    ) throws(LearningError) -> Stage {
        guard sums[0] >= 0, sums[0] <= Int64(LogisticScales.rowsPerBankMax) * Int64(contributors),
            (0...sums[0]).contains(sums[1])
        else { throw .numericalFailure(reason: "impossible counts of rows and frauds") }
        let totals = Totals(rows: Int(sums[0]), frauds: Int(sums[1]))
        guard totals.frauds > 0, totals.frauds < totals.rows else {
            throw .unusableData(
                reason: totals.rows == 0 ? "no rows" : "all rows of all banks have one label")
        }
        var moments = LogisticQuery.Moments(
            rows: totals.rows, centres: [], firstExponents: [], secondExponents: [])
        let limit = try Self.limit(laneCount: 2 * space.count, contributors: contributors)
        for (index, range) in space.transformedRanges.enumerated() {
            let unit = try Self.scale(query.exponents[index])
            let error = unit.decode(Int64(contributors)) / Double(totals.rows)
            let mean = unit.decode(sums[2 + index]) / Double(totals.rows)
            guard mean >= range.lowerBound - error, mean <= range.upperBound + error else {
                throw .numericalFailure(
                    reason: "the mean of \(space.names[index]) is outside of its range")
            }
            let centre = min(max(mean, range.lowerBound), range.upperBound)
            let scales = LogisticScales.moments(
                range: range, centre: centre, rows: totals.rows, limit: limit)
            guard let first = scales.first, let second = scales.second else {
                throw Self.rangeTooWide(space.names[index])
            }
            moments.centres.append(centre)
            moments.firstExponents.append(first.exponent)
            moments.secondExponents.append(second.exponent)
        }
        return .moments(moments, totals)
    }

    private func afterMoments(
        _ query: LogisticQuery.Moments, _ totals: Totals, _ sums: [Int64]
    ) throws(LearningError) -> Stage {
        var first: [Double] = []
        var second: [Double] = []
        var errors: [Double] = []
        for index in 0..<space.count {
            let unit = try Self.scale(query.secondExponents[index])
            guard sums[2 * index + 1] >= 0 else {
                throw .numericalFailure(
                    reason: "the squares of \(space.names[index]) have a negative sum")
            }
            first.append(try Self.scale(query.firstExponents[index]).decode(sums[2 * index]))
            second.append(unit.decode(sums[2 * index + 1]))
            errors.append(unit.decode(Int64(contributors)))
        }
        let standardisation = Standardisation(
            rows: totals.rows, centres: query.centres, first: first, second: second,
            secondErrors: errors)
        let optimiser = try NewtonOptimiser(
            normals: totals.rows - totals.frauds, frauds: totals.frauds,
            varies: standardisation.varies, configuration: configuration)
        return .newton(
            try newtonQuery(at: optimiser.point, totals, standardisation), totals, optimiser)
    }

    private func newtonQuery(
        at point: [Double], _ totals: Totals, _ standardisation: Standardisation
    ) throws(LearningError) -> LogisticQuery.Newton {
        let limit = try Self.limit(
            laneCount: LogisticQuery.newtonLaneCount(features: space.count),
            contributors: contributors)
        guard
            let scales = LogisticScales.newton(
                point: point, rows: totals.rows, configuration: configuration, limit: limit)
        else {
            throw .numericalFailure(reason: "the sums of \(totals.rows) rows do not fit 64 bits")
        }
        return LogisticQuery.Newton(
            rows: totals.rows, standardisation: standardisation, point: point,
            gradientExponent: scales.gradient.exponent, hessianExponent: scales.hessian.exponent,
            lossExponent: scales.loss.exponent)
    }

    private func afterNewton(
        _ query: LogisticQuery.Newton, _ totals: Totals, _ before: NewtonOptimiser, _ sums: [Int64]
    ) throws(LearningError) -> Stage {
        let order = space.count + 1
        let gradient = try Self.scale(query.gradientExponent)
        let hessian = try Self.scale(query.hessianExponent)
        let loss = try Self.scale(query.lossExponent)
        var optimiser = before
        try optimiser.absorb(
            NewtonTerms(
                gradient: sums[..<order].map { gradient.decode($0) },
                hessian: sums[order..<sums.count - 1].map { hessian.decode($0) },
                loss: loss.decode(sums[sums.count - 1])))
        guard optimiser.isConverged else {
            return .newton(
                try newtonQuery(at: optimiser.point, totals, query.standardisation), totals,
                optimiser)
        }
        return .finished(
            LogisticModel(
                featureNames: space.names, standardHash: space.standardHash,
                standardisation: query.standardisation, solution: optimiser.point,
                standardErrors: optimiser.standardErrors, configuration: configuration,
                rowCount: totals.rows, fraudCount: totals.frauds, iterations: optimiser.iterations,
                manifestHash: manifestHash))
    }

    private static func limit(laneCount: Int, contributors: Int) throws(LearningError) -> Int64 {
        guard let layout = VectorLayout(laneCount: laneCount) else {
            throw .invalidConfiguration(
                field: "features", got: "\(laneCount) lanes", expected: "fewer lanes than 2^26")
        }
        return layout.laneMagnitudeMax(contributors: contributors)
    }

    private static func scale(_ exponent: Int) throws(LearningError) -> FixedPointScale {
        guard let scale = FixedPointScale(exponent: exponent) else {
            throw .numericalFailure(reason: "a fixed-point exponent of \(exponent)")
        }
        return scale
    }

    private static func rangeTooWide(_ feature: String) -> LearningError {
        .invalidConfiguration(
            field: "range of \(feature)", got: "too wide for exact sums in 64 bits",
            expected: "a narrower range, or the signed logarithm")
    }
}
