/// A bank's side of logistic regression: sums over its own rows.
///
/// Every query carries all that its answer depends on, so a learner made anew after a restart can
/// answer whichever comes next. Within its life it takes queries in order: row sums, moments, then
/// Newton rounds of rising number on one standardisation; the last query may be repeated, byte by
/// byte.
public struct LocalLogisticLearner: LocalLearner {
    private let space: LinearFeatureSpace
    private let configuration: LogisticConfiguration
    private var rows: LogisticRows
    private let fraudCount: Int
    private var lastQuery: Query?

    /// Transforms the bank's rows; 8 bytes a value are held.
    ///
    /// - Parameters:
    ///   - dataset: the rows; none at all is allowed.
    ///   - space: the feature standard's columns.
    ///   - configuration: from the manifest that the bank consented to.
    ///   - threads: threads to use; the answers do not depend on it.
    /// - Throws: ``LearningError/unusableData(reason:)`` when the columns are not the standard's,
    ///   or for more than 2^30 rows.
    public init(
        dataset: Dataset, space: LinearFeatureSpace, configuration: LogisticConfiguration,
        threads: Int = 1
    ) throws(LearningError) {
        guard dataset.rowCount <= LogisticScales.rowsPerBankMax else {
            throw .unusableData(reason: "\(dataset.rowCount) rows, at most 2^30 are possible")
        }
        self.space = space
        self.configuration = configuration
        self.rows = try LogisticRows(dataset, space: space, threads: threads)
        self.fraudCount = dataset.fraudCount
    }

    /// Computes the answer to a query.
    ///
    /// - Throws: ``LearningError/unexpectedQuery(kind:reason:)`` for a query out of order, one that
    ///   does not fit the feature standard, or scales beyond the overflow bound;
    ///   ``LearningError/laneOutOfRange(lane:laneMagnitudeMax:)`` for a value beyond it.
    public mutating func answer(
        _ query: Query, contributors: Int
    ) throws(LearningError) -> EncodedVector {
        precondition(contributors > 0, "\(contributors) contributors")
        let body: LogisticQuery
        do {
            body = try LogisticQuery(bytes: query.body, standardHash: space.standardHash)
        } catch {
            throw refusal(query, "the body cannot be read: \(error)")
        }
        guard body.kind == query.kind, query.layout.ringBits == 64,
            query.layout.laneCount == body.laneCount(features: space.count)
        else { throw refusal(query, "kind or lanes do not fit the body") }
        try checkOrder(query, body)
        let limit = query.layout.laneMagnitudeMax(contributors: contributors)
        let integers: [Int64]
        switch body {
        case .rowSums(let body): integers = try rowSums(body, query, limit: limit)
        case .moments(let body): integers = try moments(body, query, limit: limit)
        case .newton(let body): integers = try newton(body, query, limit: limit)
        }
        let vector = try EncodedVector(
            integers: integers, layout: query.layout, contributors: contributors)
        lastQuery = query
        return vector
    }

    private func refusal(_ query: Query, _ reason: String) -> LearningError {
        .unexpectedQuery(kind: query.kind, reason: reason)
    }

    private func checkOrder(_ query: Query, _ body: LogisticQuery) throws(LearningError) {
        if case .newton = body {
            guard (1...configuration.iterationsMax).contains(query.round) else {
                throw refusal(query, "round \(query.round) of \(configuration.iterationsMax)")
            }
        } else {
            guard query.round == 0 else { throw refusal(query, "round \(query.round), expected 0") }
        }
        guard let lastQuery, query != lastQuery else { return }
        let follows =
            switch (lastQuery.kind, query.kind) {
            case ("row-sums", "moments"): true
            case ("moments", "newton"), ("newton", "newton"): query.round == lastQuery.round + 1
            default: false
            }
        guard follows else {
            throw refusal(
                query, "round \(query.round) after \(lastQuery.kind) of round \(lastQuery.round)")
        }
    }

    /// Checks a scale against the bank's own bound.
    private func scale(
        _ exponent: Int, finest: FixedPointScale?, _ query: Query
    ) throws(LearningError) -> FixedPointScale {
        guard let scale = FixedPointScale(exponent: exponent), let finest,
            scale.exponent <= finest.exponent
        else { throw refusal(query, "a scale beyond the overflow bound") }
        return scale
    }

    /// Encodes a lane; ``EncodedVector`` checks it against the overflow bound.
    private func encode(
        _ value: Double, _ scale: FixedPointScale, lane: Int, limit: Int64
    ) throws(LearningError) -> Int64 {
        do {
            return try scale.encode(value)
        } catch {
            throw .laneOutOfRange(lane: lane, laneMagnitudeMax: limit)
        }
    }

    private func rowSums(
        _ body: LogisticQuery.RowSums, _ query: Query, limit: Int64
    ) throws(LearningError) -> [Int64] {
        guard body.exponents.count == space.count, rows.standardisation == nil else {
            throw refusal(query, "\(body.exponents.count) scales, or rows standardised already")
        }
        let zeros = [Double](repeating: 0, count: space.count)
        let sums = rows.centredSums(about: zeros).first
        var lanes = [Int64(rows.rowCount), Int64(fraudCount)]
        for (index, sum) in sums.enumerated() {
            let finest = LogisticScales.rowSum(range: space.transformedRanges[index], limit: limit)
            let scale = try scale(body.exponents[index], finest: finest, query)
            lanes.append(try encode(sum, scale, lane: 2 + index, limit: limit))
        }
        return lanes
    }

    private func moments(
        _ body: LogisticQuery.Moments, _ query: Query, limit: Int64
    ) throws(LearningError) -> [Int64] {
        guard
            [body.centres.count, body.firstExponents.count, body.secondExponents.count]
                .allSatisfy({ $0 == space.count }), rows.standardisation == nil
        else { throw refusal(query, "another number of features, or rows standardised already") }
        guard body.rows >= rows.rowCount else {
            throw refusal(query, "fewer rows in all than this bank has")
        }
        let sums = rows.centredSums(about: body.centres)
        var lanes: [Int64] = []
        for index in 0..<space.count {
            let range = space.transformedRanges[index]
            guard range.contains(body.centres[index]) else {
                throw refusal(query, "a mean outside of its range")
            }
            let finest = LogisticScales.moments(
                range: range, centre: body.centres[index], rows: body.rows, limit: limit)
            let first = try scale(body.firstExponents[index], finest: finest.first, query)
            let second = try scale(body.secondExponents[index], finest: finest.second, query)
            lanes.append(try encode(sums.first[index], first, lane: 2 * index, limit: limit))
            lanes.append(try encode(sums.second[index], second, lane: 2 * index + 1, limit: limit))
        }
        return lanes
    }

    private mutating func newton(
        _ body: LogisticQuery.Newton, _ query: Query, limit: Int64
    ) throws(LearningError) -> [Int64] {
        let point = body.point
        guard point.count == space.count + 1, body.standardisation.means.count == space.count else {
            throw refusal(query, "\(point.count) coefficients for \(space.count) features")
        }
        guard point.allSatisfy({ $0.magnitude <= NewtonOptimiser.coefficientMagnitudeMax }) else {
            throw refusal(query, "a coefficient beyond \(NewtonOptimiser.coefficientMagnitudeMax)")
        }
        guard body.rows >= rows.rowCount else {
            throw refusal(query, "fewer rows in all than this bank has")
        }
        try checkStandardisation(body.standardisation, query)
        let finest = LogisticScales.newton(
            point: point, rows: body.rows, configuration: configuration, limit: limit)
        let gradient = try scale(body.gradientExponent, finest: finest?.gradient, query)
        let hessian = try scale(body.hessianExponent, finest: finest?.hessian, query)
        let loss = try scale(body.lossExponent, finest: finest?.loss, query)
        if rows.standardisation == nil { rows.standardise(body.standardisation) }
        let terms = rows.terms(at: point, configuration: configuration)
        var lanes: [Int64] = []
        lanes.reserveCapacity(query.layout.laneCount)
        for value in terms.gradient {
            lanes.append(try encode(value, gradient, lane: lanes.count, limit: limit))
        }
        for value in terms.hessian {
            lanes.append(try encode(value, hessian, lane: lanes.count, limit: limit))
        }
        lanes.append(try encode(terms.loss, loss, lane: lanes.count, limit: limit))
        return lanes
    }

    private func checkStandardisation(
        _ standardisation: Standardisation, _ query: Query
    ) throws(LearningError) {
        if let used = rows.standardisation {
            guard used == standardisation else {
                throw refusal(query, "another standardisation than before")
            }
            return
        }
        for (index, range) in space.transformedRanges.enumerated() {
            let (mean, deviation) = (
                standardisation.means[index], standardisation.deviations[index]
            )
            // The first sums are rounded, so a mean may stand a hair outside of the range.
            let width = range.upperBound - range.lowerBound
            let slack = 1e-6 * (1 + width + mean.magnitude)
            guard mean >= range.lowerBound - slack, mean <= range.upperBound + slack,
                deviation > 0, !standardisation.varies[index] || deviation <= width / 2 + slack
            else {
                throw refusal(query, "a mean or deviation that the feature's range does not allow")
            }
        }
    }
}
