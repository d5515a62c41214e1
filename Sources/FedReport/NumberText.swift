/// Numbers as people read them, the same in every locale.
enum NumberText {
    /// A fixed count of decimals; "-" for `nil`.
    static func fixed(_ value: Double?, _ decimals: Int) -> String {
        guard let value, value.isFinite, value.magnitude < 1e12 else { return "-" }
        let unit = (0..<decimals).reduce(1) { power, _ in power * 10 }
        let scaled = Int((value.magnitude * Double(unit)).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard decimals > 0 else { return sign + grouped(scaled) }
        let fraction = String(scaled % unit)
        let zeros = String(repeating: "0", count: decimals - fraction.utf8.count)
        return "\(sign)\(scaled / unit).\(zeros)\(fraction)"
    }

    /// Thousands apart by commas.
    static func grouped(_ value: Int) -> String {
        var text = ""
        let digits = String(value.magnitude)
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.utf8.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    /// A gain as a signed percentage with one decimal, "+14.1 %"; "-" for `nil`.
    ///
    /// Elevenfold and more is ">+999 %".
    static func gain(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "-" }
        if value >= 10 { return ">+999 %" }
        let text = fixed(value * 100, 1)
        return (text.hasPrefix("-") ? "" : text == "0.0" ? "±" : "+") + text + " %"
    }

    /// A review budget as a percentage: "0.005" becomes "0.5 %".
    static func budget(_ text: String) -> String {
        guard let share = Double(text) else { return text }
        var percent = fixed(share * 100, 4)
        while percent.hasSuffix("0") { percent.removeLast() }
        if percent.hasSuffix(".") { percent.removeLast() }
        return percent + " %"
    }

    /// Bytes with a decimal unit: "812 B", "1.23 MB".
    static func bytes(_ count: Int) -> String {
        var value = Double(count)
        var unit = "B"
        for larger in ["kB", "MB", "GB", "TB"] where value >= 1_000 {
            value /= 1_000
            unit = larger
        }
        if unit == "B" { return "\(count) B" }
        return fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0) + " " + unit
    }

    /// Seconds with their unit: "0.42 s", "63 s".
    static func seconds(_ value: Double) -> String {
        fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0) + " s"
    }

    /// At most one decimal and no grouping: a coordinate of a picture.
    static func plain(_ value: Double) -> String {
        let text = fixed(value, 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
