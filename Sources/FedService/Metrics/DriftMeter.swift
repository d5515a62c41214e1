package import FedCore
internal import FedDecision
internal import Synchronization

/// How far the transactions that are scored have moved away from those that the model was made on.
///
/// The population stability index, Σ (p - q) ln(p / q) over ten parts of equal shares of reference
/// rows and one of missing values, p being the share of scored transactions and q that of reference
/// rows (Siddiqi, "Credit Risk Scorecards", 2006): below 0.1 nothing has moved, above 0.25 much.
/// Shares are of recent transactions: all counts are halved when they reach ``countMax``.
package final class DriftMeter: Sendable {
    /// Transactions after which the past counts half.
    package static let countMax = 100_000
    /// Transactions below which there is no index.
    package static let countMin = 100
    /// The most reference rows that are kept for the score's shares.
    package static let rowsMax = 5_000
    private static let parts = 10

    /// One figure's parts: edges between them and the reference's shares, missing values last.
    private struct Shares: Sendable {
        let edges: [Double]
        let reference: [Double]

        init(_ values: [Double]) {
            let known = values.filter { !$0.isNaN }.sorted()
            var edges: [Double] = []
            for part in 1..<DriftMeter.parts where !known.isEmpty {
                let edge = known[known.count * part / DriftMeter.parts]
                if edge > edges.last ?? known[0] { edges.append(edge) }
            }
            self.edges = edges
            var counts = [Double](repeating: 0, count: edges.count + 2)
            for value in values { counts[Self.part(value, edges)] += 1 }
            reference = counts.map { $0 / Double(max(values.count, 1)) }
        }

        /// Values from an edge on belong to the part behind it.
        static func part(_ value: Double, _ edges: [Double]) -> Int {
            guard !value.isNaN else { return edges.count + 1 }
            var (low, high) = (0, edges.count)
            while low < high {
                let middle = (low + high) / 2
                if value < edges[middle] { high = middle } else { low = middle + 1 }
            }
            return low
        }

        func index(_ counts: [Int]) -> Double {
            let total = Double(counts.reduce(0, +))
            // Parts without rows count as half a row in ten thousand, so that the sum is finite.
            let least = 0.00005
            return zip(counts, reference).reduce(0) { sum, pair in
                let (now, then) = (max(Double(pair.0) / total, least), max(pair.1, least))
                return sum + (now - then) * ElementaryFunctions.log(now / then)
            }
        }
    }

    private struct Counts {
        var rows = 0
        var features: [[Int]]
        var model = ""
        var scores: Shares?
        var scoreCounts: [Int] = []
        var scored = 0
    }

    private let names: [String]
    private let shares: [Shares]
    private let rows: [[Double]]
    private let counts: Mutex<Counts>

    /// Takes reference rows, such as those that the model was chosen on.
    package init(_ reference: Dataset, standard: FeatureStandard) {
        names = standard.features.map(\.name)
        shares = reference.columns.map(Shares.init)
        let step = max(1, reference.rowCount / Self.rowsMax)
        rows = stride(from: 0, to: reference.rowCount, by: step).map { row in
            reference.columns.map { $0[row] }
        }
        counts = Mutex(
            Counts(features: shares.map { Array(repeating: 0, count: $0.reference.count) }))
    }

    /// Counts a scored transaction.
    package func count(_ row: [Double], probability: Double, model: String) {
        guard row.count == shares.count else { return }
        counts.withLock { counts in
            counts.rows += 1
            for feature in shares.indices {
                counts.features[feature][Shares.part(row[feature], shares[feature].edges)] += 1
            }
            if counts.rows >= Self.countMax {
                counts.rows /= 2
                for feature in shares.indices {
                    for part in counts.features[feature].indices {
                        counts.features[feature][part] /= 2
                    }
                }
            }
            guard let scores = counts.scores, counts.model == model else { return }
            counts.scored += 1
            counts.scoreCounts[Shares.part(probability, scores.edges)] += 1
            if counts.scored >= Self.countMax {
                counts.scored /= 2
                for part in counts.scoreCounts.indices { counts.scoreCounts[part] /= 2 }
            }
        }
    }

    /// Scores the reference rows by a model, with which its scores are compared from now on.
    package func follow(_ engine: ScoringEngine) {
        guard counts.withLock({ $0.model != engine.modelSHA256 }) else { return }
        let scores = Shares(rows.map { engine.score($0).parts.probability })
        counts.withLock { counts in
            counts.model = engine.modelSHA256
            counts.scores = scores
            counts.scoreCounts = Array(repeating: 0, count: scores.reference.count)
            counts.scored = 0
        }
    }

    /// The index of the score; `nil` before enough was scored.
    package var scoreIndex: Double? {
        counts.withLock { counts in
            counts.scored < Self.countMin ? nil : counts.scores?.index(counts.scoreCounts)
        }
    }

    /// The index of each feature; empty before enough was scored.
    package var featureIndices: [(name: String, index: Double)] {
        let counts = counts.withLock { $0 }
        guard counts.rows >= Self.countMin else { return [] }
        return names.indices.map { (names[$0], shares[$0].index(counts.features[$0])) }
    }

    /// The indices as metrics.
    var families: [MetricFamily] {
        [
            MetricFamily(
                "fed_score_psi", .gauge,
                "Population stability index of the probability against the reference rows.",
                scoreIndex.map { [MetricFamily.Sample($0)] } ?? []),
            MetricFamily(
                "fed_feature_psi", .gauge,
                "Population stability index of each feature against the reference rows.",
                featureIndices.map { MetricFamily.Sample($0.index, labels: [("feature", $0.name)]) }
            ),
        ]
    }
}
