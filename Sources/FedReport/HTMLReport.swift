/// A run's report as one HTML document without any external resource.
///
/// Styles and charts are inline and there is no script. Readable on paper, in light and dark, and
/// without colours.
package struct HTMLReport {
    let report: RunReport
    var comparison: ComparisonReport { report.comparison }

    /// A document of a report.
    package init(_ report: RunReport) {
        self.report = report
    }

    /// The document, UTF-8.
    package var text: String {
        Markup.page(report.title) { page in
            header(&page)
            gains(&page)
            results(&page)
            curves(&page)
            egress(&page)
            boundary(&page)
            facts(&page)
        }
    }

    /// The budget in the middle: the one that the cards speak of.
    private var mainBudget: String? {
        let budgets = comparison.budgets
        return budgets.isEmpty ? nil : budgets[budgets.count / 2]
    }

    private func header(_ page: inout Markup) {
        page.group("header") { page in
            page.element("h1", report.title)
            page.group("p", attributes: "class=\"lead\"") { page in
                page.add(
                    "What \(comparison.banks.count) banks gained by training one model together, "
                        + "each measured on its own test rows.")
            }
        }
        page.group("section", attributes: "class=\"cards\" aria-label=\"Summary\"") { page in
            if let budget = mainBudget {
                let share = NumberText.budget(budget)
                let gain = NumberText.gain(
                    comparison.interceptionGain(.combined, budget: budget))
                page.card(
                    gain, "more frauds intercepted",
                    "all banks, combined over local, reviewing \(share) of the rows")
                page.card(
                    "\(NumberText.grouped(comparison.caught(.local, budget: budget))) → "
                        + NumberText.grouped(comparison.caught(.combined, budget: budget)),
                    "frauds caught",
                    "of \(NumberText.grouped(comparison.testFrauds)) in "
                        + "\(NumberText.grouped(comparison.testRows)) test rows")
            }
            let sent = comparison.bytesSent.values.reduce(0, +)
            page.card(
                NumberText.bytes(sent), "left the banks",
                "in \(NumberText.grouped(comparison.slots)) masked sums, none readable alone")
            page.card(
                NumberText.seconds(comparison.seconds.train), "to train",
                comparison.pooled.map {
                    $0.identical
                        ? "the same model as on pooled rows, byte for byte"
                        : "pooled rows: " + ComparisonTable.describe($0)
                } ?? comparison.algorithm)
        }
    }

    private func gains(_ page: inout Markup) {
        guard !comparison.banks.isEmpty, !comparison.budgets.isEmpty else { return }
        page.group("section") { page in
            page.element("h2", "Frauds caught within the review budget")
            page.legend(ScoreKind.allCases.map { ($0, Self.describe($0)) })
            page.group("div", attributes: "class=\"charts wide\"") { page in
                for budget in comparison.budgets {
                    page.group("figure") { page in
                        page.element(
                            "figcaption", "Reviewing \(NumberText.budget(budget)) of the rows")
                        page.raw(CaughtChart(comparison, budget: budget).svg)
                    }
                }
            }
            page.element(
                "p",
                "Bars: share of the bank's frauds that are among the rows it reviews, highest "
                    + "scores first. Above them: what the combined score gains over the local one.",
                attributes: "class=\"note\"")
        }
    }

    private static func describe(_ kind: ScoreKind) -> String {
        switch kind {
        case .local: "local: the bank's own model"
        case .federated: "federated: the joint model"
        case .combined: "combined: both"
        }
    }

    private func results(_ page: inout Markup) {
        page.group("section") { page in
            page.element("h2", "Results")
            page.group("div", attributes: "class=\"scroll\"") { page in
                page.group("table") { page in
                    resultsHead(&page)
                    for bank in comparison.banks {
                        resultsBody(
                            &page, bank.name, bank.testRows, bank.testFrauds,
                            bank.combination, { bank.scores[$0] },
                            { bank.scores[$0].caught[$1, default: 0] },
                            { comparison.interceptionGain($0, budget: $1, bank: bank) })
                    }
                    resultsBody(
                        &page, "all banks", comparison.testRows, comparison.testFrauds, "",
                        { _ in nil }, { comparison.caught($0, budget: $1) },
                        { comparison.interceptionGain($0, budget: $1) })
                }
            }
            page.element(
                "p",
                "AUC: area under the ROC curve. AP: average precision. KS: Kolmogorov–Smirnov "
                    + "distance. Gain: caught by this score over caught by the local score, "
                    + "minus 1.",
                attributes: "class=\"note\"")
        }
    }

    private func resultsHead(_ page: inout Markup) {
        page.group("thead") { page in
            page.raw("<tr>")
            for name in ["bank", "test rows", "frauds", "score", "AUC", "AP", "KS"] {
                let style = ["bank", "score"].contains(name) ? " class=\"text\"" : ""
                page.element(
                    "th", name, attributes: "scope=\"col\" rowspan=\"2\"" + style)
            }
            for budget in comparison.budgets {
                page.element(
                    "th", "reviewing " + NumberText.budget(budget),
                    attributes: "scope=\"colgroup\" colspan=\"2\"")
            }
            page.raw("</tr>\n<tr>")
            for _ in comparison.budgets {
                page.element("th", "caught", attributes: "scope=\"col\"")
                page.element("th", "gain", attributes: "scope=\"col\"")
            }
            page.raw("</tr>")
        }
    }

    private func resultsBody(
        _ page: inout Markup, _ name: String, _ rows: Int, _ frauds: Int, _ rule: String,
        _ score: (ScoreKind) -> ScoreSummary?, _ caught: (ScoreKind, String) -> Int,
        _ gain: (ScoreKind, String) -> Double?
    ) {
        page.group("tbody") { page in
            for kind in ScoreKind.allCases {
                page.raw("<tr class=\"\(kind.rawValue)\">")
                if kind == .local {
                    page.group("th", attributes: "scope=\"rowgroup\" rowspan=\"3\"") { page in
                        page.add(name)
                        if !rule.isEmpty { page.element("small", "combined by " + rule) }
                    }
                    page.element("td", NumberText.grouped(rows), attributes: "rowspan=\"3\"")
                    page.element("td", NumberText.grouped(frauds), attributes: "rowspan=\"3\"")
                }
                page.element("th", kind.rawValue, attributes: "scope=\"row\"")
                let summary = score(kind)
                for figure in [summary?.auc, summary?.ap, summary?.ks] {
                    page.element("td", summary == nil ? "" : NumberText.fixed(figure, 3))
                }
                for budget in comparison.budgets {
                    page.element("td", NumberText.grouped(caught(kind, budget)))
                    let value = kind == .local ? nil : gain(kind, budget)
                    page.element(
                        "td", kind == .local ? "" : NumberText.gain(value),
                        attributes: "class=\"\(Self.trend(value))\"")
                }
                page.raw("</tr>\n")
            }
        }
    }

    private static func trend(_ gain: Double?) -> String {
        guard let gain, gain != 0 else { return "even" }
        return gain > 0 ? "up" : "down"
    }

    private func curves(_ page: inout Markup) {
        guard !report.curves.isEmpty else { return }
        page.group("section") { page in
            page.element("h2", "Precision and recall")
            page.legend(ScoreKind.allCases.map { ($0, $0.rawValue) }, width: 34) { kind in
                "<path class=\"curve \(kind.rawValue)\" d=\"M1 6H33\"/>"
            }
            page.group("div", attributes: "class=\"charts\"") { page in
                for bank in report.curves {
                    page.group("figure") { page in
                        page.element("figcaption", bank.bank)
                        page.raw(CurveChart(bank).svg)
                    }
                }
            }
        }
    }
}
