internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedFiles

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a bank's data: feature files against a standard, or raw transactions.",
        discussion: """
            Feature files: every violation with file, row and column. With --derivation the files \
            are raw transactions (FILE.csv or FILE.sqlite?table=NAME): the first fault, or for \
            each raw column and each feature that is derived the share missing and the range. \
            With --against a joint model of trees, also how far each feature has moved from the \
            model's grid, and whether its unit is that of the other banks: the grid comes from \
            masked counts of all banks' rows.

            Exit codes: 0 no violation, 65 violations, 66 a file is missing or cannot be read.
            """)

    @Option(help: "The feature standard, JSON.")
    var standard: String
    @Option(help: "The derivation, JSON: the files are raw transactions.")
    var derivation: String?
    @Option(
        name: .customLong("column"),
        help: "A raw column under the bank's own name, derivation=bank; may be repeated.")
    var columns: [String] = []
    @Option(
        name: [.customLong("table"), .customLong("indicators")],
        help: "A published table of an indicator, or a folder of them; may be repeated.")
    var tables: [String] = []
    @Option(help: "The banks' indicator key, as fed-node indicator-key export writes it.")
    var indicatorKey: String?
    @Option(help: "A joint model of trees, whose grid the features are held against.")
    var against: String?
    @Option(help: "How many violations of a file are shown; all are counted.")
    var limit = 100
    @Flag(help: "Columns that the standard does not have are passed over.")
    var ignoreUnknownColumns = false
    @Flag(help: "Print JSON.")
    var json = false
    @Argument(help: "Data files.")
    var files: [String]

    func run() async throws {
        let standard = try StandardFile.read(standard)
        let quantiles = try against.map { try grid($0, standard: standard) } ?? [:]
        let errors: Int
        let worst: CheckReport.ExitKind
        if let derivation {
            (errors, worst) = try checkRaw(
                try DerivationFile.read(derivation), standard: standard, quantiles: quantiles)
        } else {
            (errors, worst) = checkFeatures(standard: standard, quantiles: quantiles)
        }
        guard worst >= .violations else { return }
        throw CommandFailure(
            "\(errors) violation\(errors == 1 ? "" : "s") of standard \(standard.name) "
                + "\(standard.version)",
            exitKind: worst == .unreadable ? .noInput : .data)
    }

    private func grid(
        _ path: String, standard: FeatureStandard
    ) throws -> [String: [Double]] {
        let model = try ModelFile.read(path)
        guard case .boosting(let trees) = model, model.standardDigest == standard.sha256 else {
            throw CommandFailure(
                "\(path) is not a model of trees on standard \(standard.name)", exitKind: .data)
        }
        return trees.consortiumQuantiles
    }

    private func checkFeatures(
        standard: FeatureStandard, quantiles: [String: [Double]]
    ) -> (errors: Int, worst: CheckReport.ExitKind) {
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
            guard !quantiles.isEmpty, report.exitKind == .clean,
                let rows = try? DatasetLoader.load(
                    path: file, standard: standard, options: options)
            else { continue }
            let profile = ProfileReport(
                file: report.file, profile: TableProfile(of: rows, standard: standard),
                standard: standard, quantiles: quantiles)
            tell(profile, &errors, &worst)
        }
        return (errors, worst)
    }

    private func checkRaw(
        _ derivation: Derivation, standard: FeatureStandard, quantiles: [String: [Double]]
    ) throws -> (errors: Int, worst: CheckReport.ExitKind) {
        let published = try DerivationFile.tables(tables, of: derivation)
        let secrets = try IndicatorSecrets(key: try indicatorKey.map(IndicatorKeyFile.read))
        let mapping = try DerivationFile.mapping(columns)
        do { try derivation.requireFeeding(standard) } catch {
            throw CommandFailure("\(error)", exitKind: .data)
        }
        var errors = 0
        var worst = CheckReport.ExitKind.clean
        for file in files {
            do throws(FeatureBuilderError) {
                let profile = try TableProfile(
                    raw: file, mapping: mapping, derivation: derivation, tables: published,
                    secrets: secrets)
                tell(
                    ProfileReport(
                        file: RawInput(file).name, profile: profile, standard: standard,
                        quantiles: quantiles), &errors, &worst)
            } catch {
                errors += 1
                let kind = CommandFailure(error).exitKind
                worst = max(worst, kind == .noInput ? .unreadable : .violations)
                if json {
                    let fault = CanonicalJSON.object([
                        "file": .string(RawInput(file).name), "fault": .string(error.description),
                    ])
                    ConsoleOutput.line(String(decoding: fault.bytes, as: UTF8.self))
                } else {
                    ConsoleOutput.line(error.description)
                }
            }
        }
        return (errors, worst)
    }

    private func tell(
        _ report: ProfileReport, _ errors: inout Int, _ worst: inout CheckReport.ExitKind
    ) {
        errors += report.violationCount
        if report.violationCount > 0 { worst = max(worst, .violations) }
        if json {
            ConsoleOutput.line(String(decoding: report.json.bytes, as: UTF8.self))
        } else {
            report.show()
        }
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
