import FedReport

/// A report with made-up figures, and what tests vary of it.
enum Sample {
    static func score(
        _ auc: Double?, _ ap: Double?, _ ks: Double?, _ half: Int, _ one: Int
    ) -> ScoreSummary {
        ScoreSummary(auc: auc, ap: ap, ks: ks, caught: ["0.005": half, "0.01": one])
    }

    static func banks(firstName: String = "A") -> [ComparisonReport.Bank] {
        [
            ComparisonReport.Bank(
                name: firstName, testRows: 31_436, testFrauds: 268,
                scores: PerScore(
                    local: score(0.970, 0.632, 0.84, 125, 174),
                    federated: score(0.977, 0.651, 0.85, 122, 178),
                    combined: score(0.977, 0.659, 0.85, 126, 179)),
                combination: "stacked log-odds"),
            ComparisonReport.Bank(
                name: "B", testRows: 13_183, testFrauds: 114,
                scores: PerScore(
                    local: score(0.933, 0.466, 0.77, 40, 57),
                    federated: score(0.949, 0.650, 0.81, 54, 73),
                    combined: score(0.949, 0.624, 0.80, 50, 71)),
                combination: "stacked log-odds"),
            ComparisonReport.Bank(
                name: "E", testRows: 12, testFrauds: 0,
                scores: PerScore(
                    local: score(nil, nil, .nan, 0, 0), federated: score(nil, nil, nil, 0, 0),
                    combined: score(nil, nil, nil, 0, 0)),
                combination: "mean of log-odds"),
        ]
    }

    static func report(
        banks: [ComparisonReport.Bank] = banks(), budgets: [String] = ["0.01", "0.005"],
        pooled: ComparisonReport.Pooled? = ComparisonReport.Pooled(
            modelSHA256: digest, maxRelativeDifference: 0, identical: true)
    ) throws(ReportError) -> ComparisonReport {
        try ComparisonReport(
            algorithm: "gbdt", modelSHA256: digest,
            standardSHA256: String(repeating: "c0ffee00", count: 8), slots: 621,
            seconds: .init(data: 2.5, train: 63.2, evaluate: 0.81),
            bytesSent: ["A": 51_234_567, "B": 51_234_999, "E": 51_200_000], budgets: budgets,
            banks: banks, pooled: pooled, standardErrors: ["amount": 0.25, "hour": nil])
    }

    static let digest = String(repeating: "0123456789abcdef", count: 4)

    static func run(title: String = "Joint training of 21 November", firstName: String = "A") throws
        -> RunReport
    {
        let curve = { (power: Double) in
            (0...200).map { step in
                let recall = Double(step) / 200
                let fall = recall * recall * power
                return RunReport.CurvePoint(recall: recall, precision: max(0.01, 1 - fall))
            }
        }
        return RunReport(
            title: title, comparison: try report(banks: banks(firstName: firstName)),
            curves: [firstName, "B"].map {
                .init(
                    bank: $0,
                    curves: PerScore(local: curve(1.6), federated: curve(1.1), combined: curve(1)))
            },
            sent: [firstName, "B", "E"].flatMap { bank in
                [
                    RunReport.Sent(bank: bank, kind: "consent", messages: 1, bytes: 812),
                    RunReport.Sent(bank: bank, kind: "key", messages: 3, bytes: 1_204),
                    RunReport.Sent(
                        bank: bank, kind: "masked update", messages: 621, bytes: 51_232_551),
                ]
            },
            maskedSums: [
                .init(kind: "bin edges", count: 1, lanes: 6_656, bytes: 53_248),
                .init(kind: "histogram", count: 600, lanes: 13_312, bytes: 106_496),
            ],
            facts: [
                .init("run", "5f0c21d7a9b34e8899aabbccddeeff00"),
                .init("cipher suite", "X25519, HKDF-SHA256, AES-128-CTR"),
            ])
    }
}
