internal import ArgumentParser
internal import FedConsole
internal import FedDecision
internal import FedRuntime
internal import FedService

struct VerdictsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verdicts",
        abstract: "Takes reviewers' verdicts in, and shows what follows from them.",
        subcommands: [Import.self, Labels.self, Counts.self])

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Takes a CSV file of verdicts, whole or not at all; again it changes nothing.",
            discussion: "Its header: \(VerdictFile.header.joined(separator: ","))")

        @Option(help: "The folder of fed-node score.")
        var state = "score-state"
        @Argument(help: "The file.")
        var file: String
        @Flag(help: "Print the answer as JSON.")
        var json = false

        func run() async throws {
            let store = try ReviewFolder.open(state)
            let verdicts: [Verdict]
            do {
                verdicts = try VerdictFile.read(try AtomicFile.read(file))
            } catch let error as VerdictError {
                throw CommandFailure("\(file): \(error)", exitKind: .data)
            }
            var before = try await store.ledger()
            var receptions: [VerdictLedger.Reception: Int] = [:]
            for verdict in verdicts { receptions[before.take(verdict), default: 0] += 1 }
            let answer = try await store.take(
                verdicts, key: nil, at: Timestamp.nowUnixMilliseconds() / 1000)
            guard !json else {
                return ConsoleOutput.line(String(decoding: answer.body, as: UTF8.self))
            }
            ConsoleOutput.table(
                ["reception", "verdicts"],
                VerdictLedger.Reception.allCases.compactMap { reception in
                    receptions[reception].map { [reception.rawValue, "\($0)"] }
                })
        }
    }

    struct Labels: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the labels that verdicts give the next run, with their weights.")

        @Option(help: "The folder of fed-node score.")
        var state = "score-state"

        func run() async throws {
            let labels = try await ReviewFolder.open(state).ledger()
                .labels(until: Timestamp.nowUnixMilliseconds() / 1000)
            ConsoleOutput.table(
                ["case", "entity", "fraud", "weight"],
                labels.map { [$0.caseID, $0.entity, "\($0.label)", "\($0.weight)"] })
        }
    }

    struct Counts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists verdicts by entity and day, for the next day's risk indicators.")

        @Option(help: "The folder of fed-node score.")
        var state = "score-state"
        @Option(name: .shortAndLong, help: "Write entity,day,confirmed,cleared to this CSV file.")
        var out: String?

        func run() async throws {
            let counts = try await ReviewFolder.open(state).ledger().dailyCounts()
            if let out {
                let lines = counts.map {
                    "\(Self.quoted($0.entity)),\($0.day),\($0.confirmed),\($0.cleared)\n"
                }
                try AtomicFile.write(
                    Array(("entity,day,confirmed,cleared\n" + lines.joined()).utf8), to: out)
            }
            ConsoleOutput.table(
                ["entity", "day", "confirmed", "cleared"],
                counts.map { [$0.entity, "\($0.day)", "\($0.confirmed)", "\($0.cleared)"] })
        }

        /// RFC 4180.
        private static func quoted(_ text: String) -> String {
            guard text.contains(where: { ",\"".contains($0) }) else { return text }
            return "\""
                + text.split(separator: "\"", omittingEmptySubsequences: false)
                .joined(separator: "\"\"") + "\""
        }
    }
}
