internal import FedWire
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// HTTP/1.1 connections whose requests are worked on by the event loop that reads them.
///
/// Plain scores are answered by ``ScoreChannelHandler`` in the pipeline. What goes on to
/// Hummingbird runs as a task on the same loop: handing each request to a thread of the general
/// pool and its answer back would take longer than most work, and under load the wait for a free
/// thread shows in the slowest answers. What takes long leaves the loop: see ``ServiceResponder``.
struct LoopBoundChannel: ServerChildChannel {
    let base: HTTP1Channel
    let tls: NIOSSLContext?
    let scoring: PlainScoring
    let loads: LoopLoads
    let idle: TimeAmount

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            guard let tls else { return }
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(
                type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(
                ScoreChannelHandler(scoring, load: loads.load(of: channel.eventLoop), idle: idle),
                position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        let executor = EventLoopExecutor(value.channel.eventLoop)
        await withTaskExecutorPreference(executor) {
            await base.handle(value: value, logger: logger)
        }
    }
}
