package import FedCore

/// The figures of votes as they leave a bank: integer lanes, to be masked and summed.
///
/// Lanes: 1, votes for, against, abstentions, banks with a segment far worse, rows, frauds,
/// reviewed, caught by the candidate, the active model, the local models; then for each of the 32
/// cells of calibration its rows, its frauds, and its expected frauds in units of 2^-20.
package struct ConsensusSums: Equatable, Sendable {
    private static let headLanes = 11
    /// Lanes of the vector.
    package static let laneCount = TallyConfiguration.examinationLaneCount
    /// The most rows of a bank.
    package static let rowsMax = 1 << 40
    private static let unit = 1.0 / Double(1 << 20)

    package let banks: Int
    package let accepts: Int
    package let rejects: Int
    package let abstains: Int
    package let banksWithWorseSegment: Int
    package let rowCount: Int
    package let fraudCount: Int
    package let reviewed: Int
    package let caught: Int
    package let caughtByActive: Int
    package let caughtByLocal: Int
    /// The candidate's rows by calibrated log-odds.
    package let cells: [CandidateMeasurement.Cell]

    /// The lanes of a bank that could measure nothing.
    package static func lanes(of vote: CandidateFinding) -> [Int64] {
        let decisions: [VoteDecision] = [.accept, .reject, .abstain]
        return [1] + decisions.map { vote.decision == $0 ? 1 : 0 }
            + [Int64](repeating: 0, count: laneCount - 4)
    }

    /// A bank's lanes.
    package static func lanes(
        _ measurement: CandidateMeasurement, _ finding: CandidateFinding
    ) -> [Int64] {
        precondition(measurement.rowCount <= rowsMax, "\(measurement.rowCount) rows")
        func flag(_ isSet: Bool) -> Int64 { isSet ? 1 : 0 }
        let head: [Int64] = [
            1, flag(finding.decision == .accept), flag(finding.decision == .reject),
            flag(finding.decision == .abstain), flag(finding.reasons.contains(.segmentWorse)),
            Int64(measurement.rowCount), Int64(measurement.fraudCount),
            Int64(measurement.reviewed), Int64(measurement.candidate.caught),
            Int64(measurement.active?.caught ?? 0), Int64(measurement.local?.caught ?? 0),
        ]
        return head
            + measurement.cells.flatMap { cell in
                [
                    Int64(cell.rows), Int64(cell.frauds),
                    Int64((cell.expected / unit).rounded(.toNearestOrEven)),
                ]
            }
    }

    /// Reads the sum over banks.
    ///
    /// - Throws: `LearningError.laneCount`, or `.numericalFailure` for sums that contradict each
    ///   other.
    package init(lanes: [Int64]) throws(LearningError) {
        guard lanes.count == Self.laneCount else {
            throw .laneCount(got: lanes.count, expected: Self.laneCount)
        }
        guard lanes.allSatisfy({ $0 >= 0 }) else {
            throw .numericalFailure(reason: "a count of votes or rows is negative")
        }
        let head = lanes.prefix(Self.headLanes).map { Int($0) }
        var cells: [CandidateMeasurement.Cell] = []
        for index in 0..<CandidateMeasurement.cellCount {
            let at = Self.headLanes + 3 * index
            var cell = CandidateMeasurement.Cell()
            cell.rows = Int(lanes[at])
            cell.frauds = Int(lanes[at + 1])
            cell.expected = Double(lanes[at + 2]) * Self.unit
            cells.append(cell)
        }
        guard head[1] + head[2] + head[3] == head[0], head[6] <= head[5], head[7] <= head[5],
            max(head[8], head[9], head[10]) <= head[6],
            cells.reduce(0, { $0 + $1.rows }) == head[5],
            cells.reduce(0, { $0 + $1.frauds }) == head[6]
        else { throw .numericalFailure(reason: "the counts of votes or rows disagree") }
        (banks, accepts, rejects, abstains) = (head[0], head[1], head[2], head[3])
        banksWithWorseSegment = head[4]
        (rowCount, fraudCount, reviewed) = (head[5], head[6], head[7])
        (caught, caughtByActive, caughtByLocal) = (head[8], head[9], head[10])
        self.cells = cells
    }

    /// Mean over all rows of |expected - frauds| a row of the cell.
    package var calibrationError: Double { CandidateMeasurement.calibrationError(cells) }

    /// Average precision over all rows, those of a cell counted as ties; `nil` without frauds.
    package var averagePrecision: Double? {
        guard fraudCount > 0 else { return nil }
        var (rows, frauds, sum) = (0, 0, 0.0)
        for cell in cells.reversed() where cell.rows > 0 {
            rows += cell.rows
            frauds += cell.frauds
            sum += Double(cell.frauds) * Double(frauds) / Double(rows)
        }
        return sum / Double(fraudCount)
    }
}
