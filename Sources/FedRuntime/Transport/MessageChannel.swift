internal import Synchronization

/// An ordered, reliable, two-way stream of byte messages to one peer.
///
/// The same type stands at both ends and over every transport. Messages of one sender arrive whole
/// and in order; when the connection is lost, a message may be lost, never cut.
public final class MessageChannel: Sendable {
    /// The messages from the peer; one task may iterate it.
    public struct Incoming: AsyncSequence, Sendable {
        /// Takes messages in order.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let queue: MessageQueue

            /// The next message; `nil` when the peer has closed the channel, or the task is
            /// cancelled.
            ///
            /// - Throws: why the channel ended otherwise.
            public mutating func next() async throws(TransportError) -> [UInt8]? {
                try await queue.next()
            }

            /// The next message; see ``next()``.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(TransportError) -> [UInt8]? {
                try await queue.next()
            }
        }

        let queue: MessageQueue

        /// Starts taking messages.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
    }

    /// One message that waits to be written, and who waits for it, if anybody does.
    struct Outgoing: Sendable {
        let message: [UInt8]
        var done: CheckedContinuation<TransportError?, Never>?
    }

    /// How a channel came to its end: what a sender is told depends on who ended it.
    private enum Ending {
        /// This end has closed it.
        case closedHere
        /// The peer has closed it, and may take a new one.
        case closedByPeer
        /// It broke, or was refused.
        case failed(TransportError)
    }

    /// Who is at the other end.
    public let peer: PeerIdentity
    private let inbound: MessageQueue
    private let outbound: AsyncStream<Outgoing>.Continuation
    private let ending: Mutex<Ending?> = Mutex(nil)
    private let onClose: @Sendable () -> Void

    /// A channel whose transport takes messages from the returned stream and puts received ones
    /// into `inbound`.
    static func make(
        peer: PeerIdentity, inbound: MessageQueue, onClose: @escaping @Sendable () -> Void = {}
    ) -> (MessageChannel, AsyncStream<Outgoing>) {
        let (stream, continuation) = AsyncStream.makeStream(of: Outgoing.self)
        let channel = MessageChannel(
            peer: peer, inbound: inbound, outbound: continuation, onClose: onClose)
        return (channel, stream)
    }

    private init(
        peer: PeerIdentity, inbound: MessageQueue, outbound: AsyncStream<Outgoing>.Continuation,
        onClose: @escaping @Sendable () -> Void
    ) {
        self.peer = peer
        self.inbound = inbound
        self.outbound = outbound
        self.onClose = onClose
    }

    deinit { close() }

    /// The messages from the peer.
    public var incoming: Incoming { Incoming(queue: inbound) }

    /// Sends a message; returns when the transport has taken all of it, which is not a receipt.
    ///
    /// - Throws: why the channel has ended.
    public func send(_ message: [UInt8]) async throws(TransportError) {
        let failure: TransportError? = await withCheckedContinuation { continuation in
            let outgoing = Outgoing(message: message, done: continuation)
            if case .enqueued = outbound.yield(outgoing) { return }
            continuation.resume(returning: endingError)
        }
        if let failure { throw failure }
    }

    /// Sends a message without waiting for the transport to take it; when the channel has ended, its
    /// reader says why.
    public func post(_ message: [UInt8]) { outbound.yield(Outgoing(message: message)) }

    /// Closes both directions: accepted messages are still sent, received ones are dropped.
    public func close() { end(.closedHere, .success(()), dropping: true) }

    /// Ends the channel from the transport's side; success means that the peer has closed it.
    func end(_ result: Result<Void, TransportError>, dropping: Bool = false) {
        switch result {
        case .success: end(.closedByPeer, result, dropping: dropping)
        case .failure(let error): end(.failed(error), result, dropping: dropping)
        }
    }

    private func end(
        _ how: Ending, _ result: Result<Void, TransportError>, dropping: Bool
    ) {
        let isFirst = ending.withLock { ending in
            defer { if ending == nil { ending = how } }
            return ending == nil
        }
        guard isFirst else { return }
        outbound.finish()
        if dropping { inbound.discard(result) } else { inbound.finish(result) }
        onClose()
    }

    /// Whether nothing more can be sent.
    public var isEnded: Bool { ending.withLock { $0 != nil } }

    /// Whether an end was meant: what was accepted before it is still written.
    var isClosedOrderly: Bool {
        ending.withLock { if case .failed = $0 { false } else { true } }
    }

    /// Why the channel has ended, as a sender sees it.
    var endingError: TransportError {
        ending.withLock { ending in
            switch ending {
            case .failed(let error): error
            case .closedByPeer: .closedByPeer
            case .closedHere, nil: .closed
            }
        }
    }
}
