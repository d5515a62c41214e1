import FedReport
import Foundation
import Testing

@Suite struct HTMLReportTests {
    @Test func namesAndTitlesAreEscaped() throws {
        let evil = #"<script>alert("x")</script>&'"#
        let page = HTMLReport(try Sample.run(title: evil, firstName: evil)).text
        #expect(!page.contains("<script"))
        #expect(!page.contains(#"alert("x")"#))
        let escaped = "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;"
        #expect(page.contains("<title>\(escaped)</title>"))
        #expect(page.contains(">\(escaped)<small>combined by"))
    }

    @Test func nothingIsLoadedFromOutside() throws {
        let page = HTMLReport(try Sample.run()).text
        for banned in [
            "http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link", "<img",
            "<iframe", "javascript:", "data:",
        ] {
            #expect(!page.contains(banned), "\(banned)")
        }
        #expect(page.contains("default-src 'none'"))
    }

    /// Browsers forgive what XML parsers do not: every element must close, every quote match.
    @Test func theDocumentIsWellFormed() throws {
        let page = HTMLReport(try Sample.run(firstName: "A & <B>")).text
        let void: Set<String> = ["meta", "rect", "path"]
        var open: [String] = []
        for piece in page.split(separator: "<").dropFirst() {
            let tag = try #require(piece.split(separator: ">").first)
            #expect(tag.filter { $0 == "\"" }.count.isMultiple(of: 2), "\(tag)")
            let name = String(tag.prefix { $0 != " " && $0 != "/" && $0 != "\n" })
            if tag.hasPrefix("!") || void.contains(name) { continue }
            if tag.hasPrefix("/") {
                #expect(open.popLast() == String(tag.dropFirst()))
            } else {
                open.append(name)
            }
        }
        #expect(open.isEmpty)
    }

    @Test func everyPartOfTheRunIsThere() throws {
        let page = HTMLReport(try Sample.run()).text
        for part in [
            "+8.2 %", "231 → 250", "Reviewing 0.5 % of the rows", "stacked log-odds",
            "Precision over recall at bank B", "51.2 MB", "histogram", "106,496",
            "Stays in the bank", "transactions, accounts", Sample.digest,
            "X25519, HKDF-SHA256, AES-128-CTR", "byte for byte", "training 63.2 s",
            "A: local 125, federated 122, combined 126 of 268",
        ] {
            #expect(page.contains(part), "\(part)")
        }
    }

    @Test func aRunWithoutBanksCurvesOrLedgerStillRenders() throws {
        let report = try Sample.report(banks: [], budgets: [], pooled: nil)
        let page = HTMLReport(RunReport(title: "Nothing yet", comparison: report)).text
        #expect(page.hasSuffix("</html>\n"))
        #expect(!page.contains("Precision and recall"))
        #expect(!page.lowercased().contains("nan"))
    }

    @Test func pointsThatAreNoSharesAreLeftOut() throws {
        let point = { RunReport.CurvePoint(recall: $0, precision: $1) }
        let curve = [point(0, 1), point(.nan, 0.5), point(0.5, .infinity), point(1, 0.25)]
        let curves = PerScore(local: curve, federated: curve, combined: curve)
        let page = HTMLReport(
            RunReport(
                title: "t", comparison: try Sample.report(),
                curves: [.init(bank: "A", curves: curves)])
        ).text
        #expect(page.contains("d=\"M46 8L226 143\""))
    }
}
