internal import ArgumentParser
package import FedConsole
internal import FedCore
internal import FedDecision
internal import FedRuntime

extension StateOptions {
    /// The node's models, also while it serves.
    func models() throws -> (NodeModels, NodeStore) {
        let folder = try NodeState(in: try StateDirectory(reading: state)).folder
        let store = try NodeStore(in: folder)
        return (NodeModels(store: store, folder: folder), store)
    }
}

extension ModelChangeFailure: ExitingError {
    package var exitKind: ExitKind { .data }
}

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "Lists the models that this bank has voted on, and what they are to it.",
        discussion: """
            champion: it scores. challenger: admitted, and waits for fed-node activate. former: \
            scored before, fed-node rollback brings the last one back. candidate: voted on only.
            """)

    @OptionGroup var options: StateOptions
    @Flag(help: "List what happened to them, the oldest first.")
    var log = false
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let (models, store) = try options.models()
        if log { return try show(try store.models.log()) }
        let registry = try models.registry()
        let lines = try store.models.candidates().map { try Line($0, registry) }
        guard !json else { return try ConsoleOutput.json(lines) }
        ConsoleOutput.table(
            ["version", "standing", "vote", "reasons", "bank's rule", "model"],
            lines.map {
                [
                    "\($0.version)", $0.standing, $0.vote, $0.reasons.joined(separator: ", "),
                    $0.rule, $0.modelSHA256,
                ]
            })
    }

    private func show(_ log: [ModelLogLine]) throws {
        struct Entry: Encodable {
            let unixMs: Int64
            let version: UInt64
            let event: String
            let reason: String
        }
        guard !json else {
            return try ConsoleOutput.json(
                log.map {
                    Entry(
                        unixMs: $0.unixMilliseconds, version: $0.version, event: $0.event,
                        reason: $0.reason)
                })
        }
        ConsoleOutput.table(
            ["when", "version", "event", "reason"],
            log.map {
                [
                    Timestamp.text(unixSeconds: $0.unixMilliseconds / 1000), "\($0.version)",
                    $0.event, $0.reason,
                ]
            })
    }

    struct Line: Encodable {
        let version: UInt64
        let standing: String
        let vote: String
        let reasons: [String]
        let rule: String
        let modelSHA256: String
        let bankModelSHA256: String
        let expiresUnixSeconds: Int64

        init(_ record: CandidateRecord, _ registry: ModelRegistry) throws {
            let vote = try ModelVote(bytes: record.vote)
            let candidate = try ModelCandidate(bytes: record.candidate)
            let model = try BankModel(bytes: record.bankModel)
            version = record.version
            standing = registry.standing(of: record.version).rawValue
            self.vote = vote.decision.name
            reasons = vote.reasons.map(\.name)
            rule = model.choice.rule.kind.name.rawValue
            modelSHA256 = candidate.modelDigest.hexadecimal
            bankModelSHA256 = model.digest.hexadecimal
            expiresUnixSeconds = candidate.validity.upperBound
        }
    }
}

struct ActivateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Lets the challenger score, also while the node serves.")

    @OptionGroup var options: StateOptions
    @Argument(help: "The challenger's version, as fed-node models lists it.")
    var version: UInt64

    func run() async throws {
        let (models, _) = try options.models()
        try models.activate(version, now: Timestamp.nowUnixMilliseconds())
        ConsoleOutput.line("version \(version) is active")
    }
}

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Lets the model that scored before score again, at once and without a vote.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let (models, _) = try options.models()
        let left = try models.registry().champion?.version
        let version = try models.rollBack(now: Timestamp.nowUnixMilliseconds())
        ConsoleOutput.line(
            "version \(version) is active again" + (left.map { ", version \($0) is not" } ?? ""))
    }
}
