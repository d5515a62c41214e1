internal import FedCore
internal import Synchronization

/// The live connections, at most one a bank.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [NodeID: MessageChannel] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())

    /// The banks that are connected.
    var banks: Set<NodeID> { state.withLock { Set($0.channels.keys) } }

    /// Enters a connection, in place of an older one of the same bank.
    ///
    /// - Returns: `false` when no more connections are taken.
    func add(_ channel: MessageChannel, of bank: NodeID) -> Bool {
        let (isAdded, older) = state.withLock { state -> (Bool, MessageChannel?) in
            guard !state.isStopping else { return (false, nil) }
            return (true, state.channels.updateValue(channel, forKey: bank))
        }
        older?.end(.failure(.refused(.replaced)), dropping: true)
        return isAdded
    }

    /// Removes a connection, unless a newer one has taken its place.
    func remove(_ channel: MessageChannel, of bank: NodeID) {
        state.withLock { state in
            if state.channels[bank] === channel { state.channels[bank] = nil }
        }
    }

    /// Ends a bank's connection at once.
    func end(_ bank: NodeID, _ refusal: Refusal) {
        let channel = state.withLock { $0.channels[bank] }
        channel?.end(.failure(.refused(refusal)), dropping: true)
    }

    /// Ends all connections and takes no more.
    func stop() {
        let channels = state.withLock { state in
            state.isStopping = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.end(.failure(.refused(.shuttingDown))) }
    }
}
