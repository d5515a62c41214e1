/// Logistic regression on rows in one place: a bank's own model, and the pooled model that joint
/// training must equal.
///
/// The same Newton iteration as ``JointLogisticLearner`` on plain doubles. Results do not depend on
/// the number of threads.
public enum LogisticTrainer {
    /// Trains on the rows of one or several datasets together.
    ///
    /// - Parameters:
    ///   - parts: the datasets; some may be empty.
    ///   - space: the feature standard's columns.
    ///   - configuration: penalty, class weights, limits.
    ///   - manifestHash: SHA-256 of the run's manifest, 32 bytes, where there is one.
    ///   - threads: threads to use.
    /// - Throws: ``LearningError/unusableData(reason:)`` for no rows, labels of one class only or
    ///   other columns; ``LearningError/numericalFailure(reason:)`` without convergence.
    public static func train(
        on parts: [Dataset], space: LinearFeatureSpace, configuration: LogisticConfiguration,
        manifestHash: [UInt8]? = nil, threads: Int = 2
    ) throws(LearningError) -> LogisticModel {
        var rows: [LogisticRows] = []
        for part in parts {
            rows.append(try LogisticRows(part, space: space, threads: threads))
        }
        let rowCount = rows.reduce(0) { $0 + $1.rowCount }
        let fraudCount = parts.reduce(0) { $0 + $1.fraudCount }
        guard rowCount > 0 else { throw .unusableData(reason: "no rows") }
        let standardisation = standardisation(of: rows, rowCount: rowCount, space: space)
        for index in rows.indices { rows[index].standardise(standardisation) }
        let optimiser = try optimise(
            rows, rowCount: rowCount, fraudCount: fraudCount, configuration: configuration)
        return LogisticModel(
            featureNames: space.names, standardHash: space.standardHash,
            standardisation: standardisation, solution: optimiser.point,
            standardErrors: optimiser.standardErrors, configuration: configuration,
            rowCount: rowCount, fraudCount: fraudCount, iterations: optimiser.iterations,
            manifestHash: manifestHash)
    }

    private static func standardisation(
        of rows: [LogisticRows], rowCount: Int, space: LinearFeatureSpace
    ) -> Standardisation {
        let zeros = [Double](repeating: 0, count: space.count)
        func sums(about centres: [Double]) -> (first: [Double], second: [Double]) {
            rows.reduce(into: (zeros, zeros)) { total, part in
                let sums = part.centredSums(about: centres)
                for index in zeros.indices {
                    total.0[index] += sums.first[index]
                    total.1[index] += sums.second[index]
                }
            }
        }
        let centres = sums(about: zeros).first.map { $0 / Double(rowCount) }
        let moments = sums(about: centres)
        return Standardisation(
            rows: rowCount, centres: centres, first: moments.first, second: moments.second,
            secondErrors: zeros)
    }

    /// Newton's iteration on standardised rows.
    static func optimise(
        _ rows: [LogisticRows], rowCount: Int, fraudCount: Int,
        configuration: LogisticConfiguration
    ) throws(LearningError) -> NewtonOptimiser {
        precondition(!rows.isEmpty && rows.allSatisfy { $0.standardisation != nil }, "raw rows")
        let varies = rows[0].standardisation?.varies ?? []
        var optimiser = try NewtonOptimiser(
            normals: rowCount - fraudCount, frauds: fraudCount, varies: varies,
            configuration: configuration)
        while !optimiser.isConverged {
            var terms = NewtonTerms.zero(features: varies.count)
            for part in rows {
                terms.add(part.terms(at: optimiser.point, configuration: configuration))
            }
            try optimiser.absorb(terms)
        }
        return optimiser
    }
}
