/// Why a comparison report is refused.
package enum ReportError: Error, Equatable {
    /// Not JSON, or a member is absent or of another type; `path` is where.
    case malformed(path: String)
    /// Another format than `fed-comparison-report/1`.
    case formatUnknown(got: String)
    /// A score of a bank has figures for other review budgets than the report.
    case budgetsDiffer(bank: String, score: String, got: [String], expected: [String])
    /// A review budget is not a share of rows above 0 and at most 1.
    case budgetInvalid(got: String)
    /// A number that cannot be: negative, or more frauds than rows, or more caught than frauds.
    case countImpossible(bank: String, member: String)
    /// Two banks bear one name.
    case bankRepeated(String)
    /// The totals in the document are not those of its banks.
    case totalsDisagree
}
