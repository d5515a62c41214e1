/// Labelled rows in falling order of score; ties keep the order of rows.
///
/// Every measure of a ranking is computed from it.
public struct RankedScores: Sendable {
    /// Rows.
    public let rowCount: Int
    /// Rows labelled as frauds.
    public let fraudCount: Int
    /// Labels in rank order.
    private let labels: [UInt8]
    /// Ends (exclusive) of the runs of equal scores.
    private let tieEnds: [Int]
    /// The score of each run.
    private let tieScores: [Double]

    /// Sorts rows.
    ///
    /// - Parameters:
    ///   - scores: one a row; higher means more suspicious.
    ///   - labels: 1 for a fraud, 0 else; one a row.
    /// - Throws: ``LearningError/unusableData(reason:)`` when a score is not a number.
    public init(scores: [Double], labels: [UInt8]) throws(LearningError) {
        precondition(scores.count == labels.count, "\(scores.count) scores, \(labels.count) labels")
        guard !scores.contains(where: \.isNaN) else {
            throw .unusableData(reason: "a score is not a number")
        }
        var order: [(score: Double, row: Int)] = scores.enumerated().map { ($1, $0) }
        order.sort { $0.score > $1.score || ($0.score == $1.score && $0.row < $1.row) }
        var tieEnds: [Int] = []
        var tieScores: [Double] = []
        for rank in order.indices
        where rank + 1 == order.count || order[rank + 1].score != order[rank].score {
            tieEnds.append(rank + 1)
            tieScores.append(order[rank].score)
        }
        self.rowCount = scores.count
        self.labels = order.map { labels[$0.row] }
        self.fraudCount = labels.reduce(0) { $0 + Int($1) }
        self.tieEnds = tieEnds
        self.tieScores = tieScores
    }

    /// Rows labelled as normal.
    public var normalCount: Int { rowCount - fraudCount }

    /// Area under the receiver's operating characteristic, ties counted one half.
    ///
    /// `nil` when a class has no rows.
    public var areaUnderROC: Double? {
        guard fraudCount > 0, normalCount > 0 else { return nil }
        var below = 0.0
        var normals = 0
        forEachTie { _, frauds, normalsInTie in
            // Each fraud of the run beats the normal rows that are left after it.
            let after = Double(normalCount - normals - normalsInTie)
            below += Double(frauds) * (after + 0.5 * Double(normalsInTie))
            normals += normalsInTie
        }
        return below / (Double(fraudCount) * Double(normalCount))
    }

    /// Average precision, Σ (R_n - R_{n-1})·P_n over distinct scores as scikit-learn defines it;
    /// `nil` without frauds.
    public var averagePrecision: Double? {
        guard fraudCount > 0 else { return nil }
        var sum = 0.0
        var caught = 0
        forEachTie { end, frauds, _ in
            caught += frauds
            sum += Double(frauds) * (Double(caught) / Double(end))
        }
        return sum / Double(fraudCount)
    }

    /// The Kolmogorov-Smirnov statistic, the greatest difference of the two classes' rates above a
    /// score; `nil` when a class has no rows.
    public var kolmogorovSmirnov: Double? {
        guard fraudCount > 0, normalCount > 0 else { return nil }
        var greatest = 0.0
        var caught = 0
        forEachTie { end, frauds, _ in
            caught += frauds
            let truePositives = Double(caught) / Double(fraudCount)
            let falsePositives = Double(end - caught) / Double(normalCount)
            greatest = max(greatest, truePositives - falsePositives)
        }
        return greatest
    }

    /// What reviewers find within their budget.
    ///
    /// They look at the floor(share · rows) highest scores, at least one where there is a row; of
    /// equal scores at the earlier row first.
    ///
    /// - Parameter share: the review budget as a share of rows, 0 to 1.
    public func review(share: Double) -> ReviewOutcome {
        precondition((0...1).contains(share), "a budget of \(share)")
        let budget = Int((share * Double(rowCount)).rounded(.down))
        let reviewed = min(max(budget, 1), rowCount)
        let caught = labels.prefix(reviewed).reduce(0) { $0 + Int($1) }
        return ReviewOutcome(reviewed: reviewed, caught: caught, frauds: fraudCount)
    }

    /// The precision-recall curve, one point a distinct score, thinned for plotting.
    ///
    /// - Parameter pointsMax: about how many points are kept, at least 2: evenly over recall, and
    ///   always the first and the last.
    /// - Returns: points in order of rising recall; none without frauds.
    public func precisionRecallCurve(pointsMax: Int) -> [PrecisionRecallPoint] {
        precondition(pointsMax >= 2, "\(pointsMax) points")
        guard fraudCount > 0 else { return [] }
        var points: [PrecisionRecallPoint] = []
        var caught = 0
        var run = 0
        var nextRecall = 0.0
        forEachTie { end, frauds, _ in
            caught += frauds
            let recall = Double(caught) / Double(fraudCount)
            let isLast = end == rowCount
            if isLast || run == 0 || (frauds > 0 && recall >= nextRecall) {
                points.append(
                    PrecisionRecallPoint(
                        score: tieScores[run], recall: recall,
                        precision: Double(caught) / Double(end)))
                nextRecall = recall + 1 / Double(pointsMax - 1)
            }
            run += 1
        }
        return points
    }

    /// Runs of equal scores, from the highest: the rank after it, its frauds and normal rows.
    private func forEachTie(_ body: (_ end: Int, _ frauds: Int, _ normals: Int) -> Void) {
        var start = 0
        for end in tieEnds {
            let frauds = labels[start..<end].reduce(0) { $0 + Int($1) }
            body(end, frauds, end - start - frauds)
            start = end
        }
    }
}

/// What a review of the highest scores found.
public struct ReviewOutcome: Equatable, Sendable {
    /// Rows looked at.
    public let reviewed: Int
    /// Frauds among them.
    public let caught: Int
    /// Frauds in all.
    public let frauds: Int

    /// Wraps counts.
    public init(reviewed: Int, caught: Int, frauds: Int) {
        self.reviewed = reviewed
        self.caught = caught
        self.frauds = frauds
    }

    /// The share of all frauds that was caught; `nil` without frauds.
    public var recall: Double? { frauds > 0 ? Double(caught) / Double(frauds) : nil }

    /// The share of frauds in what was reviewed; `nil` when nothing was.
    public var precision: Double? { reviewed > 0 ? Double(caught) / Double(reviewed) : nil }

    /// Interception gain over another score at the same budget: caught / caught by it - 1; `nil`
    /// where the other caught nothing.
    ///
    /// Add the outcomes of several banks first, each with its own budget.
    public func interceptionGain(over other: Self) -> Double? {
        other.caught > 0 ? Double(caught) / Double(other.caught) - 1 : nil
    }

    /// The outcomes of two banks together.
    public static func + (left: Self, right: Self) -> Self {
        Self(
            reviewed: left.reviewed + right.reviewed, caught: left.caught + right.caught,
            frauds: left.frauds + right.frauds)
    }
}

/// A point of the precision-recall curve: everything at or above a score is reviewed.
public struct PrecisionRecallPoint: Equatable, Sendable {
    /// The decision threshold.
    public let score: Double
    /// Share of frauds caught.
    public let recall: Double
    /// Share of frauds in what is reviewed.
    public let precision: Double

    /// Wraps figures.
    public init(score: Double, recall: Double, precision: Double) {
        self.score = score
        self.recall = recall
        self.precision = precision
    }
}
