internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedFiles

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks data files against a feature standard and reports every violation.",
        discussion: """
            Exit codes: 0 no violation, 65 violations, 66 a file is missing or cannot be read.
            """)

    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "How many violations of a file are shown; all are counted.")
    var limit = 100
    @Flag(help: "Columns that the standard does not have are passed over.")
    var ignoreUnknownColumns = false
    @Flag(help: "Print JSON.")
    var json = false
    @Argument(help: "Data files, CSV.")
    var files: [String]

    func run() async throws {
        let standard = try StandardFile.read(standard)
        var options = DatasetLoader.Options()
        options.ignoresUnknownColumns = ignoreUnknownColumns
        var errors = 0
        var worst = CheckReport.ExitKind.clean
        for file in files {
            let report = DataCheck.check(
                path: file, standard: standard, limit: limit, options: options)
            errors += report.violations.errorCount
            worst = max(worst, report.exitKind)
            if json {
                ConsoleOutput.line(String(decoding: report.jsonBytes, as: UTF8.self))
            } else {
                show(report)
            }
        }
        guard worst >= .violations else { return }
        throw CommandFailure(
            "\(errors) violation\(errors == 1 ? "" : "s") of standard \(standard.name) "
                + "\(standard.version)",
            exitKind: worst == .unreadable ? .noInput : .data)
    }

    private func show(_ report: CheckReport) {
        for violation in report.violations.first { ConsoleOutput.line(violation.description) }
        let hidden =
            report.violations.errorCount + report.violations.warningCount
            - report.violations.first.count
        if hidden > 0 { ConsoleOutput.line("… and \(hidden) more") }
        ConsoleOutput.line(
            "\(report.file): \(report.rowCount) rows, \(report.fraudCount) frauds, "
                + "\(report.violations.errorCount) violations")
    }
}
