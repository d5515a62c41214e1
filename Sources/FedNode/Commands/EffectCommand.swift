internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedDecision
internal import FedReport
internal import FedRuntime
internal import FedService

/// The folder in which `fed-node score` keeps lists, cases and verdicts.
enum ReviewFolder {
    private static let file = "review.sqlite"

    /// Opens the store of a folder that is there, also while the scoring service runs.
    static func open(_ path: String) throws -> ReviewStore {
        let folder = try StateDirectory(reading: path)
        guard folder.contains(file) else {
            throw CommandFailure(
                "\(path) holds no lists and verdicts",
                hint: "it is the folder of fed-node score --state", exitKind: .noInput)
        }
        do {
            return try ReviewStore(path: folder.path(of: file))
        } catch {
            throw CommandFailure("\(error)", hint: "fed-node effect --help", exitKind: .data)
        }
    }
}

struct EffectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "effect",
        abstract: "Shows what this bank's lists led to, against its local model alone.",
        discussion: """
            Suspicious customers listed, confirmed frauds, the lists' precision, balance kept, and \
            the interception against what local alone would have listed in the same period. All \
            banks together: fed-coordinator effect.
            """)

    @Option(help: "The folder of fed-node score.")
    var state = "score-state"
    @Option(help: "The bank's name, for the report.")
    var bank = "bank"
    @OptionGroup var effect: EffectOptions

    func run() async throws {
        let store = try ReviewFolder.open(state)
        let days = try effect.days()
        let steps = try TallyConfiguration(.effect(days: days, step: effect.stepDays)).steps
        let first = EffectReport.seconds(days).lowerBound
        var course: [EffectReport.Step] = []
        for step in steps {
            let period = EffectReport.seconds(step)
            course.append(
                EffectReport.Step(
                    period: period,
                    counts: try await store.effect(period, listedSince: first).counts))
        }
        let period = EffectReport.seconds(days)
        let report = EffectReport(
            subject: bank, period: period, currency: effect.currency,
            counts: try await store.effect(period).counts, steps: course)
        try effect.show(report) { EffectPage(report).text }
    }
}
