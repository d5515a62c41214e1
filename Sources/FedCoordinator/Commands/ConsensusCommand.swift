internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import FedWire
internal import Foundation

struct ConsensusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consensus",
        abstract: "Puts models to the banks' vote and publishes those that have a quorum.",
        discussion: """
            Each bank examines a candidate on its own recent rows and signs its vote; the figures \
            are added up under masks. Once all have voted, a model with the charter's quorum is \
            published, and each bank verifies the votes itself before it scores with it.
            """,
        subcommands: [Propose.self, Status.self, Publish.self])

    struct Propose: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts a run's model to the vote.")

        @OptionGroup var options: StateOptions
        @Option(help: "The run that trained it; default: the newest with a model.")
        var run: RunID?
        @Option(help: "Days for which it may be activated.")
        var validDays: Double?
        @Flag(help: "Wait until it is published or rejected.")
        var watch = false
        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard (validDays ?? 1) > 0, (validDays ?? 1) <= 3650 else {
                throw ValidationError("--valid-days is out of bounds, expected 0 to 3650")
            }
        }

        func run() async throws {
            let client = try OperatorConsole(options.state).client
            var status = try ConsensusReport(
                try await client.consensus(
                    .propose(
                        run: run, validSeconds: validDays.map { Int64(($0 * 86_400).rounded(.up)) })
                ))
            let version = status.document.version
            while watch, !status.isFinal {
                try await Task.sleep(for: .milliseconds(300))
                status = try ConsensusReport(try await client.consensus(.status))
                guard status.document.version == version else { break }
            }
            status.show(json: json)
            guard !watch || status.document.state == "published" else {
                throw CommandFailure(
                    "version \(version) is \(status.document.state): \(status.document.reason)")
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the newest vote: votes, sums, and what the nodes made of the model.")

        @OptionGroup var options: StateOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try OperatorConsole(options.state).client
            try ConsensusReport(try await client.consensus(.status)).show(json: json)
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publishes the newest vote's model now, without waiting for more votes.")

        @OptionGroup var options: StateOptions
        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let client = try OperatorConsole(options.state).client
            try ConsensusReport(try await client.consensus(.publish)).show(json: json)
        }
    }
}

/// A vote's status for people.
private struct ConsensusReport {
    struct Document: Decodable {
        struct Vote: Decodable {
            let bank: String
            let decision: String
            let reasons: [String]
        }
        struct Node: Decodable {
            let bank: String
            let standing: String
            let reason: String
        }
        struct Sums: Decodable {
            let rows: Int
            let frauds: Int
            let reviewed: Int
            let caught: Int
            let caughtByActive: Int
            let caughtByLocal: Int
        }
        let version: UInt64
        let modelSha256: String
        let state: String
        let reason: String
        let quorum: Int
        let members: [String]
        let votes: [Vote]
        let nodes: [Node]
        let sums: Sums?
    }

    let bytes: [UInt8]
    let document: Document

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        document = try decoder.decode(Document.self, from: Data(bytes))
    }

    var isFinal: Bool { ["published", "rejected", "superseded"].contains(document.state) }

    func show(json: Bool) {
        guard !json else { return ConsoleOutput.line(String(decoding: bytes, as: UTF8.self)) }
        let accepts = document.votes.count { $0.decision == "accept" }
        ConsoleOutput.line(
            """
            version \(document.version): \(document.state)\
            \(document.reason.isEmpty ? "" : ", \(document.reason)")
            model \(document.modelSha256)
            \(accepts) for it of \(document.members.count) banks, the charter wants \
            \(document.quorum)
            """)
        ConsoleOutput.table(
            ["bank", "vote", "reasons", "there"],
            document.members.map { bank in
                let vote = document.votes.first { $0.bank == bank }
                let node = document.nodes.first { $0.bank == bank }
                let there = node.map {
                    $0.reason.isEmpty ? $0.standing : "\($0.standing): \($0.reason)"
                }
                return [
                    bank, vote?.decision ?? "-", vote?.reasons.joined(separator: ", ") ?? "",
                    there ?? "-",
                ]
            })
        guard let sums = document.sums else { return }
        ConsoleOutput.line(
            "all banks, masked sums: \(sums.caught) of \(sums.frauds) frauds caught in "
                + "\(sums.reviewed) of \(sums.rows) rows; by the active models "
                + "\(sums.caughtByActive), by local models alone \(sums.caughtByLocal)")
    }
}
