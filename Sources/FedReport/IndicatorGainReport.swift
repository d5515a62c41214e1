package import FedCore

/// What shared indicators add to a joint model: frauds caught with the banks' own windows and with
/// the indicators, each bank within its own review budget.
///
/// The base of every gain is the bank's own model with its own windows.
package struct IndicatorGainReport: Equatable, Sendable {
    /// The member `format` of the document.
    package static let format = "fed-indicator-gain/1"
    /// Banks with less than this share of all test rows are small.
    package static let smallShareMax = 0.1

    /// A score that is compared.
    package struct Score: Hashable, Sendable {
        /// Whether its features have the shared indicators.
        package let isShared: Bool
        /// Which model.
        package let kind: ScoreKind

        /// Every score, the base first.
        package static let all = [false, true].flatMap { isShared in
            ScoreKind.allCases.map { Score(isShared: isShared, kind: $0) }
        }

        /// The name in documents, such as `shared_federated`.
        package var name: String { (isShared ? "shared_" : "own_") + kind.rawValue }

        var words: String {
            let model =
                switch kind {
                case .local: "local"
                case .federated: "federated"
                case .combined: "local + federated"
                }
            return model + (isShared ? ", shared indicators" : ", own windows")
        }
    }

    /// A set of banks that is summed up.
    package struct Group: Equatable, Sendable {
        /// The bank's name, or what the group is.
        package let name: String
        /// Test rows.
        package let rows: Int
        /// Frauds among them.
        package let frauds: Int
        let banks: [Int]
    }

    /// What it took to sum the tables.
    package struct Counting: Equatable, Sendable {
        /// Masked sums.
        package let sums: Int
        /// Seconds from the asking to the last table.
        package let seconds: Double
        /// Bytes that the bank that sent most has sent.
        package let bytesMax: Int
        /// Bytes of its masked numbers alone: what no protocol can do without.
        package let laneBytesMax: Int

        /// Wraps the figures.
        package init(sums: Int, seconds: Double, bytesMax: Int, laneBytesMax: Int) {
            self.sums = sums
            self.seconds = seconds
            self.bytesMax = bytesMax
            self.laneBytesMax = laneBytesMax
        }
    }

    /// Review budgets as given, such as "0.005".
    package let budgets: [String]
    /// The banks with their own windows.
    package let own: [ComparisonReport.Bank]
    /// The same banks with the shared indicators.
    package let shared: [ComparisonReport.Bank]
    /// What it took to sum the tables.
    package let counting: Counting

    /// Checks and wraps the results of the same banks on the same test rows.
    ///
    /// - Throws: `ReportError` when the two are not of the same banks and rows.
    package init(
        budgets: [String], own: [ComparisonReport.Bank], shared: [ComparisonReport.Bank],
        counting: Counting
    ) throws(ReportError) {
        guard own.map(\.name) == shared.map(\.name) else { throw .totalsDisagree }
        for (one, other) in zip(own, shared) {
            guard one.testRows == other.testRows, one.testFrauds == other.testFrauds else {
                throw .countImpossible(bank: one.name, member: "test_rows")
            }
        }
        self.budgets = budgets
        self.own = own
        self.shared = shared
        self.counting = counting
    }

    /// The banks one by one, the small ones together where there are several, and all.
    package var groups: [Group] {
        let all = Array(own.indices)
        let rows = own.reduce(0) { $0 + $1.testRows }
        let small = all.filter { Double(own[$0].testRows) < Self.smallShareMax * Double(rows) }
        var groups = all.map { group(own[$0].name, [$0]) }
        if small.count > 1, small.count < all.count {
            groups.append(
                group("small: " + small.map { own[$0].name }.joined(separator: "+"), small))
        }
        groups.append(group("all banks", all))
        return groups
    }

    private func group(_ name: String, _ banks: [Int]) -> Group {
        Group(
            name: name, rows: banks.reduce(0) { $0 + own[$1].testRows },
            frauds: banks.reduce(0) { $0 + own[$1].testFrauds }, banks: banks)
    }

    /// Frauds that a group caught with a score.
    package func caught(_ score: Score, _ group: Group, budget: String) -> Int {
        let banks = score.isShared ? shared : own
        return group.banks.reduce(0) {
            $0 + banks[$1].scores[score.kind].caught[budget, default: 0]
        }
    }

    /// Caught with a score over caught by the own models with own windows, less 1; `nil` where
    /// those caught nothing.
    package func gain(_ score: Score, _ group: Group, budget: String) -> Double? {
        let base = caught(Score(isShared: false, kind: .local), group, budget: budget)
        return base > 0 ? Double(caught(score, group, budget: budget)) / Double(base) - 1 : nil
    }

    /// The document; its bytes are canonical.
    package var json: CanonicalJSON {
        .object([
            "format": .string(Self.format),
            "budgets": .array(budgets.map { .string($0) }),
            "counting": .object([
                "sums": .integer(Int64(counting.sums)), "seconds": .number(counting.seconds),
                "bytes_max": .integer(Int64(counting.bytesMax)),
                "lane_bytes_max": .integer(Int64(counting.laneBytesMax)),
            ]),
            "groups": .array(
                groups.map { group in
                    var members: [String: CanonicalJSON] = [
                        "name": .string(group.name), "rows": .integer(Int64(group.rows)),
                        "frauds": .integer(Int64(group.frauds)),
                    ]
                    for score in Score.all {
                        members[score.name] = .object(
                            Dictionary(
                                uniqueKeysWithValues: budgets.map {
                                    ($0, json(score, group, budget: $0))
                                }))
                    }
                    return .object(members)
                }),
        ])
    }

    private func json(_ score: Score, _ group: Group, budget: String) -> CanonicalJSON {
        .object([
            "caught": .integer(Int64(caught(score, group, budget: budget))),
            "gain": gain(score, group, budget: budget).map { .number($0) } ?? .null,
        ])
    }

    /// The columns of the table for a terminal, the base first.
    private static let columns: [(words: String, score: Score)] = [
        ("local, own windows", Score(isShared: false, kind: .local)),
        ("local + federated, own windows", Score(isShared: false, kind: .combined)),
        ("with shared indicators", Score(isShared: true, kind: .combined)),
    ]

    /// The table for a terminal, each line with a line end.
    package var text: String {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(1, width - text.count)) + text
        }
        func left(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        var lines: [String] = []
        for budget in budgets {
            lines.append(
                left("caught, review " + NumberText.budget(budget), 28) + right("frauds", 8)
                    + Self.columns.map { right($0.words, max(20, $0.words.count + 2)) }.joined())
            for group in groups {
                let cells = Self.columns.enumerated().map { index, column in
                    let caught = NumberText.grouped(caught(column.score, group, budget: budget))
                    let gain = NumberText.gain(gain(column.score, group, budget: budget))
                    return right(
                        index == 0 ? caught : caught + right(gain, 9),
                        max(20, column.words.count + 2))
                }
                lines.append(
                    left(group.name, 28) + right(NumberText.grouped(group.frauds), 8)
                        + cells.joined())
            }
            lines.append("")
        }
        lines.append(
            "Counted together: \(counting.sums) masked sums in "
                + "\(NumberText.fixed(counting.seconds, 1)) s, "
                + "at most \(NumberText.bytes(counting.bytesMax)) a bank")
        return lines.joined(separator: "\n") + "\n"
    }
}
