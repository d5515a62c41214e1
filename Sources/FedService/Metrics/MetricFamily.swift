/// Samples of one name in the text format of Prometheus (exposition format 0.0.4).
package struct MetricFamily: Equatable, Sendable {
    /// What the figures do.
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    /// One figure with its labels.
    package struct Sample: Equatable, Sendable {
        /// Behind the family's name, such as `_bucket`; mostly empty.
        package var suffix: String
        /// Names and values, in order.
        package var labels: [(name: String, value: String)]
        /// The figure.
        package var value: Double

        /// Wraps a figure.
        package init(
            _ value: Double, labels: [(name: String, value: String)] = [], suffix: String = ""
        ) {
            self.suffix = suffix
            self.labels = labels
            self.value = value
        }

        package static func == (left: Self, right: Self) -> Bool {
            left.suffix == right.suffix && left.value == right.value
                && left.labels.map(\.name) == right.labels.map(\.name)
                && left.labels.map(\.value) == right.labels.map(\.value)
        }
    }

    /// The name, of `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    package var name: String
    /// What it is, for people.
    package var help: String
    /// What the figures do.
    package var kind: Kind
    /// The figures.
    package var samples: [Sample]

    /// Wraps figures.
    package init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// The content type of the text.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Writes families one behind the other.
    package static func text(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += family.name + sample.suffix
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map {
                        "\($0.name)=\"\(escaped($0.value, quotes: true))\""
                    }
                    text += "{" + labels.joined(separator: ",") + "}"
                }
                text += " \(figure(sample.value))\n"
            }
        }
        return text
    }

    private static func figure(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.append(character)
            }
        }
        return result
    }
}

/// Counts of figures up to bounds, as Prometheus sums them.
package struct Histogram: Equatable, Sendable {
    /// Upper bounds, ascending.
    package let bounds: [Double]
    /// Figures between the bound before and this one; the last beyond all bounds.
    package private(set) var counts: [Int]
    /// Σ figures.
    package private(set) var sum = 0.0

    /// Begins empty.
    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count + 1)
    }

    /// Takes a figure.
    package mutating func observe(_ value: Double) {
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    /// Buckets, sum and count.
    package func samples(
        labels: [(name: String, value: String)] = []
    ) -> [MetricFamily.Sample] {
        var samples: [MetricFamily.Sample] = []
        var total = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? bounds[index].description : "+Inf"
            samples.append(
                MetricFamily.Sample(
                    Double(total), labels: labels + [("le", bound)], suffix: "_bucket"))
        }
        samples.append(MetricFamily.Sample(sum, labels: labels, suffix: "_sum"))
        samples.append(MetricFamily.Sample(Double(total), labels: labels, suffix: "_count"))
        return samples
    }
}
