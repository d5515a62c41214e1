/// Bars of one or two series over the steps of a period.
struct StepChart {
    /// One bar a step.
    struct Series {
        let name: String
        /// Its colour.
        let style: ScoreKind
        /// None negative.
        let values: [Double]
    }

    private static let width = 460.0
    private static let height = 190.0
    private static let top = 10.0
    private static let bottom = 26.0
    private static let left = 58.0
    private static let ticks = 4

    let title: String
    /// The names of the steps.
    let names: [String]
    let series: [Series]

    private var highest: Double { max(series.flatMap(\.values).max() ?? 0, 1) }

    /// The height between two lines of the grid: 1, 2 or 5 times a power of ten.
    private var unit: Double {
        var power = 1.0
        while power * 10 * Double(Self.ticks) <= highest { power *= 10 }
        return [1, 2, 5, 10].map { $0 * power }.first { $0 * Double(Self.ticks) >= highest }
            ?? power * 10
    }

    /// The chart as an `svg` element.
    var svg: String {
        let axisMax = unit * Double(Self.ticks)
        let floor = Self.height - Self.bottom
        let scale = (floor - Self.top) / axisMax
        let step = (Self.width - Self.left) / Double(max(names.count, 1))
        let bar = step * 0.8 / Double(max(series.count, 1))
        var picture = Markup()
        picture.group(
            "svg",
            attributes: "viewBox=\"0 0 \(Self.text(Self.width)) \(Self.text(Self.height))\" "
                + "role=\"img\" style=\"max-width:\(Self.text(Self.width * 1.3))px\""
        ) { picture in
            picture.element("title", description)
            for tick in 0...Self.ticks {
                let value = Double(tick) * unit
                let y = Self.text(floor - value * scale)
                picture.raw(
                    "<path class=\"grid\" d=\"M\(Self.text(Self.left)) "
                        + "\(y)H\(Self.text(Self.width))\"/>")
                picture.element(
                    "text", NumberText.fixed(value, 0),
                    attributes: "x=\"\(Self.text(Self.left - 5))\" y=\"\(y)\" dy=\"4\" "
                        + "class=\"end\"")
            }
            for (index, one) in series.enumerated() {
                for (place, value) in one.values.enumerated() {
                    let x = Self.left + Double(place) * step + step * 0.1 + Double(index) * bar
                    picture.raw(
                        "<rect class=\"bar \(one.style.rawValue)\" x=\"\(Self.text(x))\" "
                            + "y=\"\(Self.text(floor - value * scale))\" "
                            + "width=\"\(Self.text(max(bar - 0.5, 0.5)))\" "
                            + "height=\"\(Self.text(value * scale))\"/>")
                }
            }
            // As many names as there is room for.
            let every = max(1, (names.count + 5) / 6)
            for (place, name) in names.enumerated() where place.isMultiple(of: every) {
                picture.element(
                    "text", name,
                    attributes: "x=\"\(Self.text(Self.left + Double(place) * step + 2))\" "
                        + "y=\"\(Self.text(floor + 17))\"")
            }
        }
        return picture.text
    }

    private var description: String {
        title + ". "
            + series.map { one in
                one.name + ": "
                    + zip(names, one.values).map { "\($0) \(NumberText.fixed($1, 0))" }
                    .joined(separator: ", ")
            }.joined(separator: "; ")
    }

    private static func text(_ value: Double) -> String { NumberText.plain(value) }
}
