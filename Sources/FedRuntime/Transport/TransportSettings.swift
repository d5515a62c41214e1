public import FedWire
internal import GRPCNIOTransportHTTP2Posix

/// The few settings of the connection; both ends use the same values.
public struct TransportSettings: Sendable {
    /// How long making a connection may take.
    public var connectTimeout: Duration
    /// A peer that has been silent for so long is asked for a sign of life.
    public var pingAfter: Duration
    /// A peer that does not answer that within so long is gone.
    public var pingTimeout: Duration
    /// Larger messages are refused.
    public var messageBytesMax: Int

    /// Settings under which a silent peer is noticed within 10 s.
    public init(
        connectTimeout: Duration = .seconds(10), pingAfter: Duration = .seconds(4),
        pingTimeout: Duration = .seconds(5), messageBytesMax: Int = FramingLimits.messageBytesMax
    ) {
        self.connectTimeout = connectTimeout
        self.pingAfter = pingAfter
        self.pingTimeout = pingTimeout
        self.messageBytesMax = messageBytesMax
    }

    /// Flow-control window, bytes.
    ///
    /// With the library's defaults (64 KiB at the server, 8 MiB at the client) large messages are
    /// two to ten times slower, and 8 MiB has broken streams.
    static let windowBytes = 1 << 20
    /// One gRPC message: a frame and its header.
    static let payloadBytesMax = FramingLimits.frameBytesMax + 1024

    /// The server's half.
    func serverConfiguration(
        onAccept tap: ConnectionTap
    ) -> HTTP2ServerTransport.Posix.Config {
        .defaults { config in
            config.http2.targetWindowSize = Self.windowBytes
            config.rpc.maxRequestPayloadSize = Self.payloadBytesMax
            config.connection.keepalive = HTTP2ServerTransport.Config.Keepalive(
                time: pingAfter, timeout: pingTimeout,
                clientBehavior: HTTP2ServerTransport.Config.ClientKeepaliveBehavior(
                    minPingIntervalWithoutCalls: pingAfter / 4, allowWithoutCalls: true))
            config.channelDebuggingCallbacks.onAcceptTCPConnection = tap.install
        }
    }

    /// The client's half.
    func clientConfiguration(
        onConnect tap: ConnectionTap
    ) -> HTTP2ClientTransport.Posix.Config {
        .defaults { config in
            config.http2.targetWindowSize = Self.windowBytes
            config.connection.keepalive = HTTP2ClientTransport.Config.Keepalive(
                time: pingAfter, timeout: pingTimeout, allowWithoutCalls: true)
            config.channelDebuggingCallbacks.onCreateTCPConnection = tap.install
        }
    }
}
