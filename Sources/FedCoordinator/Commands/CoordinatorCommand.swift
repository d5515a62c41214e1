package import ArgumentParser
package import FedConsole
internal import FedCore
internal import FedRuntime
internal import FedWire

/// `fed-coordinator`.
package struct CoordinatorCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "fed-coordinator",
        abstract: "Drives joint training of banks; sees sums over all banks and nothing else.",
        discussion: """
            A first run: init, serve (leave it running), invite each bank, wait until the banks have \
            enrolled and serve, then run start.
            """,
        subcommands: [
            InitCommand.self, ServeCommand.self, InviteCommand.self, MembersCommand.self,
            RevokeCommand.self, CharterCommand.self, RunCommand.self, ConsensusCommand.self,
            EffectCommand.self, ModelCommand.self,
        ])

    package init() {}
}

/// Options that every command shares.
struct StateOptions: ParsableArguments {
    @Option(name: .long, help: "The coordinator's state folder.")
    var state = "coordinator-state"

    /// The coordinator in the folder, which stays locked as long as the value lives.
    ///
    /// Looks before it locks, so that a mistyped path makes no folder.
    func lockedCoordinator() throws -> CoordinatorState {
        _ = try CoordinatorState(in: try StateDirectory(reading: state))
        return try CoordinatorState(in: try StateDirectory(state))
    }

    /// The same once another command has let go of the folder, which takes a moment; a service
    /// keeps it, which is an error after some seconds.
    func lockedCoordinator(waiting patience: Duration) async throws -> CoordinatorState {
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try lockedCoordinator()
            } catch StoreError.locked where ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }
}

extension CoordinatorFailure: ExitingError {
    package var exitKind: ExitKind {
        switch self {
        case .alreadyInitialised: .cannotCreate
        case .notInitialised, .noRun, .pruned: .noInput
        }
    }
}

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Makes a coordinator: state folder, certificate authority, keys.")

    @OptionGroup var options: StateOptions

    @Option(help: "Where banks and operators connect, host:port.")
    var listen = "127.0.0.1:7443"

    @Option(help: "Where invited banks enrol, host:port. Default: the port after --listen's.")
    var enrolment: String?

    @Option(
        name: .customLong("host"),
        help: "A host name or address by which banks reach the coordinator; may be repeated.")
    var hosts: [String] = []

    @OptionGroup(title: "Terms of the charter; later: fed-coordinator charter")
    var charter: CharterOptions

    func run() async throws {
        let listen = try HostAddress(listen)
        let enrolment =
            try enrolment.map { text throws in try HostAddress(text) }
            ?? HostAddress(host: listen.host, port: listen.port + 1)
        let folder = try StateDirectory(options.state)
        let terms = try charter.terms
        try CoordinatorState.create(
            in: folder,
            addresses: CoordinatorState.Addresses(
                listen: listen.description, enrolment: enrolment.description,
                hosts: hosts.isEmpty ? [listen.host] : hosts))
        if terms != CharterTerms() { try terms.write(to: folder) }
        ConsoleOutput.line(
            """
            coordinator made in \(options.state)
            banks connect to \(listen), enrol at \(enrolment)
            next: fed-coordinator serve --state \(options.state)
            """)
    }
}

struct MembersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "members", abstract: "Lists the banks: state, connection, fingerprint.")

    @OptionGroup var options: StateOptions
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let members = try await OperatorConsole(options.state).client.members()
        if json {
            struct Line: Encodable {
                let bank: String
                let state: String
                let connected: Bool
                let identityKey: String
            }
            return try ConsoleOutput.json(
                members.map {
                    Line(
                        bank: $0.bank.name, state: $0.state.rawValue, connected: $0.isConnected,
                        identityKey: $0.identityKey.hexadecimal)
                })
        }
        ConsoleOutput.table(
            ["bank", "state", "connected", "certificate until", "identity key"],
            members.map {
                [
                    $0.bank.name, $0.state.rawValue, $0.isConnected ? "yes" : "no",
                    $0.certificateExpiresUnixMilliseconds == 0
                        ? "-"
                        : Timestamp.text(
                            unixSeconds: $0.certificateExpiresUnixMilliseconds / 1000),
                    $0.identityKey.isEmpty ? "-" : $0.identityKey.hexadecimal,
                ]
            })
    }
}

struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Shuts a bank out at once; its certificate is void.")

    @OptionGroup var options: StateOptions
    @Option(help: "The bank's name.")
    var bank: NodeID

    func run() async throws {
        let member = try await OperatorConsole(options.state).client.revokeMember(bank)
        ConsoleOutput.line("bank \(member.bank): \(member.state.rawValue)")
    }
}

struct ModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Writes a trained model's file.")

    @OptionGroup var options: StateOptions
    @Argument(help: "The model's SHA-256, as `run status` shows it.")
    var sha256: String
    @Option(name: .shortAndLong, help: "The file to write.")
    var out: String

    func run() async throws {
        let bytes = try await OperatorConsole(options.state).client.model(sha256: sha256)
        try AtomicFile.write(bytes, to: out)
        ConsoleOutput.line("\(out): \(bytes.count) bytes")
    }
}

/// The operator's client, from the certificates in the state folder.
struct OperatorConsole {
    let client: OperatorClient

    /// - Parameter settings: the patience with a coordinator that does not listen yet.
    init(_ state: String, settings: TransportSettings = TransportSettings()) throws {
        let state = try CoordinatorState(in: try StateDirectory(reading: state))
        client = OperatorClient(
            address: state.advertised(try state.listenAddress),
            credentials: try state.operatorCredentials(), settings: settings)
    }
}
