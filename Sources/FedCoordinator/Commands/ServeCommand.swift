internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedRuntime
internal import Foundation
internal import Logging
internal import ServiceLifecycle

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves banks and operators until it is told to stop.")

    @OptionGroup var options: StateOptions

    @Option(
        help: """
            Seconds that a run waits for a missing bank before it goes on without its bloc. \
            Default: the charter's, \(CoordinatorService.holdSecondsDefault) unless set.
            """)
    var holdSeconds: Int?

    @Option(
        help: """
            Seconds that a bank has to answer in one phase of a run. Default: two and a half \
            times the hold time.
            """)
    var phaseTimeout: Int?

    @Option(
        help:
            """
            Seconds of silence after which a bank counts as gone; it is asked for a sign of life \
            in a third of them. Default: 9.
            """)
    var silenceSeconds = 9

    @Option(
        help: "Ended runs whose masked vectors are kept: they can be replayed, others not.")
    var keepRuns = CoordinatorService.runsKeptDefault

    @Flag(help: "Put each trained model to the banks' vote at once.")
    var proposeModels = false

    @Option(help: "The quietest lines to log: debug, info, warning, error.")
    var logLevel = "info"

    func validate() throws {
        let times: [(String, Int?)] = [
            ("--hold-seconds", holdSeconds), ("--phase-timeout", phaseTimeout),
            ("--silence-seconds", silenceSeconds),
        ]
        for case (let name, .some(let value)) in times where !(1...86_400).contains(value) {
            throw ValidationError("\(name) is \(value), expected 1 to 86400")
        }
        guard keepRuns > 0 else {
            throw ValidationError("--keep-runs is \(keepRuns), expected a positive number")
        }
    }

    func run() async throws {
        Telemetry.start(level: Logger.Level(rawValue: logLevel) ?? .info)
        let logger = Logger(label: "fed-coordinator")
        let state = try await options.lockedCoordinator(waiting: .seconds(5))
        let service = try CoordinatorService(
            state: state, logger: logger, phaseTimeout: phaseTimeout.map { Duration.seconds($0) },
            holdSeconds: holdSeconds, runsKept: keepRuns, proposesModels: proposeModels)
        await service.resume()
        let server = try FederationServer(
            FederationServer.Configuration(
                address: try state.listenAddress, enrolmentAddress: try state.enrolmentAddress,
                credentials: try state.serverCredentials(),
                settings: TransportSettings(silenceMax: .seconds(silenceSeconds))),
            delegate: service, operatorDelegate: service,
            enrolmentDelegate: try state.enrolmentDesk(members: service.store.members))
        logger.info(
            "listening",
            metadata: [
                "address": "\(server.address)",
                "enrolment": "\(server.enrolmentAddress?.description ?? "none")",
            ])
        try await ServiceRunner.run(
            [ListeningService(server: server)], logger: quiet(logger))
        logger.info(
            "stopped",
            metadata: [
                "cpu.seconds": "\(ProcessorTime.seconds())",
                "peak.bytes": "\(PeakMemory.bytes() ?? 0)",
            ])
    }

    /// The lifecycle library's own lines are of no use to an operator.
    private func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = .error
        return quiet
    }
}

/// The listeners as a service.
///
/// A run under way is not ended: the next start goes on with it.
private struct ListeningService: Service {
    let server: FederationServer

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.run()
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }
}

struct InviteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Makes an invitation file for a bank; give it to the bank and to nobody else.")

    @OptionGroup var options: StateOptions
    @Option(help: "The bank's name: letters, digits, - and _.")
    var bank: NodeID
    @Option(help: "Hours until the invitation is void.")
    var hours = 72
    @Option(name: .shortAndLong, help: "The file to write. Default: NAME.invitation.json.")
    var out: String?

    func run() async throws {
        guard hours > 0 else {
            throw ValidationError("--hours is \(hours), expected a positive number")
        }
        let path = out ?? "\(bank).invitation.json"
        try AtomicFile.write(try await invitation(validFor: .seconds(hours * 3600)), to: path)
        ConsoleOutput.line(
            """
            invitation for bank \(bank): \(path) (valid for \(hours) hours, works once)
            the bank runs: fed-node enrol --invitation \(path)
            """)
    }

    /// A coordinator that serves makes it; else the state folder is free and is used directly.
    ///
    /// One that holds the folder and does not listen is being started, or is another command.
    private func invitation(validFor: Duration) async throws -> [UInt8] {
        let deadline = ContinuousClock.now + .seconds(10)
        var settings = TransportSettings()
        settings.patience = .zero
        while true {
            do {
                let state = try options.lockedCoordinator()
                let store = try CoordinatorStore(in: state.folder)
                return try state.invitation(
                    for: bank, validFor: validFor, members: store.members
                ).json
            } catch StoreError.locked {}
            do {
                return try await OperatorConsole(options.state, settings: settings).client
                    .createInvitation(for: bank, validFor: validFor)
            } catch OperatorError.transport(.unreachable)
                where ContinuousClock.now < deadline
            {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}
