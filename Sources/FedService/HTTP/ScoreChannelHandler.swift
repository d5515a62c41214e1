internal import FedDecision
internal import NIOCore
internal import NIOHTTP1

/// Answers plain requests for one score on the event loop that reads them, before they become
/// Hummingbird's.
///
/// A score takes some ten microseconds. Making a task of each request, streaming its body through
/// it and handing its answer back took two hundred, most of them in the general machinery. So what
/// is plain is read from the bytes, scored and written here: `POST /v1/score` of one transaction in
/// a plain spelling, which nothing else has to be remembered of. Everything else goes on down the
/// pipeline as it came: other routes, batches, recorded scores, whatever is to be refused with a
/// reason. One connection's answers keep the order of its requests: while one is being worked on
/// further down, those behind it go there too.
final class ScoreChannelHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// A request that may be answered here, as far as it was read.
    private struct Pending {
        let head: HTTPRequestHead
        let asked: PlainScoring.Asked
        let start: ContinuousClock.Instant
        var body: ByteBuffer?
    }

    private let scoring: PlainScoring
    private let load: LoopLoad
    private let idle: TimeAmount
    private var pending: Pending?
    /// Requests that went on down the pipeline and have no answer yet.
    private var outstanding = 0
    private var memory = PlainScoring.Memory()
    private var lastActive = NIODeadline.now()
    private var idleCheck: Scheduled<Void>?
    private var isQuiescing = false

    init(_ scoring: PlainScoring, load: LoopLoad, idle: TimeAmount) {
        self.scoring = scoring
        self.load = load
        self.idle = idle
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            lastActive = .now()
            if outstanding == 0, let asked = scoring.admits(head) {
                pending = Pending(head: head, asked: asked, start: WallClock.steady)
                return
            }
            outstanding += 1
        case .body(let part):
            guard pending != nil else { break }
            if pending?.body == nil {
                pending?.body = part
            } else {
                pending?.body?.writeImmutableBuffer(part)
            }
            return
        case .end:
            guard let request = pending else { break }
            pending = nil
            if answer(request, context) {
                passQuiescing(context)
            } else {
                handOn(request, context)
            }
            return
        }
        context.fireChannelRead(data)
    }

    private func answer(_ request: Pending, _ context: ChannelHandlerContext) -> Bool {
        guard let body = request.body else { return false }
        guard load.enter(context.eventLoop) else {
            write(scoring.shedAnswer, .serviceUnavailable, scoring.shedFields, context)
            scoring.shed(since: request.start)
            return true
        }
        guard let answer = scoring.answer(body, request.asked, since: request.start, &memory) else {
            return false
        }
        write(context.channel.allocator.buffer(bytes: answer), .ok, scoring.fields, context)
        return true
    }

    private func write(
        _ body: ByteBuffer, _ status: HTTPResponseStatus, _ fields: HTTPHeaders,
        _ context: ChannelHandlerContext
    ) {
        var fields = fields
        fields.add(name: "content-length", value: String(body.readableBytes))
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Gives a request that was held back to the handlers behind.
    private func handOn(_ request: Pending, _ context: ChannelHandlerContext) {
        outstanding += 1
        context.fireChannelRead(wrapInboundOut(.head(request.head)))
        if let body = request.body { context.fireChannelRead(wrapInboundOut(.body(body))) }
        context.fireChannelRead(wrapInboundOut(.end(nil)))
        passQuiescing(context)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            outstanding -= 1
            lastActive = .now()
        }
        context.write(data, promise: promise)
    }

    // MARK: The connection's life

    /// A request that is half read is answered before the connection is closed.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent, pending != nil {
            isQuiescing = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func passQuiescing(_ context: ChannelHandlerContext) {
        guard isQuiescing else { return }
        isQuiescing = false
        context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { checkWhenIdle(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        checkWhenIdle(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopChecking()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stopChecking() }

    private func stopChecking() {
        idleCheck?.cancel()
        idleCheck = nil
        pending = nil
    }

    /// Closes a connection without a request for long, and one whose request does not end.
    private func checkWhenIdle(_ context: ChannelHandlerContext) {
        guard idleCheck == nil else { return }
        idleCheck = context.eventLoop.assumeIsolated().scheduleTask(
            deadline: lastActive + idle
        ) {
            self.idleCheck = nil
            if self.outstanding == 0, NIODeadline.now() >= self.lastActive + self.idle {
                context.close(promise: nil)
            } else {
                if self.outstanding > 0 { self.lastActive = .now() }
                self.checkWhenIdle(context)
            }
        }
    }
}
