internal import FedCore
internal import FedWire
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
package import Logging
internal import ServiceLifecycle

/// The scoring service over gRPC, on a port of its own: the same path to a score as over HTTP,
/// under the same limits, with the same certificates and token.
package struct GRPCScoring: Service {
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// Sets the service up beside a scoring service.
    ///
    /// - Parameter onListening: called with the port once requests are taken.
    /// - Throws: ``ServiceError/tlsRequired(host:)``,
    ///   ``ServiceError/authenticationRequired(host:)``.
    package init(
        _ service: ScoringService, host: String, port: Int, logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws(ServiceError) {
        var configuration = service.configuration
        configuration.host = host
        try configuration.check()
        self.logger = logger
        self.onListening = onListening
        server = GRPCServer(
            transport: .http2NIOPosix(
                address: host.contains(":")
                    ? .ipv6(host: host, port: port)
                    : .ipv4(host: host == "localhost" ? "127.0.0.1" : host, port: port),
                transportSecurity: configuration.tls?.transportSecurity ?? .plaintext,
                config: .defaults { config in
                    // A window that holds a batch, and answers that are not held back.
                    config.http2.targetWindowSize = 1 << 20
                    config.connection.flushCoalescing = nil
                    config.rpc.maxRequestPayloadSize = configuration.limits.bodyBytesMax
                }),
            services: [GRPCScoringCalls(desk: service.desk)],
            interceptors: configuration.token.map { [TokenInterceptor(token: $0)] } ?? [])
    }

    /// Serves until a graceful shutdown.
    package func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.serve() }
                if let address = try await server.listeningAddress {
                    let port = address.ipv4?.port ?? address.ipv6?.port ?? 0
                    logger.info("scoring over gRPC", metadata: ["address": "\(address)"])
                    onListening(port)
                }
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }
}

extension ServiceTLS {
    /// The same certificates for gRPC.
    var transportSecurity: HTTP2ServerTransport.Posix.TransportSecurity {
        .tls(
            certificateChain: [.bytes(pem.chain, format: .pem)],
            privateKey: .bytes(pem.key, format: .pem)
        ) { [pem] tls in
            tls.requireALPN = true
            guard let callers = pem.callers else { return }
            tls.trustRoots = .certificates([.bytes(callers, format: .pem)])
            tls.clientCertificateVerification = .noHostnameVerification
        }
    }
}

/// Lets calls through that show the service's token.
private struct TokenInterceptor: ServerInterceptor {
    let token: AccessToken

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next:
            @Sendable (StreamingServerRequest<Input>, ServerContext) async throws ->
            StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let shown = request.metadata[stringValues: "authorization"].contains { header in
            let scheme = "bearer "
            return header.prefix(scheme.count).lowercased() == scheme
                && token.isShown(by: header.dropFirst(scheme.count).utf8)
        }
        guard shown else {
            throw RPCError(
                code: .unauthenticated,
                message: "expected the metadata authorization: Bearer and the service's token")
        }
        return try await next(request, context)
    }
}
