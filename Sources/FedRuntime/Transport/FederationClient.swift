internal import FedWire
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import NIOPosix

/// A bank's way to the coordinator.
public struct FederationClient: Sendable {
    /// Where the coordinator listens.
    public let address: HostAddress
    private let credentials: Credentials
    private let settings: TransportSettings
    /// Where connections live, and what uses them should run.
    let executor = EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next())

    /// Prepares connections; nothing is opened yet.
    public init(
        address: HostAddress, credentials: Credentials,
        settings: TransportSettings = TransportSettings()
    ) {
        self.address = address
        self.credentials = credentials
        self.settings = settings
    }

    /// Opens one connection, which lives until it is closed at either end.
    ///
    /// - Throws: ``TransportError`` with the reason that a person needs.
    public func connect() async throws(TransportError) -> MessageChannel {
        do {
            try await credentials.check()
        } catch {
            throw .ownCredentials(error)
        }
        let tap = ConnectionTap(settings: settings)
        let transport = try ClientTransport.make(
            to: address, authorityPEM: credentials.authorityPEM, credentials: credentials,
            settings: settings, tap: tap, on: executor.loop)
        let inbound = MessageQueue()
        let ended = OneShot<Void>()
        let opened = OneShot<Result<Void, TransportError>>()
        let (channel, outgoing) = MessageChannel.make(peer: .coordinator, inbound: inbound) {
            ended.set(())
        }
        let call = Call(
            channel: channel, inbound: inbound, outgoing: outgoing, opened: opened,
            address: address, tap: tap, messageBytesMax: settings.messageBytesMax)
        Task(executorPreference: executor) {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await call.run(over: transport) }
                await ended.value
                await ChannelEnding.settle(channel, &group)
            }
        }
        let timer = Task { [settings, address] in
            try await Task.sleep(for: settings.connectTimeout)
            opened.set(.failure(.connectTimeout(address: address)))
        }
        defer { timer.cancel() }
        let outcome = await withTaskCancellationHandler {
            await opened.value
        } onCancel: {
            opened.set(.failure(.closed))
        }
        do {
            try outcome.get()
        } catch {
            channel.end(.failure(error))
            throw error
        }
        return channel
    }
}

/// The one long call under a channel.
private struct Call: Sendable {
    let channel: MessageChannel
    let inbound: MessageQueue
    let outgoing: AsyncStream<MessageChannel.Outgoing>
    let opened: OneShot<Result<Void, TransportError>>
    let address: HostAddress
    let tap: ConnectionTap
    let messageBytesMax: Int

    func run(over transport: HTTP2ClientTransport.Posix) async {
        do {
            try await withGRPCClient(transport: transport) { client in
                try await open(Fed_V1_Federation.Client(wrapping: client))
            }
            opened.set(.failure(.connectionLost(reason: "the coordinator ended the call")))
            channel.end(.success(()))
        } catch {
            opened.set(.failure(TransportFailure.connecting(error, first: tap.error, to: address)))
            channel.end(.failure(TransportFailure.lost(error, first: tap.error)))
        }
        // Messages that were accepted but never written: their senders must not wait for ever.
        for await item in outgoing { item.done?.resume(returning: channel.endingError) }
    }

    private func open(
        _ client: Fed_V1_Federation.Client<HTTP2ClientTransport.Posix>
    ) async throws {
        var options = CallOptions.defaults
        options.waitForReady = false
        // The library limits responses by the option for requests.
        options.maxRequestMessageBytes = TransportSettings.payloadBytesMax
        try await client.connect(
            request: StreamingClientRequest { writer in
                await FramePump.write(outgoing, of: channel, to: writer)
            },
            options: options
        ) { response in
            let contents = try response.accepted.get()
            opened.set(.success(()))
            let frames = contents.bodyParts.compactMap { part -> Fed_V1_Frame? in
                if case .message(let frame) = part { frame } else { nil }
            }
            await FramePump.read(
                frames, into: inbound, of: channel, messageBytesMax: messageBytesMax,
                tap: tap)
        }
    }
}
