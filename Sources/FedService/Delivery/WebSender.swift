internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Sends single HTTP/1.1 requests, each on a connection of its own.
package struct WebSender: Sendable {
    /// Why there is no answer.
    package enum Failure: Error, Equatable, Sendable {
        /// No connection, or it broke.
        case noConnection
        /// TLS failed: a certificate is not trusted, or ours is not.
        case untrusted
        /// No whole answer within the time.
        case tooSlow
        /// The answer is too long or none of HTTP.
        case notAnAnswer
    }

    /// An answer.
    package struct Reply: Equatable, Sendable {
        /// The HTTP status.
        package let status: Int
        /// The body, up to 64 KiB.
        package let body: [UInt8]
    }

    private let tls: NIOSSLContext?
    private let timeout: TimeAmount

    /// Sets a sender up.
    ///
    /// - Parameters:
    ///   - authorities: PEM of those that vouch for receivers; `nil` for the system's.
    ///   - certificate: PEM of what is shown to receivers that ask for it, with its key.
    ///   - timeoutSeconds: the longest that a request may take.
    /// - Throws: ``ServiceError/tls(part:reason:)``.
    package init(
        authorities: [UInt8]? = nil, certificate: (chain: [UInt8], key: [UInt8])? = nil,
        timeoutSeconds: Int = 20
    ) throws(ServiceError) {
        timeout = .seconds(Int64(timeoutSeconds))
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            if let authorities {
                configuration.trustRoots = .certificates(
                    try NIOSSLCertificate.fromPEMBytes(authorities))
            }
            if let certificate {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(
                    certificate.chain
                ).map { .certificate($0) }
                configuration.privateKey = .privateKey(
                    try NIOSSLPrivateKey(bytes: certificate.key, format: .pem))
            }
            tls = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .tls(part: "authority of receivers", reason: "expected certificates in PEM")
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// - Parameter headers: beside host, length and connection.
    package func send(
        _ method: String, to address: WebAddress, headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) async throws(Failure) -> Reply {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = loop.makePromise(of: Reply.self)
        let late = loop.scheduleTask(in: timeout) { promise.fail(Failure.tooSlow) }
        var fields = HTTPHeaders(headers.map { ($0.name, $0.value) })
        fields.replaceOrAdd(name: "host", value: address.authority)
        fields.replaceOrAdd(name: "connection", value: "close")
        fields.replaceOrAdd(name: "content-length", value: String(body.count))
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: method), uri: address.path,
            headers: fields)
        let connection = ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelInitializer { [tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if address.isSecure, let tls {
                        try pipeline.addHandler(
                            NIOSSLClientHandler(
                                context: tls,
                                serverHostname: address.isNumeric ? nil : address.host))
                    }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(
                        OneExchange(head: head, body: ByteBuffer(bytes: body), promise: promise))
                }
            }
            .connect(host: address.host, port: address.port)
        connection.whenFailure { _ in promise.fail(Failure.noConnection) }
        defer {
            late.cancel()
            connection.whenSuccess { $0.close(promise: nil) }
        }
        do {
            return try await promise.futureResult.get()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .noConnection
        }
    }
}

/// Writes one request and reads its answer.
private final class OneExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private static let bodyBytesMax = 1 << 16

    private let head: HTTPRequestHead
    private let body: ByteBuffer
    private let promise: EventLoopPromise<WebSender.Reply>
    private var status: Int?
    private var answer: [UInt8] = []

    init(head: HTTPRequestHead, body: ByteBuffer, promise: EventLoopPromise<WebSender.Reply>) {
        self.head = head
        self.body = body
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let part):
            answer += part.readableBytesView.prefix(Self.bodyBytesMax - answer.count)
        case .end:
            guard let status else { return promise.fail(WebSender.Failure.notAnAnswer) }
            // 1xx is followed by the answer.
            if status >= 200 { promise.succeed(WebSender.Reply(status: status, body: answer)) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isTLS = error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError
        promise.fail(
            isTLS
                ? WebSender.Failure.untrusted
                : error is HTTPParserError
                    ? WebSender.Failure.notAnAnswer : WebSender.Failure.noConnection)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(WebSender.Failure.noConnection)
        context.fireChannelInactive()
    }
}
