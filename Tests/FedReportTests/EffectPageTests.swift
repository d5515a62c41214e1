import FedDecision
import FedReport
import Testing

@Suite struct EffectPageTests {
    private func report(steps count: Int, subject: String = "bank A") -> EffectReport {
        let steps = (0..<count).map { index in
            var counts = EffectCounts()
            counts.listed = 20
            counts.confirmed = 10 + index
            counts.falseAlarms = 5
            counts.amountKept = Int64(100_000 * (index + 1))
            counts.byBoth = 8
            counts.byListOnly = 2 + index
            counts.byLocalOnly = 1
            let from = Int64(20_000 + 7 * index) * 86_400
            return EffectReport.Step(period: from..<(from + 7 * 86_400), counts: counts)
        }
        return EffectReport(
            subject: subject, period: 1_728_000_000..<1_728_000_000 + Int64(count) * 604_800,
            currency: "CNY", counts: EffectCounts(summing: steps.map(\.counts)), steps: steps)
    }

    @Test func everyFigureIsThereAndNothingIsLoadedFromOutside() {
        let page = EffectPage(report(steps: 3)).text
        for part in [
            "+22.2 %", "Course of the period", "2024-10-04", "2024-10-11", "6,000 CNY",
            "Balance kept, CNY", "local alone",
        ] {
            #expect(page.contains(part), "\(part)")
        }
        for banned in ["http:", "https:", "src=", "href=", "url(", "<script", "data:"] {
            #expect(!page.contains(banned), "\(banned)")
        }
        #expect(page.contains("default-src 'none'"))
        #expect(!page.lowercased().contains("nan"))
    }

    @Test func namesAreEscaped() {
        let page = EffectPage(report(steps: 2, subject: "<script>A & B")).text
        #expect(!page.contains("<script"))
        #expect(page.contains("&lt;script&gt;A &amp; B"))
    }

    @Test func aPeriodWithoutAnythingStillRenders() {
        let nothing = EffectReport(
            subject: "b", period: 0..<86_400, currency: "CNY", counts: EffectCounts())
        let page = EffectPage(nothing).text
        #expect(page.hasSuffix("</html>\n"))
        #expect(page.contains("No fraud is known that the lists missed"))
        #expect(page.contains("1970-01-01 to 1970-01-01"))
    }
}
