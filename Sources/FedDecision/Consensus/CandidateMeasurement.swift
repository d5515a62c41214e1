package import FedCore

/// One score of a bank's recent labelled rows, measured.
package struct ScoreMeasurement: Equatable, Sendable {
    /// Frauds among the rows that reviewers can look at.
    package let caught: Int
    /// Average precision; `nil` without frauds.
    package let averagePrecision: Double?
    /// The sum of calibrated probabilities: the frauds that the score expects.
    package let expectedFrauds: Double
    /// The mean over rows of |mean probability - share of frauds| of the row's cell, see
    /// ``CandidateMeasurement/cellEdges``.
    package let calibrationError: Double
    /// The share of each segment's frauds that is caught; segments without frauds left out.
    package let segmentRecalls: [String: Double]
}

/// What a bank measures of a candidate before it votes: the candidate beside the active model and
/// the bank's own model alone, on the bank's own recent rows.
package struct CandidateMeasurement: Equatable, Sendable {
    /// Log-odds between the cells of calibration, in which sums over banks are taken too.
    package static let cellEdges: [Double] = (0..<31).map { -10 + 0.6 * Double($0) }
    /// Cells.
    package static let cellCount = 32

    /// A cell's rows.
    package struct Cell: Equatable, Sendable {
        package var rows = 0
        package var frauds = 0
        /// The sum of probabilities.
        package var expected = 0.0

        /// An empty cell.
        package init() {}
    }

    /// Rows, frauds among them, and rows that reviewers can look at.
    package let rowCount: Int
    package let fraudCount: Int
    package let reviewed: Int
    /// The frauds of each segment.
    package let segmentFrauds: [String: Int]
    /// The candidate's figures.
    package let candidate: ScoreMeasurement
    /// Those of the active model; `nil` where none is active.
    package let active: ScoreMeasurement?
    /// Those of the bank's own model alone; `nil` where there is none.
    package let local: ScoreMeasurement?
    /// Frauds that only the active model catches, and those that only the candidate does.
    package let onlyByActive: Int
    package let onlyByCandidate: Int
    /// The candidate's rows by calibrated log-odds.
    package let cells: [Cell]

    /// Measures calibrated log-odds.
    ///
    /// - Parameters:
    ///   - segments: what each row is counted under, such as a channel; nothing for one segment.
    ///   - reviewShare: the review budget as a share of rows.
    /// - Throws: `LearningError.unusableData` when a score is not a number.
    package init(
        candidate: [Double], active: [Double]?, local: [Double]?, labels: [UInt8],
        segments: [String]? = nil, reviewShare: Double
    ) throws(LearningError) {
        precondition(segments.map { $0.count == labels.count } ?? true, "a segment a row")
        rowCount = labels.count
        fraudCount = labels.reduce(0) { $0 + Int($1) }
        reviewed = try RankedScores(scores: candidate, labels: labels)
            .review(share: reviewShare).reviewed
        var frauds: [String: Int] = [:]
        for row in labels.indices where labels[row] == 1 {
            frauds[segments?[row] ?? "all", default: 0] += 1
        }
        segmentFrauds = frauds
        let sample = Sample(
            labels: labels, segments: segments, frauds: frauds, share: reviewShare)
        cells = Self.cells(candidate, labels)
        self.candidate = try sample.measure(candidate)
        self.active = if let active { try sample.measure(active) } else { nil }
        if let active {
            let before = try sample.caughtRows(active)
            let after = try sample.caughtRows(candidate)
            onlyByActive = before.subtracting(after).count
            onlyByCandidate = after.subtracting(before).count
        } else {
            (onlyByActive, onlyByCandidate) = (0, 0)
        }
        self.local = if let local { try sample.measure(local) } else { nil }
    }

    private static func cells(_ logOdds: [Double], _ labels: [UInt8]) -> [Cell] {
        var cells = [Cell](repeating: Cell(), count: cellCount)
        for (score, label) in zip(logOdds, labels) {
            let index = cellEdges.firstIndex { score < $0 } ?? cellEdges.count
            cells[index].rows += 1
            cells[index].frauds += Int(label)
            cells[index].expected += ElementaryFunctions.logistic(score)
        }
        return cells
    }

    /// The mean over rows of |expected - frauds| a row of the cell.
    static func calibrationError(_ cells: [Cell]) -> Double {
        let rows = cells.reduce(0) { $0 + $1.rows }
        guard rows > 0 else { return 0 }
        return cells.reduce(0) { $0 + ($1.expected - Double($1.frauds)).magnitude } / Double(rows)
    }

    private struct Sample {
        let labels: [UInt8]
        let segments: [String]?
        let frauds: [String: Int]
        let share: Double

        /// The rows of the frauds within the budget.
        func caughtRows(_ scores: [Double]) throws(LearningError) -> Set<Int> {
            let reviewed = try RankedScores(scores: scores, labels: labels)
                .review(share: share).reviewed
            let order = scores.indices.sorted {
                scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1)
            }
            return Set(order.prefix(reviewed).filter { labels[$0] == 1 })
        }

        func measure(_ scores: [Double]) throws(LearningError) -> ScoreMeasurement {
            precondition(scores.count == labels.count, "a score a row")
            let ranked = try RankedScores(scores: scores, labels: labels)
            let outcome = ranked.review(share: share)
            var caught: [String: Int] = [:]
            for row in try caughtRows(scores) { caught[segments?[row] ?? "all", default: 0] += 1 }
            let cells = CandidateMeasurement.cells(scores, labels)
            return ScoreMeasurement(
                caught: outcome.caught, averagePrecision: ranked.averagePrecision,
                expectedFrauds: cells.reduce(0) { $0 + $1.expected },
                calibrationError: CandidateMeasurement.calibrationError(cells),
                segmentRecalls: frauds.reduce(into: [:]) { recalls, segment in
                    recalls[segment.key] =
                        Double(caught[segment.key] ?? 0) / Double(segment.value)
                })
        }
    }
}

/// What follows from a measurement: a bank's vote, and its guard.
package struct CandidateFinding: Equatable, Sendable {
    /// What the bank accepts.
    package struct Limits: Equatable, Sendable {
        /// Frauds that recent rows must have for anything to be measured.
        package var fraudsMin = 5
        /// Share of what the local model alone catches that the candidate may miss.
        package var lossMax = 0.0
        /// Standard deviations of chance by which the candidate may catch less than the active
        /// model: of the frauds that one of both catches, half on either side (McNemar 1947).
        package var activeLossDeviations = 1.645
        /// Expected frauds may be so many times the frauds, or one part in so many, beyond three
        /// standard deviations of the count.
        package var calibrationRatioMax = 2.0
        /// How much lower a segment's recall may be than another model's.
        package var segmentDropMax = 0.2
        /// Frauds that a segment must have to be looked at.
        package var segmentFraudsMin = 10

        /// The defaults.
        package init() {}
    }

    /// The vote.
    package let decision: VoteDecision
    /// Why.
    package let reasons: [VoteReason]
    /// The segment whose recall falls most below the active or the local model's, and by how much.
    package let worstSegment: (name: String, drop: Double)?

    /// Wraps a finding.
    package init(
        decision: VoteDecision, reasons: [VoteReason],
        worstSegment: (name: String, drop: Double)? = nil
    ) {
        self.decision = decision
        self.reasons = reasons
        self.worstSegment = worstSegment
    }

    /// Judges a measurement.
    package init(_ measurement: CandidateMeasurement, limits: Limits = Limits()) {
        let candidate = measurement.candidate
        worstSegment = Self.worst(measurement, limits)
        guard measurement.fraudCount >= limits.fraudsMin else {
            decision = .abstain
            reasons = [.fewFrauds]
            return
        }
        var against: [VoteReason] = []
        if let local = measurement.local,
            Double(candidate.caught) < Double(local.caught) * (1 - limits.lossMax)
        {
            against.append(.worseThanLocal)
        }
        let differing = Double(measurement.onlyByActive + measurement.onlyByCandidate)
        let loss = Double(measurement.onlyByActive - measurement.onlyByCandidate)
        if loss > 0, loss > limits.activeLossDeviations * differing.squareRoot() {
            against.append(.worseThanActive)
        }
        let frauds = Double(measurement.fraudCount)
        let ratio = max(candidate.expectedFrauds, 1e-9) / frauds
        if max(ratio, 1 / ratio) > limits.calibrationRatioMax,
            (candidate.expectedFrauds - frauds).magnitude > 3 * frauds.squareRoot()
        {
            against.append(.badlyCalibrated)
        }
        if let worstSegment, worstSegment.drop > limits.segmentDropMax {
            against.append(.segmentWorse)
        }
        if against.isEmpty {
            decision = .accept
            let isMore = measurement.active.map { candidate.caught > $0.caught } ?? false
            reasons = [isMore ? .catchesMore : .noWorse]
        } else {
            decision = .reject
            reasons = against
        }
    }

    private static func worst(
        _ measurement: CandidateMeasurement, _ limits: Limits
    ) -> (name: String, drop: Double)? {
        var worst: (name: String, drop: Double)?
        for (name, frauds) in measurement.segmentFrauds.sorted(by: { $0.key < $1.key })
        where frauds >= limits.segmentFraudsMin {
            let recall = measurement.candidate.segmentRecalls[name] ?? 0
            for other in [measurement.active, measurement.local].compactMap({ $0 }) {
                let drop = (other.segmentRecalls[name] ?? 0) - recall
                if drop > worst?.drop ?? 0 { worst = (name, drop) }
            }
        }
        return worst
    }

    /// Compares all members.
    package static func == (left: Self, right: Self) -> Bool {
        left.decision == right.decision && left.reasons == right.reasons
            && left.worstSegment?.name == right.worstSegment?.name
            && left.worstSegment?.drop == right.worstSegment?.drop
    }
}
