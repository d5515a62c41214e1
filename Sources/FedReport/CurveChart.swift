/// Precision over recall of one bank's three scores.
struct CurveChart {
    private static let side = 180.0
    private static let left = 46.0
    private static let top = 8.0
    private static let pointsMax = 400

    private let bank: RunReport.BankCurves

    init(_ bank: RunReport.BankCurves) {
        self.bank = bank
    }

    /// The chart as an `svg` element.
    var svg: String {
        var picture = Markup()
        let width = Self.left + Self.side + 16
        let height = Self.top + Self.side + 36
        picture.group(
            "svg",
            attributes: "viewBox=\"0 0 \(Self.text(width)) \(Self.text(height))\" role=\"img\""
        ) { picture in
            picture.element("title", "Precision over recall at bank \(bank.bank)")
            for tick in 0...4 {
                let share = Double(tick) / 4
                let x = Self.text(Self.left + share * Self.side)
                let y = Self.text(Self.top + (1 - share) * Self.side)
                let (start, end) = (Self.text(Self.left), Self.text(Self.left + Self.side))
                let (roof, floor) = (Self.text(Self.top), Self.text(Self.top + Self.side))
                picture.raw(
                    "<path class=\"grid\" d=\"M\(start) \(y)H\(end)M\(x) \(roof)V\(floor)\"/>")
                let label = NumberText.fixed(share, 2)
                picture.element(
                    "text", label,
                    attributes: "x=\"\(Self.text(Self.left - 5))\" y=\"\(y)\" "
                        + "dy=\"4\" class=\"end\"")
                picture.element(
                    "text", label,
                    attributes: "x=\"\(x)\" "
                        + "y=\"\(Self.text(Self.top + Self.side + 14))\" class=\"middle\"")
            }
            picture.element(
                "text", "recall",
                attributes: "x=\"\(Self.text(Self.left + Self.side / 2))\" "
                    + "y=\"\(Self.text(height - 6))\" class=\"middle\"")
            let middle = Self.text(Self.top + Self.side / 2)
            picture.element(
                "text", "precision",
                attributes: "x=\"10\" y=\"\(middle)\" transform=\"rotate(-90 10 \(middle))\" "
                    + "class=\"middle\"")
            for kind in ScoreKind.allCases {
                let path = Self.path(bank.curves[kind])
                if path.isEmpty { continue }
                picture.raw("<path class=\"curve \(kind.rawValue)\" d=\"\(path)\"/>")
            }
        }
        return picture.text
    }

    /// A line through the points, thinned evenly; points that are not finite are left out.
    private static func path(_ points: [RunReport.CurvePoint]) -> String {
        let valid = points.filter {
            (0...1).contains($0.recall) && (0...1).contains($0.precision)
        }
        let step = max(1, (valid.count + pointsMax - 1) / pointsMax)
        var path = ""
        for (index, point) in valid.enumerated()
        where index.isMultiple(of: step) || index == valid.count - 1 {
            path += path.isEmpty ? "M" : "L"
            path +=
                text(left + point.recall * side) + " " + text(top + (1 - point.precision) * side)
        }
        return path
    }

    private static func text(_ value: Double) -> String { NumberText.plain(value) }
}
