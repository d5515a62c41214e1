/// What each bank gained by a run: its own model, the joint one and both combined, on its own test
/// rows.
///
/// The document is `Schemas/comparison-report.v1.schema.json`. It holds counts and rates of whole
/// test sets and nothing about a row.
package struct ComparisonReport: Equatable, Sendable {
    /// The member `format` of the document.
    package static let format = "fed-comparison-report/1"
    /// The largest count of rows, bytes or sums in a document.
    package static let countMax = 1 << 48

    /// One bank's results.
    package struct Bank: Equatable, Sendable {
        /// The bank's name in the roster.
        package let name: String
        /// Rows measured on.
        package let testRows: Int
        /// Frauds among them.
        package let testFrauds: Int
        /// The figures of the three scores.
        package let scores: PerScore<ScoreSummary>
        /// The rule by which the combined score was made, such as "stacked".
        package let combination: String

        /// Wraps one bank's results.
        package init(
            name: String, testRows: Int, testFrauds: Int, scores: PerScore<ScoreSummary>,
            combination: String
        ) {
            self.name = name
            self.testRows = testRows
            self.testFrauds = testFrauds
            self.scores = scores
            self.combination = combination
        }
    }

    /// Wall time of the stages, in seconds.
    package struct Seconds: Equatable, Sendable {
        /// Reading or making the data.
        package let data: Double
        /// Training.
        package let train: Double
        /// Scoring and measuring.
        package let evaluate: Double

        /// Wraps three times of at least zero.
        package init(data: Double, train: Double, evaluate: Double) {
            self.data = data
            self.train = train
            self.evaluate = evaluate
        }
    }

    /// How the joint model compares with the same trainer on all banks' rows in one place.
    package struct Pooled: Equatable, Sendable {
        /// SHA-256 of the pooled model, hexadecimal.
        package let modelSHA256: String
        /// Largest relative difference of a number in the two models; `nil` for unlike shapes.
        package let maxRelativeDifference: Double?
        /// True when the two models are the same bytes.
        package let identical: Bool

        /// Wraps a comparison.
        package init(modelSHA256: String, maxRelativeDifference: Double?, identical: Bool) {
            self.modelSHA256 = modelSHA256
            self.maxRelativeDifference = maxRelativeDifference
            self.identical = identical
        }
    }

    /// The algorithm, such as "gbdt".
    package let algorithm: String
    /// SHA-256 of the joint model, hexadecimal.
    package let modelSHA256: String
    /// SHA-256 of the feature standard, hexadecimal.
    package let standardSHA256: String
    /// Masked sums made.
    package let slots: Int
    /// Wall times.
    package let seconds: Seconds
    /// Bytes that each bank sent, by name.
    package let bytesSent: [String: Int]
    /// Review budgets as given, ascending.
    package let budgets: [String]
    /// The banks' results, in the order of the roster.
    package let banks: [Bank]
    /// The comparison with a pooled model, where one was made.
    package let pooled: Pooled?
    /// Standard errors of the coefficients by feature, where the model has them; `nil` where one
    /// could not be had.
    package let standardErrors: [String: Double?]?

    /// Checks and wraps a report.
    ///
    /// - Parameter budgets: Shares of rows as text, such as "0.005"; put in ascending order.
    /// - Throws: `ReportError` when the parts contradict each other.
    package init(
        algorithm: String, modelSHA256: String, standardSHA256: String, slots: Int,
        seconds: Seconds, bytesSent: [String: Int], budgets: [String], banks: [Bank],
        pooled: Pooled? = nil, standardErrors: [String: Double?]? = nil
    ) throws(ReportError) {
        var shares: [(text: String, share: Double)] = []
        for text in budgets {
            guard let share = Double(text), share > 0, share <= 1 else {
                throw .budgetInvalid(got: text)
            }
            shares.append((text, share))
        }
        self.algorithm = algorithm
        self.modelSHA256 = modelSHA256
        self.standardSHA256 = standardSHA256
        self.slots = slots
        self.seconds = seconds
        self.bytesSent = bytesSent
        self.budgets = shares.sorted { ($0.share, $0.text) < ($1.share, $1.text) }.map(\.text)
        self.banks = banks
        self.pooled = pooled
        self.standardErrors = standardErrors
        try check()
    }

    private func check() throws(ReportError) {
        let counts = 0...Self.countMax
        guard counts.contains(slots) else { throw .countImpossible(bank: "", member: "slots") }
        for (name, bytes) in bytesSent where !counts.contains(bytes) {
            throw .countImpossible(bank: name, member: "bytes_sent")
        }
        for time in [seconds.data, seconds.train, seconds.evaluate] {
            guard time.isFinite, time >= 0 else {
                throw .countImpossible(bank: "", member: "seconds")
            }
        }
        var names = Set<String>()
        for bank in banks {
            guard names.insert(bank.name).inserted else { throw .bankRepeated(bank.name) }
            guard counts.contains(bank.testRows) else {
                throw .countImpossible(bank: bank.name, member: "test_rows")
            }
            guard (0...bank.testRows).contains(bank.testFrauds) else {
                throw .countImpossible(bank: bank.name, member: "test_frauds")
            }
            for kind in ScoreKind.allCases {
                let caught = bank.scores[kind].caught
                guard Set(caught.keys) == Set(budgets) else {
                    throw .budgetsDiffer(
                        bank: bank.name, score: kind.rawValue, got: caught.keys.sorted(),
                        expected: budgets)
                }
                guard caught.values.allSatisfy((0...bank.testFrauds).contains) else {
                    throw .countImpossible(bank: bank.name, member: kind.rawValue + ".caught")
                }
            }
        }
    }

    /// Frauds that all banks together caught with a score, each within its own budget.
    package func caught(_ kind: ScoreKind, budget: String) -> Int {
        banks.reduce(0) { $0 + $1.scores[kind].caught[budget, default: 0] }
    }

    /// Interception gain of all banks together: caught(score) / caught(local) - 1.
    ///
    /// - Returns: `nil` when the local models caught nothing.
    package func interceptionGain(_ kind: ScoreKind, budget: String) -> Double? {
        Self.gain(caught(kind, budget: budget), over: caught(.local, budget: budget))
    }

    /// Interception gain of one bank.
    ///
    /// - Returns: `nil` when its local model caught nothing.
    package func interceptionGain(_ kind: ScoreKind, budget: String, bank: Bank) -> Double? {
        Self.gain(
            bank.scores[kind].caught[budget, default: 0],
            over: bank.scores.local.caught[budget, default: 0])
    }

    private static func gain(_ caught: Int, over local: Int) -> Double? {
        local == 0 ? nil : Double(caught) / Double(local) - 1
    }

    /// Test rows of all banks.
    package var testRows: Int { banks.reduce(0) { $0 + $1.testRows } }
    /// Frauds among them.
    package var testFrauds: Int { banks.reduce(0) { $0 + $1.testFrauds } }
}
