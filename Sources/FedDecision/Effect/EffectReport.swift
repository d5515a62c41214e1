package import FedCore

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
    /// The counts of each step of the period, for plots; none where there is no course to show.
    package let steps: [Step]

    /// A part of the period.
    package struct Step: Equatable, Sendable {
        /// Seconds since 1970.
        package let period: Range<Int64>
        /// What its lists led to, and the frauds that became known in it.
        package let counts: EffectCounts

        /// Wraps the members.
        package init(period: Range<Int64>, counts: EffectCounts) {
            self.period = period
            self.counts = counts
        }
    }

    /// Wraps a report.
    package init(
        subject: String, period: Range<Int64>, currency: String, minorUnits: Int64 = 100,
        counts: EffectCounts, steps: [Step] = []
    ) {
        precondition(minorUnits > 0, "\(minorUnits) minor units")
        self.subject = subject
        self.period = period
        self.currency = currency
        self.minorUnits = minorUnits
        self.counts = counts
        self.steps = steps
    }

    /// The consortium's effect, from the sums over its banks.
    ///
    /// - Throws: `LearningError` for sums of something else, or that contradict each other.
    package init(
        _ tally: TallyDocument, subject: String, currency: String, minorUnits: Int64 = 100
    ) throws(LearningError) {
        guard case .effect(let days, _) = tally.configuration.subject else {
            throw .invalidModel(reason: "the sums are not of an effect")
        }
        var steps: [Step] = []
        for (index, days) in tally.configuration.steps.enumerated() {
            let lanes = tally.sums.dropFirst(index * EffectCounts.laneCount)
                .prefix(EffectCounts.laneCount)
            steps.append(
                Step(
                    period: Self.seconds(days), counts: try EffectCounts(lanes: Array(lanes))))
        }
        self.init(
            subject: subject, period: Self.seconds(days), currency: currency,
            minorUnits: minorUnits, counts: EffectCounts(summing: steps.map(\.counts)),
            steps: steps)
    }

    /// Days since 1970-01-01 as seconds.
    package static func seconds(_ days: Range<Int>) -> Range<Int64> {
        Int64(days.lowerBound) * 86_400..<Int64(days.upperBound) * 86_400
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
        var members: [String: CanonicalJSON] = [
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
        ]
        if !steps.isEmpty {
            members["steps"] = .array(
                steps.map { step in
                    .object([
                        "from": .integer(step.period.lowerBound),
                        "until": .integer(step.period.upperBound),
                        "listed": whole(step.counts.listed),
                        "confirmed": whole(step.counts.confirmed),
                        "false_alarms": whole(step.counts.falseAlarms),
                        "amount_kept": .integer(step.counts.amountKept),
                        "intercepted": whole(step.counts.intercepted),
                        "intercepted_by_local": whole(step.counts.interceptedByLocal),
                    ])
                })
        }
        return CanonicalJSON.object(members).bytes
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
        if counts.byLocalOnly + counts.byNeither == 0 {
            lines.append(
                ("", "no fraud is known that the lists missed: report those found elsewhere"))
        }
        let width = lines.map(\.0.count).max() ?? 0
        return "\(subject)\n"
            + lines.map { label, figure in
                "  \(label)\(String(repeating: " ", count: width - label.count))  \(figure)\n"
            }.joined()
    }
}
