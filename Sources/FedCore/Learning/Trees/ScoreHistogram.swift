/// Counts of rows by margin and class on fixed cells, from which average precision is computed.
///
/// 4096 cells of 2^-7 log-odds from -16 to 16; rows beyond count in the end cells. Rows of one cell
/// are ties.
package enum ScoreHistogram {
    package static let cellCount = 4096
    /// Lanes of a vector of counts: the rows of each cell that are no frauds, then its frauds.
    package static let laneCount = 2 * cellCount

    /// The cell of a margin in units of 2^-20.
    package static func cell(of margin: Int32) -> Int {
        min(max((Int(margin) + 16 << 20) >> 13, 0), cellCount - 1)
    }

    /// Average precision: the sum over cells, best first, of precision times the step in recall.
    ///
    /// - Returns: `nil` without frauds or without other rows.
    package static func averagePrecision(_ lanes: [Int64]) -> Double? {
        var frauds: Int64 = 0
        var others: Int64 = 0
        for cell in 0..<cellCount {
            others += lanes[2 * cell]
            frauds += lanes[2 * cell + 1]
        }
        guard frauds > 0, others > 0 else { return nil }
        var caught: Int64 = 0
        var reviewed: Int64 = 0
        var sum = 0.0
        for cell in stride(from: cellCount - 1, through: 0, by: -1)
        where lanes[2 * cell + 1] > 0
            || lanes[2 * cell] > 0
        {
            caught += lanes[2 * cell + 1]
            reviewed += lanes[2 * cell] + lanes[2 * cell + 1]
            sum += Double(lanes[2 * cell + 1]) * (Double(caught) / Double(reviewed))
        }
        return sum / Double(frauds)
    }
}
