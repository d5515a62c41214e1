internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks what this node needs, and says how to mend what is wrong.",
        discussion: """
            State folder, disk, certificate, clock (against the coordinator's; a minute is \
            tolerated), the coordinator's name and its TLS, the feature standard, and whether this \
            bank would consent to the charter that the coordinator would propose. Ends with 0 when nothing is bad, else with 1. While fed-node serves from the \
            same folder, no second connection is made: it would replace the first.
            """)

    @OptionGroup var options: StateOptions
    @Option(help: "The feature standard, JSON; optional.")
    var standard: String?
    @Flag(help: "Print JSON.")
    var json = false

    private struct Report: Encodable {
        let healthy: Bool
        let findings: [NodeDiagnosis.Finding]
    }

    func run() async throws {
        let diagnosis = NodeDiagnosis(
            await NodeExamination(path: options.state, standard: standard).observe())
        if json {
            try ConsoleOutput.json(
                Report(healthy: diagnosis.isHealthy, findings: diagnosis.findings))
        } else {
            ConsoleOutput.table(
                ["check", "verdict", "found"],
                diagnosis.findings.map { [$0.check, $0.verdict.rawValue, $0.detail] })
            for finding in diagnosis.findings where !finding.hint.isEmpty {
                ConsoleOutput.line("to mend \(finding.check): \(finding.hint)")
            }
        }
        guard diagnosis.isHealthy else {
            let bad = diagnosis.findings.filter { $0.verdict == .bad }.map(\.check)
            throw CommandFailure(
                "this node is not fit to serve: \(bad.joined(separator: ", "))",
                hint: "mend them from top to bottom and look again", exitKind: .failure)
        }
    }
}
