internal import ArgumentParser
internal import FedCore
package import FedDecision
internal import FedRuntime

extension CalendarDay: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}

/// Of which days an effect is told, and where the report goes.
package struct EffectOptions: ParsableArguments {
    /// Days that are looked at where none is named.
    private static let daysUsual = 84

    @Option(help: "The first day, such as 2026-11-01, UTC. Default: 84 days up to the last.")
    var from: CalendarDay?
    @Option(help: "The last day, UTC. Default: today.")
    var to: CalendarDay?
    /// Days of a step.
    @Option(help: "Days of a step in the plots.")
    package var stepDays = 7
    /// The currency of amounts.
    @Option(help: "The currency of amounts, for the report.")
    package var currency = "CNY"
    @Option(help: "Write the report as JSON to this file.")
    var json: String?
    @Option(help: "Write the report as HTML to this file.")
    var html: String?

    package init() {}

    package func validate() throws {
        guard let from, let to, from.number > to.number else { return }
        throw ValidationError("--from is after --to")
    }

    /// The days asked for.
    ///
    /// - Throws: `ValidationError` where the first one is to come.
    package func days() throws -> Range<Int> {
        let today = Int(Timestamp.nowUnixMilliseconds() / 86_400_000)
        let end = (to?.number ?? today) + 1
        let start = from?.number ?? max(0, end - Self.daysUsual)
        guard start < end else { throw ValidationError("--from is after --to") }
        return start..<end
    }

    /// Prints a report and writes the files asked for.
    package func show(_ report: EffectReport, page: () -> String) throws {
        ConsoleOutput.line(report.table)
        if let json { try AtomicFile.write(report.bytes + [0x0A], to: json) }
        if let html { try AtomicFile.write(Array(page().utf8), to: html) }
    }
}
