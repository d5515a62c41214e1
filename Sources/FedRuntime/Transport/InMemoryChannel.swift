/// Two ends of a channel within one process, for tests and for trying things out.
public enum InMemoryChannel {
    /// Makes both ends.
    ///
    /// Closing either ends the other as a network connection would.
    ///
    /// - Parameters:
    ///   - first: whom the second end sees as its peer.
    ///   - second: whom the first end sees as its peer.
    public static func pair(
        _ first: PeerIdentity, _ second: PeerIdentity
    ) -> (MessageChannel, MessageChannel) {
        let toFirst = MessageQueue()
        let toSecond = MessageQueue()
        let (firstEnd, fromFirst) = MessageChannel.make(peer: second, inbound: toFirst)
        let (secondEnd, fromSecond) = MessageChannel.make(peer: first, inbound: toSecond)
        pump(fromFirst, into: toSecond)
        pump(fromSecond, into: toFirst)
        return (firstEnd, secondEnd)
    }

    /// Moves messages until the sending end closes, then ends the receiving one.
    private static func pump(
        _ stream: AsyncStream<MessageChannel.Outgoing>, into queue: MessageQueue
    ) {
        Task {
            for await outgoing in stream {
                let isTaken = await queue.append(outgoing.message)
                outgoing.done?.resume(returning: isTaken ? nil : .closedByPeer)
            }
            queue.finish()
        }
    }
}
