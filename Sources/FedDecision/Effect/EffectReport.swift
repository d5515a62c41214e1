internal import FedCore

/// The effect of a period's lists, of one bank or of the consortium, as JSON and as a table.
package struct EffectReport: Equatable, Sendable {
    /// The member `format` of the document.
    package static let format = "fed-effect-report/1"

    /// Whose effect: a bank's name, or the consortium's.
    package let subject: String
    /// The period, seconds since 1970.
    package let period: Range<Int64>
    /// The currency of amounts, such as CNY.
    package let currency: String
    /// Minor units of one of the currency, such as 100.
    package let minorUnits: Int64
    /// The counts.
    package let counts: EffectCounts

    /// Wraps a report.
    package init(
        subject: String, period: Range<Int64>, currency: String, minorUnits: Int64 = 100,
        counts: EffectCounts
    ) {
        precondition(minorUnits > 0, "\(minorUnits) minor units")
        self.subject = subject
        self.period = period
        self.currency = currency
        self.minorUnits = minorUnits
        self.counts = counts
    }

    /// The canonical document, see `Schemas/effect-report.v1.schema.json`.
    package var bytes: [UInt8] {
        func whole(_ value: Int) -> CanonicalJSON { .integer(Int64(value)) }
        let precision = counts.precision.map {
            CanonicalJSON.object([
                "value": .number($0.share), "low": .number($0.low), "high": .number($0.high),
            ])
        }
        let gain = counts.gain.map {
            CanonicalJSON.object([
                "value": .number($0.gain), "low": .number($0.low), "high": .number($0.high),
            ])
        }
        return CanonicalJSON.object([
            "format": .string(Self.format),
            "subject": .string(subject),
            "from": .integer(period.lowerBound),
            "until": .integer(period.upperBound),
            "banks": whole(counts.banks),
            "listed": whole(counts.listed),
            "confirmed": whole(counts.confirmed),
            "false_alarms": whole(counts.falseAlarms),
            "unclear": whole(counts.unclear),
            "open": whole(counts.open),
            "precision": precision ?? .null,
            "amount_kept": .integer(counts.amountKept),
            "currency": .string(currency),
            "minor_units": .integer(minorUnits),
            "frauds": .object([
                "by_both": whole(counts.byBoth), "by_list_only": whole(counts.byListOnly),
                "by_local_only": whole(counts.byLocalOnly), "by_neither": whole(counts.byNeither),
            ]),
            "gain_over_local": gain ?? .null,
        ]).bytes
    }

    /// The report for a terminal: label and figure, a line each.
    package var table: String {
        func percent(_ share: Double, signed: Bool = false) -> String {
            let tenths = Int((share * 1000).rounded())
            let sign = tenths < 0 ? "-" : signed ? "+" : ""
            return "\(sign)\(tenths.magnitude / 10).\(tenths.magnitude % 10) %"
        }
        func grouped(_ value: Int64) -> String {
            var digits = Array(String(value.magnitude))
            var position = digits.count - 3
            while position > 0 {
                digits.insert(",", at: position)
                position -= 3
            }
            return (value < 0 ? "-" : "") + String(digits)
        }
        var lines: [(String, String)] = [
            ("suspicious entities listed", grouped(Int64(counts.listed))),
            ("confirmed frauds", grouped(Int64(counts.confirmed))),
            ("false alarms", grouped(Int64(counts.falseAlarms))),
            ("unclear or open", grouped(Int64(counts.unclear + counts.open))),
        ]
        if let precision = counts.precision {
            let ends = "\(percent(precision.low)) to \(percent(precision.high))"
            lines.append(("precision of decided cases", "\(percent(precision.share)) (\(ends))"))
        }
        lines.append(
            ("balance kept", "\(grouped(counts.amountKept / minorUnits)) \(currency)"))
        lines.append(("known frauds listed", grouped(Int64(counts.intercepted))))
        lines.append(("the same by local alone", grouped(Int64(counts.interceptedByLocal))))
        if let gain = counts.gain {
            let low = percent(gain.low, signed: true)
            let high = percent(gain.high, signed: true)
            lines.append(
                (
                    "interception over local alone",
                    "\(percent(gain.gain, signed: true)) (\(low) to \(high))"
                ))
        }
        let width = lines.map(\.0.count).max() ?? 0
        return "\(subject)\n"
            + lines.map { label, figure in
                "  \(label)\(String(repeating: " ", count: width - label.count))  \(figure)\n"
            }.joined()
    }
}
