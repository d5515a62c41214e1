internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedService

struct ShadowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shadow",
        abstract: "Compares challengers with the model that answers, on the same transactions.",
        discussion: """
            fed-node score lets challengers score in shadow: with --node the model that the banks \
            have published and the candidate that this node has voted on, else the file of \
            --challenger. For each list it keeps whom the challenger would have listed in \
            the ranked places; frauds are those that reviewers confirmed or that are known from \
            elsewhere, so what only the challenger would have listed is known in part.
            """)

    @Option(help: "The folder of fed-node score.")
    var state = "score-state"
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let comparisons = try await ReviewFolder.open(state).shadowComparisons()
        guard !json else {
            let document = CanonicalJSON.array(comparisons.map(\.json))
            return ConsoleOutput.line(String(decoding: document.bytes, as: UTF8.self))
        }
        guard !comparisons.isEmpty else {
            return ConsoleOutput.line("no challenger has scored in shadow")
        }
        ConsoleOutput.table(
            [
                "challenger", "transactions", "mean difference", "lists", "agreement",
                "listed: both", "champion", "challenger", "frauds: both", "champion",
                "challenger",
            ],
            comparisons.map { found in
                [
                    String(found.model.prefix(16)), "\(found.transactions)",
                    Self.text(found.meanDifference), "\(found.lists)",
                    found.agreement.map { Self.text(100 * $0) + " %" } ?? "-",
                    "\(found.listedByBoth)", "\(found.listedByChampionOnly)",
                    "\(found.listedByChallengerOnly)", "\(found.fraudsOfBoth)",
                    "\(found.fraudsOfChampionOnly)", "\(found.fraudsOfChallengerOnly)",
                ]
            })
    }

    /// Four digits behind the point.
    private static func text(_ value: Double) -> String {
        "\((value * 10_000).rounded() / 10_000)"
    }
}
