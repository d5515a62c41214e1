internal import FedCore
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// Who calls, as their TLS certificate says.
struct Caller: Sendable {
    let identity: PeerIdentity
    /// The certificate's serial number, hexadecimal.
    let serial: String

    /// The caller of the current request; set by ``CallerInterceptor`` for every method.
    @TaskLocal static var current: Caller?
}

/// Lets a request pass only when its certificate names somebody who may call the service.
struct CallerInterceptor: ServerInterceptor {
    /// Whether this identity may call the service of this full name.
    let permits: @Sendable (_ identity: PeerIdentity, _ service: String) -> Bool

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @Sendable (
                _ request: StreamingServerRequest<Input>, _ context: ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let transport = context.transportSpecific as? HTTP2ServerTransport.Posix.Context
        guard let certificate = transport?.peerCertificate,
            let identity = PeerIdentity(certificate: certificate),
            permits(identity, context.descriptor.service.fullyQualifiedService)
        else { throw TransportFailure.rpcError(.wrongRole) }
        let caller = Caller(identity: identity, serial: certificate.serialHexadecimal)
        return try await Caller.$current.withValue(caller) { try await next(request, context) }
    }
}
