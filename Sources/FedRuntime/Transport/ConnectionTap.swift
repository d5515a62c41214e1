internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import Synchronization

/// A handler behind TLS in each connection: it refuses what is older than TLS 1.3, and keeps the
/// first error of the connection, which gRPC above it reduces to "unavailable".
final class ConnectionTap: Sendable {
    private let firstError: Mutex<(any Error)?> = Mutex(nil)

    /// What went wrong first on the connections made since the start.
    var error: (any Error)? { firstError.withLock { $0 } }

    /// Puts a handler into a connection's pipeline.
    var install: @Sendable (any Channel) -> EventLoopFuture<Void> {
        { [self] channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                let handler: any ChannelHandler
                if let server = try? pipeline.handler(type: NIOSSLServerHandler.self) {
                    handler = server
                } else {
                    handler = try pipeline.handler(type: NIOSSLClientHandler.self)
                }
                try pipeline.addHandler(TapHandler(tap: self), position: .after(handler))
            }
        }
    }

    fileprivate func record(_ error: any Error) {
        firstError.withLock { if $0 == nil { $0 = error } }
    }
}

/// The connection speaks a version of TLS before 1.3.
struct OutdatedTLS: Error {}

private final class TapHandler: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private let tap: ConnectionTap

    init(tap: ConnectionTap) { self.tap = tap }

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
}
