public import FedWire
internal import GRPCNIOTransportHTTP2Posix

/// The few settings of the connection; both ends use the same values.
public struct TransportSettings: Sendable {
    /// How long making a connection may take.
    public var connectTimeout: Duration
    /// How long a command waits for a coordinator that does not listen yet, as one that was started a
    /// moment ago.
    public var patience: Duration = .seconds(5)
    /// How often each end asks the other for a sign of life.
    public var pingEvery: Duration
    /// A peer from which nothing has come for so long is gone.
    public var silenceMax: Duration
    /// Larger messages are refused.
    public var messageBytesMax: Int

    /// Settings under which a silent peer is noticed within 10 s.
    ///
    /// What is left out derives from the silence: a sign of life in each third of it, and one second
    /// more for a connection.
    public init(
        connectTimeout: Duration? = nil, pingEvery: Duration? = nil,
        silenceMax: Duration = .seconds(9), messageBytesMax: Int = FramingLimits.messageBytesMax
    ) {
        let pingEvery = pingEvery ?? silenceMax / 3
        self.connectTimeout = connectTimeout ?? silenceMax + .seconds(1)
        precondition(pingEvery < silenceMax, "\(pingEvery) is not below \(silenceMax)")
        self.pingEvery = pingEvery
        self.silenceMax = silenceMax
        self.messageBytesMax = messageBytesMax
    }

    /// Flow-control window, bytes.
    ///
    /// With the library's defaults (64 KiB at the server, 8 MiB at the client) large messages are
    /// two to ten times slower, and 8 MiB has broken streams.
    static let windowBytes = 1 << 20
    /// Largest HTTP/2 frame that an end takes, bytes: the protocol's default of 16 KiB costs a frame
    /// for each TLS record.
    static let http2FrameBytes = 1 << 18
    /// One gRPC message: a frame and its header.
    static let payloadBytesMax = FramingLimits.frameBytesMax + 1024

    /// The server's half.
    ///
    /// The library sends the pings; ``ConnectionTap`` judges the silence. The library's own verdict
    /// is put off because it never comes: its server first waits for the silent peer to confirm the
    /// shutdown, and each ping of its client begins the waiting anew.
    func serverConfiguration(
        onAccept tap: ConnectionTap
    ) -> HTTP2ServerTransport.Posix.Config {
        .defaults { config in
            config.http2.targetWindowSize = Self.windowBytes
            config.http2.maxFrameSize = Self.http2FrameBytes
            config.rpc.maxRequestPayloadSize = Self.payloadBytesMax
            config.connection.keepalive = HTTP2ServerTransport.Config.Keepalive(
                time: pingEvery, timeout: silenceMax * 2,
                clientBehavior: HTTP2ServerTransport.Config.ClientKeepaliveBehavior(
                    minPingIntervalWithoutCalls: pingEvery / 4, allowWithoutCalls: true))
            config.connection.flushCoalescing = nil
            config.channelDebuggingCallbacks.onAcceptTCPConnection = tap.install
        }
    }

    /// The client's half.
    func clientConfiguration(
        onConnect tap: ConnectionTap
    ) -> HTTP2ClientTransport.Posix.Config {
        .defaults { config in
            config.http2.targetWindowSize = Self.windowBytes
            config.http2.maxFrameSize = Self.http2FrameBytes
            config.connection.keepalive = HTTP2ClientTransport.Config.Keepalive(
                time: pingEvery, timeout: silenceMax * 2, allowWithoutCalls: true)
            config.connection.flushCoalescing = nil
            config.channelDebuggingCallbacks.onCreateTCPConnection = tap.install
        }
    }
}
