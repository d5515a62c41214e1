internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import NIOPosix

/// Makes the client's side of a connection.
enum ClientTransport {
    /// A transport to one address, whose certificate must be the authority's and name the host.
    ///
    /// - Parameters:
    ///   - credentials: the client's own; `nil` to show none.
    ///   - loop: where the connection lives.
    static func make(
        to address: HostAddress, authorityPEM: String, credentials: Credentials?,
        settings: TransportSettings, tap: ConnectionTap,
        on loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    ) throws(TransportError) -> HTTP2ClientTransport.Posix {
        let roots = TLSConfig.TrustRootsSource.certificates([
            .bytes(Array(authorityPEM.utf8), format: .pem)
        ])
        let security: HTTP2ClientTransport.Posix.TransportSecurity
        if let credentials {
            security = .mTLS(
                certificateChain: [credentials.certificateSource],
                privateKey: credentials.keySource
            ) { $0.trustRoots = roots }
        } else {
            security = .tls { $0.trustRoots = roots }
        }
        do {
            return try HTTP2ClientTransport.Posix(
                target: target(address), transportSecurity: security,
                config: settings.clientConfiguration(onConnect: tap), eventLoopGroup: loop)
        } catch {
            throw TransportFailure.connecting(error, first: nil, to: address)
        }
    }

    private static func target(_ address: HostAddress) -> any ResolvableTarget {
        guard let bytes = IPAddressBytes.parse(address.host) else {
            return ResolvableTargets.DNS(host: address.host, port: address.port)
        }
        return bytes.count == 4
            ? ResolvableTargets.IPv4(addresses: [
                SocketAddress.IPv4(host: address.host, port: address.port)
            ])
            : ResolvableTargets.IPv6(addresses: [
                SocketAddress.IPv6(host: address.host, port: address.port)
            ])
    }
}
