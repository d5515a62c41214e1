package import FedDecision

/// The effect of lists as one HTML document without any external resource.
package struct EffectPage {
    private let report: EffectReport

    /// A document of a report.
    package init(_ report: EffectReport) { self.report = report }

    /// The document, UTF-8.
    package var text: String {
        let title = "Effect of the high-risk lists: \(report.subject)"
        return Markup.page(title) { page in
            page.element("h1", title)
            page.element(
                "p",
                "\(Self.date(report.period.lowerBound)) to "
                    + "\(Self.date(report.period.upperBound - 1)), "
                    + (report.counts.banks == 1
                        ? "one bank" : "\(report.counts.banks) banks, masked sums only"),
                attributes: "class=\"lead\"")
            cards(&page)
            plots(&page)
            table(&page)
        }
    }

    // MARK: Figures

    private func cards(_ page: inout Markup) {
        let counts = report.counts
        page.group("section", attributes: "class=\"cards\" aria-label=\"Summary\"") { page in
            page.card(
                NumberText.gain(counts.gain?.gain), "interception over local alone",
                counts.gain.map {
                    "95 % interval \(NumberText.gain($0.low)) to \(NumberText.gain($0.high))"
                } ?? "not known yet")
            page.card(
                NumberText.grouped(counts.listed), "suspicious customers listed",
                "\(NumberText.grouped(counts.open)) still open, "
                    + "\(NumberText.grouped(counts.unclear)) unclear")
            page.card(
                NumberText.grouped(counts.confirmed), "confirmed frauds",
                counts.precision.map {
                    "precision \(Self.percent($0.share)) (\(Self.percent($0.low)) to "
                        + "\(Self.percent($0.high))) of decided cases"
                } ?? "no case is decided yet")
            page.card(
                "\(money(counts.amountKept)) \(report.currency)", "balance kept",
                "from fraudsters, as reviewers recorded it")
        }
        if counts.byLocalOnly + counts.byNeither == 0 {
            page.element(
                "p",
                "No fraud is known that the lists missed, so the gain says little: report frauds "
                    + "that were found elsewhere.", attributes: "class=\"note\"")
        }
    }

    private func plots(_ page: inout Markup) {
        guard report.steps.count > 1 else { return }
        let names = report.steps.map { Self.date($0.period.lowerBound) }
        func plot(
            _ page: inout Markup, _ title: String, _ series: [StepChart.Series]
        ) {
            page.group("figure") { page in
                page.element("figcaption", title)
                page.raw(StepChart(title: title, names: names, series: series).svg)
                page.legend(series.map { ($0.style, $0.name) })
            }
        }
        page.group("section") { page in
            page.element("h2", "Course of the period")
            page.group("div", attributes: "class=\"charts wide\"") { page in
                plot(
                    &page, "Known frauds listed, and by local alone",
                    [
                        .init(
                            name: "lists", style: .combined,
                            values: report.steps.map { Double($0.counts.intercepted) }),
                        .init(
                            name: "local alone", style: .local,
                            values: report.steps.map { Double($0.counts.interceptedByLocal) }),
                    ])
                plot(
                    &page, "Decided cases",
                    [
                        .init(
                            name: "confirmed frauds", style: .combined,
                            values: report.steps.map { Double($0.counts.confirmed) }),
                        .init(
                            name: "false alarms", style: .local,
                            values: report.steps.map { Double($0.counts.falseAlarms) }),
                    ])
                plot(
                    &page, "Balance kept, \(report.currency)",
                    [
                        .init(
                            name: "balance kept", style: .federated,
                            values: report.steps.map {
                                Double($0.counts.amountKept) / Double(report.minorUnits)
                            })
                    ])
            }
        }
    }

    private func table(_ page: inout Markup) {
        guard !report.steps.isEmpty else { return }
        page.group("section") { page in
            page.element("h2", "Figures")
            page.group("div", attributes: "class=\"scroll\"") { page in
                page.group("table") { page in
                    page.group("thead") { page in
                        page.group("tr") { page in
                            page.element("th", "from", attributes: "class=\"text\" scope=\"col\"")
                            for name in [
                                "listed", "confirmed", "false alarms", "precision", "balance kept",
                                "frauds listed", "by local alone", "gain",
                            ] { page.element("th", name, attributes: "scope=\"col\"") }
                        }
                    }
                    page.group("tbody") { page in
                        for step in report.steps {
                            row(&page, Self.date(step.period.lowerBound), step.counts, "")
                        }
                        row(&page, "all", report.counts, "class=\"total\"")
                    }
                }
            }
            page.element(
                "p",
                "Intervals are of 95 %: Wilson's for the precision, that of a ratio of paired "
                    + "counts for the gain. Local alone is what the bank's own model would have "
                    + "listed in the same period within the same capacity.",
                attributes: "class=\"note\"")
        }
    }

    private func row(
        _ page: inout Markup, _ name: String, _ counts: EffectCounts, _ attributes: String
    ) {
        page.group("tr", attributes: attributes) { page in
            page.element("th", name, attributes: "scope=\"row\"")
            for text in [
                NumberText.grouped(counts.listed), NumberText.grouped(counts.confirmed),
                NumberText.grouped(counts.falseAlarms),
                counts.precision.map { Self.percent($0.share) } ?? "-", money(counts.amountKept),
                NumberText.grouped(counts.intercepted),
                NumberText.grouped(counts.interceptedByLocal),
                NumberText.gain(counts.gain?.gain),
            ] { page.element("td", text) }
        }
    }

    // MARK: Texts

    private func money(_ amount: Int64) -> String {
        NumberText.grouped(Int(amount / report.minorUnits))
    }

    private static func percent(_ share: Double) -> String {
        NumberText.fixed(share * 100, 1) + " %"
    }

    /// The day of a time, such as 2026-11-22, UTC.
    private static func date(_ seconds: Int64) -> String {
        CalendarDay(containing: seconds).description
    }
}
