/// A bank's labelled rows: features of the standard, column by column.
public struct Dataset: Sendable {
    /// Rows.
    public let rowCount: Int
    /// `columns[j][i]` is feature j of row i as read (no transform yet); NaN means missing, and
    /// nowhere else.
    public let columns: [[Double]]
    /// 1 for a fraud, 0 else; one a row.
    public let labels: [UInt8]
    /// The file's `row` column, to name rows in score files; empty where the file has none.
    public let rowNumbers: [Int64]

    /// Wraps columns of one length.
    public init(columns: [[Double]], labels: [UInt8], rowNumbers: [Int64] = []) {
        precondition(columns.allSatisfy { $0.count == labels.count }, "ragged columns")
        precondition(rowNumbers.isEmpty || rowNumbers.count == labels.count, "ragged row numbers")
        self.rowCount = labels.count
        self.columns = columns
        self.labels = labels
        self.rowNumbers = rowNumbers
    }

    /// Rows labelled as frauds.
    public var fraudCount: Int { labels.reduce(0) { $0 + Int($1) } }
}
