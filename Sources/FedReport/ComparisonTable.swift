/// The report as text for a terminal, at most 110 columns wide.
package struct ComparisonTable {
    /// The widest line, in characters.
    package static let widthMax = 110
    private static let budgetsShownMax = 3
    private static let nameWidth = 12
    private static let gainWidth = 9

    private let report: ComparisonReport
    private let coloured: Bool
    private let rowsWidth: Int
    private let fraudsWidth: Int
    private let caughtWidth: Int

    /// A table of a report.
    ///
    /// - Parameter coloured: Write gains in green and losses in red, by ANSI sequences.
    package init(_ report: ComparisonReport, coloured: Bool = false) {
        self.report = report
        self.coloured = coloured
        // The totals are the longest numbers of their columns.
        rowsWidth = max(9, NumberText.grouped(report.testRows).count + 1)
        fraudsWidth = max(8, NumberText.grouped(report.testFrauds).count + 2)
        let caught = report.budgets.flatMap { budget in
            ScoreKind.allCases.map { report.caught($0, budget: budget) }
        }
        caughtWidth = max(7, NumberText.grouped(caught.max() ?? 0).count + 1)
    }

    /// The budgets for which there is room, at least one.
    private var budgets: [String] {
        let room = (Self.widthMax - fixedWidth) / (caughtWidth + Self.gainWidth)
        return Array(report.budgets.prefix(min(Self.budgetsShownMax, max(1, room))))
    }

    /// Width of the columns before those of the budgets.
    private var fixedWidth: Int { Self.nameWidth + rowsWidth + fraudsWidth + 2 + 9 + 3 * 7 }

    /// All lines, each with a line end.
    package var text: String {
        var lines = heading
        lines.append(rule)
        for bank in report.banks {
            lines += block(
                name: bank.name, rows: bank.testRows, frauds: bank.testFrauds,
                score: { bank.scores[$0] },
                caught: { bank.scores[$0].caught[$1, default: 0] },
                gain: { report.interceptionGain($0, budget: $1, bank: bank) })
            lines.append(rule)
        }
        lines += block(
            name: "all banks", rows: report.testRows, frauds: report.testFrauds,
            score: { _ in nil }, caught: { report.caught($0, budget: $1) },
            gain: { report.interceptionGain($0, budget: $1) })
        lines += [""] + legend
        return lines.joined(separator: "\n") + "\n"
    }

    private var heading: [String] {
        let fixed =
            Self.left("bank", Self.nameWidth) + Self.right("rows", rowsWidth)
            + Self.right("frauds", fraudsWidth)
            + "  " + Self.left("score", 9) + Self.right("AUC", 7) + Self.right("AP", 7)
            + Self.right("KS", 7)
        let columns = budgets.map { _ in
            Self.right("caught", caughtWidth) + Self.right("gain", Self.gainWidth)
        }
        let above = budgets.map {
            Self.right("review " + NumberText.budget($0), caughtWidth + Self.gainWidth)
        }
        return [
            String(repeating: " ", count: fixed.count) + above.joined(), fixed + columns.joined(),
        ]
    }

    private var rule: String {
        String(repeating: "-", count: heading.map(\.count).max() ?? 0)
    }

    private func block(
        name: String, rows: Int, frauds: Int, score: (ScoreKind) -> ScoreSummary?,
        caught: (ScoreKind, String) -> Int, gain: (ScoreKind, String) -> Double?
    ) -> [String] {
        ScoreKind.allCases.map { kind in
            let isFirst = kind == .local
            var line =
                Self.left(isFirst ? name : "", Self.nameWidth)
                + Self.right(isFirst ? NumberText.grouped(rows) : "", rowsWidth)
                + Self.right(isFirst ? NumberText.grouped(frauds) : "", fraudsWidth)
            line += "  " + Self.left(kind.rawValue, 9)
            for figure in [score(kind)?.auc, score(kind)?.ap, score(kind)?.ks] {
                line += Self.right(score(kind) == nil ? "" : NumberText.fixed(figure, 3), 7)
            }
            for budget in budgets {
                line += Self.right(NumberText.grouped(caught(kind, budget)), caughtWidth)
                line += isFirst ? Self.right("", Self.gainWidth) : painted(gain(kind, budget))
            }
            return Self.withoutTrailingSpaces(line)
        }
    }

    private func painted(_ gain: Double?) -> String {
        let text = Self.right(NumberText.gain(gain), Self.gainWidth)
        guard coloured, let gain, gain != 0 else { return text }
        return "\u{1B}[\(gain > 0 ? 32 : 31)m\(text)\u{1B}[0m"
    }

    private var legend: [String] {
        var lines = [
            "caught: frauds among the rows that each bank reviews, its highest scores first.",
            "gain: caught by this score over caught by the local score, minus 1.",
            "AUC: area under the ROC curve. AP: average precision. "
                + "KS: Kolmogorov-Smirnov distance.",
        ]
        for (rule, names) in combinations {
            lines += Self.wrapped("combined by \(rule): \(names.joined(separator: ", "))")
        }
        let hidden = report.budgets.count - budgets.count
        if hidden > 0 { lines.append("\(hidden) more review budgets are in the JSON report.") }
        let sent = report.bytesSent.values.reduce(0, +)
        lines += Self.wrapped(
            "\(report.algorithm), model \(report.modelSHA256.prefix(16)): "
                + "\(NumberText.grouped(report.slots)) masked sums, "
                + "\(NumberText.bytes(sent)) sent by \(report.bytesSent.count) banks, trained in "
                + NumberText.seconds(report.seconds.train))
        if let pooled = report.pooled {
            lines.append("trained on pooled rows instead: " + Self.describe(pooled))
        }
        return lines
    }

    /// Rules and the banks that use them, in the order of the report.
    private var combinations: [(rule: String, names: [String])] {
        var list: [(rule: String, names: [String])] = []
        for bank in report.banks {
            if let index = list.firstIndex(where: { $0.rule == bank.combination }) {
                list[index].names.append(Self.printable(bank.name))
            } else {
                list.append((Self.printable(bank.combination), [Self.printable(bank.name)]))
            }
        }
        return list
    }

    static func describe(_ pooled: ComparisonReport.Pooled) -> String {
        if pooled.identical { return "the same model, byte for byte" }
        guard let difference = pooled.maxRelativeDifference else { return "another model" }
        return "largest relative difference \(difference)"
    }

    /// Control characters of a name would move the cursor or colour the terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? "?" : $0
                }))
    }

    private static func left(_ text: String, _ width: Int) -> String {
        var text = printable(text)
        if text.count > width { text = text.prefix(width - 1) + "…" }
        return text + String(repeating: " ", count: width - text.count)
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func withoutTrailingSpaces(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }

    private static func wrapped(_ text: String) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ").map({ String($0.prefix(widthMax - 2)) }) {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = word
            } else if last.count + 1 + word.count <= widthMax {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append("  " + word)
            }
        }
        return lines
    }
}
