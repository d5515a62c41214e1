public import FedCore
internal import FedWire
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import NIOPosix

/// The coordinator's listeners: the main one with mutual TLS, and the enrolment one.
public final class FederationServer: Sendable {
    /// What a server needs to know.
    public struct Configuration: Sendable {
        /// Where banks and operators connect.
        public var address: HostAddress
        /// Where invited banks enrol; `nil` for no enrolment.
        public var enrolmentAddress: HostAddress?
        /// The server's certificate and the authority whose clients it accepts.
        public var credentials: Credentials
        /// The connection's settings.
        public var settings: TransportSettings

        /// Puts a configuration together.
        public init(
            address: HostAddress, enrolmentAddress: HostAddress? = nil, credentials: Credentials,
            settings: TransportSettings = TransportSettings()
        ) {
            self.address = address
            self.enrolmentAddress = enrolmentAddress
            self.credentials = credentials
            self.settings = settings
        }
    }

    /// Where banks and operators connect, with the port that was given.
    public let address: HostAddress
    /// Where invited banks enrol, with the port that was given.
    public let enrolmentAddress: HostAddress?
    /// The one thread of all banks' connections, and of the tasks that serve them: a coordinator takes
    /// one step after the other, so a second thread would only be handed what the first has read.
    ///
    /// It ends with the process, as the library's own threads do.
    private static let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let registry = ConnectionRegistry()
    private let main: GRPCServer<HTTP2ServerTransport.Posix>
    private let enrolment: GRPCServer<HTTP2ServerTransport.Posix>?

    /// Takes both ports; connections are served by ``run()``.
    ///
    /// - Throws: ``TransportError/addressInUse(_:)`` and its like.
    public init(
        _ configuration: Configuration,
        delegate: any FederationDelegate,
        operatorDelegate: any OperatorDelegate,
        enrolmentDelegate: (any EnrolmentDelegate)? = nil
    ) throws(TransportError) {
        let socket = try ListeningSocket(configuration.address)
        address = socket.address
        let wanted = enrolmentDelegate == nil ? nil : configuration.enrolmentAddress
        let enrolmentSocket: ListeningSocket?
        if let wanted {
            enrolmentSocket = try ListeningSocket(wanted)
        } else {
            enrolmentSocket = nil
        }
        main = Self.server(
            socket, configuration, on: Self.thread, clientCertificates: .noHostnameVerification,
            services: [
                FederationService(
                    delegate: delegate, registry: registry, settings: configuration.settings),
                OperatorService(delegate: operatorDelegate, registry: registry),
            ],
            interceptors: [CallerInterceptor(permits: Self.permits)])
        enrolmentAddress = enrolmentSocket?.address
        guard let enrolmentSocket, let enrolmentDelegate else {
            enrolment = nil
            return
        }
        enrolment = Self.server(
            enrolmentSocket, configuration, on: .singleton, clientCertificates: .noVerification,
            services: [EnrolmentService(delegate: enrolmentDelegate)], interceptors: [])
    }

    /// Serves until ``beginGracefulShutdown()`` or cancellation.
    ///
    /// A graceful shutdown of the task does not end it: who runs it may have something to tell
    /// the banks first.
    public func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let executor = EventLoopExecutor(Self.thread.next())
            group.addTask(executorPreference: executor) { [main] in try await main.serve() }
            if let enrolment { group.addTask { try await enrolment.serve() } }
            // Either listener's end is the end of both.
            try await group.next()
            beginGracefulShutdown()
            try await group.waitForAll()
        }
    }

    /// Ends all connections with the reason and stops listening.
    public func beginGracefulShutdown() {
        registry.stop()
        main.beginGracefulShutdown()
        enrolment?.beginGracefulShutdown()
    }

    /// The banks that are connected now.
    public var connectedBanks: Set<NodeID> { registry.banks }

    /// Closes a bank's connection, telling it why.
    ///
    /// ``FederationDelegate/admission(of:serial:)`` must already refuse the bank, or it will be
    /// back.
    public func disconnect(_ bank: NodeID, because refusal: Refusal) {
        registry.end(bank, refusal)
    }

    private static func permits(_ identity: PeerIdentity, service: String) -> Bool {
        switch identity {
        case .bank: service == Fed_V1_Federation.descriptor.fullyQualifiedService
        case .operatorConsole: service == Fed_V1_Operator.descriptor.fullyQualifiedService
        case .coordinator: false
        }
    }

    private static func server(
        _ socket: ListeningSocket, _ configuration: Configuration,
        on threads: MultiThreadedEventLoopGroup,
        clientCertificates: TLSConfig.CertificateVerification,
        services: [any RegistrableRPCService], interceptors: [any ServerInterceptor]
    ) -> GRPCServer<HTTP2ServerTransport.Posix> {
        let credentials = configuration.credentials
        return GRPCServer(
            transport: .http2NIOPosix(
                listeningSocketDescriptor: Int(socket.descriptor),
                transportSecurity: .tls(
                    certificateChain: [credentials.certificateSource],
                    privateKey: credentials.keySource
                ) { tls in
                    tls.clientCertificateVerification = clientCertificates
                    tls.trustRoots = .certificates([credentials.authoritySource])
                    tls.requireALPN = true
                },
                config: configuration.settings.serverConfiguration(
                    onAccept: ConnectionTap(settings: configuration.settings)),
                eventLoopGroup: threads),
            services: services, interceptors: interceptors)
    }
}

extension Credentials {
    var certificateSource: TLSConfig.CertificateSource {
        .bytes(Array(certificatePEM.utf8), format: .pem)
    }

    var authoritySource: TLSConfig.CertificateSource {
        .bytes(Array(authorityPEM.utf8), format: .pem)
    }

    var keySource: TLSConfig.PrivateKeySource {
        .bytes(Array(key.secretPEM.utf8), format: .pem)
    }
}
