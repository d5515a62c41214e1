import FedReport
import Testing

private let golden = """
                                                                     review 0.5 %      review 1 %
    bank             rows  frauds  score        AUC     AP     KS caught     gain caught     gain
    ---------------------------------------------------------------------------------------------
    A              31,436     268  local      0.970  0.632  0.840    125             174
                                   federated  0.977  0.651  0.850    122   -2.4 %    178   +2.3 %
                                   combined   0.977  0.659  0.850    126   +0.8 %    179   +2.9 %
    ---------------------------------------------------------------------------------------------
    B              13,183     114  local      0.933  0.466  0.770     40              57
                                   federated  0.949  0.650  0.810     54  +35.0 %     73  +28.1 %
                                   combined   0.949  0.624  0.800     50  +25.0 %     71  +24.6 %
    ---------------------------------------------------------------------------------------------
    E                  12       0  local          -      -      -      0               0
                                   federated      -      -      -      0        -      0        -
                                   combined       -      -      -      0        -      0        -
    ---------------------------------------------------------------------------------------------
    all banks      44,631     382  local                             165             231
                                   federated                         176   +6.7 %    251   +8.7 %
                                   combined                          176   +6.7 %    250   +8.2 %

    caught: frauds among the rows that each bank reviews, its highest scores first.
    gain: caught by this score over caught by the local score, minus 1.
    AUC: area under the ROC curve. AP: average precision. KS: Kolmogorov-Smirnov distance.
    combined by stacked log-odds: A, B
    combined by mean of log-odds: E
    gbdt, model 0123456789abcdef: 621 masked sums, 154 MB sent by 3 banks, trained in 63.2 s
    trained on pooled rows instead: the same model, byte for byte
    """

@Suite struct ComparisonTableTests {
    @Test func theTableReadsAsItAlwaysHas() throws {
        #expect(ComparisonTable(try Sample.report()).text == golden + "\n")
    }

    @Test func noLineIsWiderThanTheLimit() throws {
        let long = String(repeating: "savings", count: 9)
        let score = ScoreSummary(
            auc: 0.5, ap: 1, ks: 0,
            caught: ["0.00001": 9_999, "0.02": 999_999, "0.10": 999_999, "0.5": 1_000_000])
        let banks = (0..<30).map {
            ComparisonReport.Bank(
                name: "\($0)-\(long)", testRows: 10_000_000, testFrauds: 1_000_000,
                scores: PerScore(local: score, federated: score, combined: score),
                combination: "stacked log-odds with a very long name")
        }
        let report = try Sample.report(banks: banks, budgets: ["0.02", "0.5", "0.10", "0.00001"])
        let lines = ComparisonTable(report).text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= ComparisonTable.widthMax })
        #expect(lines.contains { $0.hasSuffix("2 more review budgets are in the JSON report.") })
    }

    @Test func coloursAppearOnlyWhenAskedFor() throws {
        let report = try Sample.report()
        #expect(!ComparisonTable(report).text.contains("\u{1B}"))
        let coloured = ComparisonTable(report, coloured: true).text
        #expect(coloured.contains("\u{1B}[32m  +35.0 %\u{1B}[0m"))
        #expect(coloured.contains("\u{1B}[31m   -2.4 %\u{1B}[0m"))
    }

    @Test func aNameCannotSteerTheTerminal() throws {
        let report = try Sample.report(banks: Sample.banks(firstName: "A\u{1B}[2J\n\u{9B}1m"))
        let text = ComparisonTable(report).text
        #expect(!text.contains("\u{1B}"))
        #expect(!text.contains("\u{9B}"))
        #expect(text.contains("A?[2J??1m"))
    }
}
