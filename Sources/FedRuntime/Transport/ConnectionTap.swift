internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import Synchronization

/// A handler behind TLS in each connection, for what gRPC above it does not do.
///
/// It refuses what is older than TLS 1.3, hangs up on a silent peer, does not let a closed
/// connection linger, and keeps the first error, which gRPC reduces to "unavailable".
final class ConnectionTap: Sendable {
    private let silenceMax: TimeAmount
    private let firstError: Mutex<(any Error)?> = Mutex(nil)
    private let reached = Atomic<Bool>(false)

    /// A tap for the connections of one client or of one server.
    init(settings: TransportSettings) {
        silenceMax = TimeAmount(settings.silenceMax)
    }

    /// What went wrong first on the connections made since the start.
    var error: (any Error)? { firstError.withLock { $0 } }

    /// Whether a connection was made since the start; without one nothing can have been sent.
    var hasReachedPeer: Bool { reached.load(ordering: .acquiring) }

    /// Puts a handler into a connection's pipeline.
    var install: @Sendable (any Channel) -> EventLoopFuture<Void> {
        { [self] channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                let tls: ChannelHandlerContext
                if let server = try? pipeline.context(handlerType: NIOSSLServerHandler.self) {
                    tls = server
                } else {
                    tls = try pipeline.context(handlerType: NIOSSLClientHandler.self)
                }
                try pipeline.addHandler(
                    TapHandler(tap: self, silenceMax: silenceMax, tls: tls),
                    position: .after(tls.handler))
            }
        }
    }

    fileprivate func reach() { reached.store(true, ordering: .releasing) }

    fileprivate func record(_ error: any Error) {
        firstError.withLock { if $0 == nil { $0 = error } }
    }
}

/// The connection speaks a version of TLS before 1.3.
struct OutdatedTLS: Error {}

/// Nothing has come from the peer for too long, though it was asked for a sign of life.
struct SilentPeer: Error {}

private final class TapHandler: ChannelDuplexHandler {
    typealias InboundIn = NIOAny
    typealias OutboundIn = NIOAny

    /// How long TLS may take to say goodbye to a peer that may be gone.
    private static let farewell: TimeAmount = .milliseconds(500)

    private let tap: ConnectionTap
    private let silenceMax: TimeAmount
    /// Closing from TLS's own place in the pipeline closes the socket without TLS's farewell.
    private let tls: ChannelHandlerContext
    private var lastRead: NIODeadline = .now()
    private var isClosing = false

    init(tap: ConnectionTap, silenceMax: TimeAmount, tls: ChannelHandlerContext) {
        self.tap = tap
        self.silenceMax = silenceMax
        self.tls = tls
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        tap.reach()
        watch(context)
    }

    func channelActive(context: ChannelHandlerContext) {
        lastRead = .now()
        tap.reach()
        watch(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastRead = .now()
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            let version = try? context.channel.pipeline.syncOperations.nioSSL_tlsVersion()
            guard version == .tlsv13 else {
                tap.record(OutdatedTLS())
                context.close(promise: nil)
                return
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tap.record(error)
        context.fireErrorCaught(error)
    }

    func close(
        context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?
    ) {
        context.close(mode: mode, promise: promise)
        guard !isClosing, mode != .input else { return }
        isClosing = true
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.farewell) { self.hangUp(context) }
    }

    private func watch(_ context: ChannelHandlerContext) {
        let deadline = lastRead + silenceMax
        context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            guard context.channel.isActive, !self.isClosing else { return }
            guard self.lastRead + self.silenceMax <= .now() else { return self.watch(context) }
            self.tap.record(SilentPeer())
            self.hangUp(context)
        }
    }

    private func hangUp(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        tls.close(mode: .all, promise: nil)
    }
}
