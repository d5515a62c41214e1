/// Grouped bars, one group a bank: share of its frauds caught by each score at one budget.
struct CaughtChart {
    private static let height = 190.0
    private static let top = 24.0
    private static let bottom = 30.0
    private static let left = 42.0
    private static let barWidth = 20.0
    private static let groupGap = 22.0

    private let report: ComparisonReport
    private let budget: String

    init(_ report: ComparisonReport, budget: String) {
        self.report = report
        self.budget = budget
    }

    private func share(_ bank: ComparisonReport.Bank, _ kind: ScoreKind) -> Double {
        guard bank.testFrauds > 0 else { return 0 }
        return Double(bank.scores[kind].caught[budget, default: 0]) / Double(bank.testFrauds)
    }

    /// Highest bar, as a share.
    private var highest: Double {
        report.banks.flatMap { bank in ScoreKind.allCases.map { share(bank, $0) } }.max() ?? 0
    }

    /// What the axis is a multiple of.
    private var unit: Double { highest > 0.2 ? 0.1 : 0.05 }

    /// The top of the axis: the next unit above the highest bar.
    private var axisMax: Double { min(1, max(unit, (highest / unit).rounded(.up) * unit)) }

    /// The chart as an `svg` element.
    var svg: String {
        let groupWidth = 3 * Self.barWidth + Self.groupGap
        let width = Self.left + groupWidth * Double(report.banks.count) + 8
        let floor = Self.height - Self.bottom
        let scale = (floor - Self.top) / axisMax
        var picture = Markup()
        picture.group(
            "svg",
            attributes: "viewBox=\"0 0 \(Self.text(width)) \(Self.text(Self.height))\" role=\"img\""
                + " style=\"min-width:\(Self.text(width * 0.8))px;"
                + "max-width:\(Self.text(width * 1.3))px\""
        ) { picture in
            picture.element("title", description)
            let step = axisMax > 0.5 ? 0.2 : unit
            for value in stride(from: 0, through: axisMax + 1e-9, by: step) {
                let y = Self.text(floor - value * scale)
                picture.raw(
                    "<path class=\"grid\" d=\"M\(Self.text(Self.left)) \(y)H\(Self.text(width))\"/>"
                )
                picture.element(
                    "text", NumberText.fixed(value * 100, 0) + " %",
                    attributes: "x=\"\(Self.text(Self.left - 5))\" y=\"\(y)\" dy=\"4\" "
                        + "class=\"end\"")
            }
            for (index, bank) in report.banks.enumerated() {
                let x = Self.left + Self.groupGap / 2 + Double(index) * groupWidth
                bars(&picture, bank, x: x, floor: floor, scale: scale)
            }
        }
        return picture.text
    }

    private func bars(
        _ picture: inout Markup, _ bank: ComparisonReport.Bank, x: Double, floor: Double,
        scale: Double
    ) {
        var highest = 0.0
        for (index, kind) in ScoreKind.allCases.enumerated() {
            let height = share(bank, kind) * scale
            highest = max(highest, height)
            let left = x + Double(index) * Self.barWidth
            picture.raw(
                "<rect class=\"bar \(kind.rawValue)\" x=\"\(Self.text(left))\" "
                    + "y=\"\(Self.text(floor - height))\" "
                    + "width=\"\(Self.text(Self.barWidth - 2))\" "
                    + "height=\"\(Self.text(height))\"/>")
        }
        let middle = Self.text(x + 1.5 * Self.barWidth - 1)
        picture.element(
            "text", NumberText.gain(report.interceptionGain(.combined, budget: budget, bank: bank)),
            attributes: "x=\"\(middle)\" y=\"\(Self.text(floor - highest - 6))\" class=\"gain\"")
        let name = bank.name.count > 10 ? bank.name.prefix(9) + "…" : bank.name
        picture.element(
            "text", name,
            attributes: "x=\"\(middle)\" y=\"\(Self.text(floor + 18))\" class=\"middle\"")
    }

    private var description: String {
        let banks = report.banks.map { bank in
            let caught = ScoreKind.allCases.map {
                "\($0.rawValue) \(bank.scores[$0].caught[budget, default: 0])"
            }
            return "\(bank.name): \(caught.joined(separator: ", ")) of \(bank.testFrauds)"
        }
        return "Frauds caught reviewing \(NumberText.budget(budget)) of the rows. "
            + banks.joined(separator: "; ")
    }

    private static func text(_ value: Double) -> String { NumberText.plain(value) }
}
