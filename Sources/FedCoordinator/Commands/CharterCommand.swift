internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import FedWire

/// The terms of the charter as options.
struct CharterOptions: ParsableArguments {
    @Option(
        name: .customLong("bloc"),
        help: ArgumentHelp(
            """
            Banks that enter and leave sums together, such as A,B,C; repeat until all are named. \
            Default: blocs of three by name.
            """, valueName: "banks"))
    var blocs: [String] = []
    @Option(
        help: "The fewest banks of a sum. Default: the collusion bound plus 2, at least 3.")
    var banksMin: Int?
    @Option(
        help: """
            Banks that may collude with the coordinator. Default: a third of the others, at \
            least 1.
            """)
    var collusionBound: Int?
    @Option(
        help: "Banks that may fail within one sum. Default: an eighth, at least 1; 0 of three.")
    var failureTolerance: Int?
    @Option(help: "The fewest banks behind a split that a run may ask for. Default: 1.")
    var contributorsFloor: Int?
    @Option(help: "The fewest rows behind a split that a run may ask for. Default: 1.")
    var rowsFloor: Int?
    @Option(
        help: """
            Seconds that a run waits for a missing bank before it goes on without its bloc. \
            Default: \(CoordinatorService.holdSecondsDefault).
            """)
    var holdSeconds: Int?
    @Option(
        help: "Banks that must vote for a model. Default: two thirds of them, at least 3.")
    var votesMin: Int?

    func validate() throws {
        let floors = [
            ("--banks-min", banksMin, 3), ("--collusion-bound", collusionBound, 0),
            ("--failure-tolerance", failureTolerance, 0),
            ("--contributors-floor", contributorsFloor, 1), ("--rows-floor", rowsFloor, 1),
            ("--hold-seconds", holdSeconds, 1), ("--votes-min", votesMin, 2),
        ]
        for case (let name, .some(let value), let least) in floors where value < least {
            throw ValidationError("\(name) is \(value), expected at least \(least)")
        }
        _ = try terms
    }

    /// What was set.
    var terms: CharterTerms {
        get throws {
            var terms = CharterTerms()
            if !blocs.isEmpty {
                terms.blocs = try blocs.map { bloc in
                    let names = bloc.split(separator: ",", omittingEmptySubsequences: false)
                    return try names.map { name in
                        guard let bank = NodeID(String(name)) else {
                            throw ValidationError(
                                "--bloc \(bloc): \"\(name)\" is no bank's name, expected names "
                                    + "with commas between them")
                        }
                        return bank.name
                    }
                }
            }
            terms.banksMin = banksMin
            terms.collusionBound = collusionBound
            terms.failureTolerance = failureTolerance
            terms.contributorsFloor = contributorsFloor
            terms.rowsFloor = rowsFloor
            terms.holdSeconds = holdSeconds
            terms.votesMin = votesMin
            return terms
        }
    }
}

struct CharterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "charter",
        abstract: "Shows the charter of the members, or changes its terms for later runs.",
        discussion: """
            Every bank consents to the charter with each run. A bank refuses one that protects less \
            than the last: fewer banks in a sum, fewer that may collude, lower floors. So begin with \
            what all can live with. Without options, nothing is changed.
            """)

    @OptionGroup var options: StateOptions
    @OptionGroup(title: "Terms") var charter: CharterOptions
    @Flag(help: "Print JSON.")
    var json = false

    private struct Report: Encodable {
        let banks: [String]
        let blocs: [[String]]
        let banksMin: Int
        let rosterMin: Int
        let collusionBound: Int
        let failureTolerance: Int
        let threshold: Int
        let contributorsFloor: Int
        let rowsFloor: Int
        let holdSeconds: Int
        let votesMin: Int
        let sha256: String

        init(_ charter: Charter) {
            banks = charter.roster.banks.map(\.name)
            blocs = charter.blocs.map { $0.map(\.name) }
            banksMin = charter.banksMin
            rosterMin = charter.rosterMin
            collusionBound = charter.collusionBound
            failureTolerance = charter.failureTolerance
            threshold = charter.threshold
            contributorsFloor = charter.contributorsFloor
            rowsFloor = charter.rowsFloor
            holdSeconds = charter.holdSeconds
            votesMin = charter.votesMin
            sha256 = charter.digest.hexadecimal
        }

        var text: String {
            """
            banks                \(banks.joined(separator: ", "))
            blocs                \(blocs.map { $0.joined(separator: ",") }.joined(separator: "  "))
            banks in a sum       at least \(rosterMin) (asked for: \(banksMin)), whole blocs
            may collude          \(collusionBound)
            may fail in a sum    \(failureTolerance): \(threshold) shares recover a gate
            floors               \(contributorsFloor) contributing banks, \(rowsFloor) rows
            a missing bank       is waited for \(holdSeconds) s
            a model              needs \(votesMin) votes
            sha256               \(sha256)
            """
        }
    }

    func run() async throws {
        let state = try CoordinatorState(in: try StateDirectory(reading: options.state))
        let before = try CharterTerms(in: state.folder)
        let terms = before.overridden(by: try charter.terms)
        let members = try CoordinatorStore(in: state.folder).members.members()
            .filter { $0.state == .active }
            .compactMap { Member(bank: $0.bank, identityKey: $0.identityKey) }
        let report: Report?
        do {
            report =
                members.count < Roster.banksMin
                ? nil : Report(try terms.charter(of: try Roster(members)))
        } catch {
            throw CommandFailure(
                "no charter for \(members.map(\.bank.name).joined(separator: ", ")): \(error)",
                hint: "nothing was changed; see fed-coordinator charter --help", exitKind: .data)
        }
        if terms != before { try terms.write(to: state.folder) }
        guard let report else {
            return ConsoleOutput.line(
                "\(members.count) of at least \(Roster.banksMin) banks have enrolled; "
                    + "the terms apply when they have")
        }
        if json { return try ConsoleOutput.json(report) }
        ConsoleOutput.line(report.text)
    }
}
