/// Waiting times between attempts to connect: doubling, with jitter so that banks that lost the
/// coordinator together do not come back together.
public struct Backoff: Sendable {
    private let initial: Duration
    private let max: Duration
    private var attempt = 0

    /// From a quarter of a second to ten seconds.
    public init(initial: Duration = .milliseconds(250), max: Duration = .seconds(10)) {
        self.initial = initial
        self.max = max
    }

    /// The time to wait before the next attempt.
    ///
    /// - Parameter jitter: a uniform random number in 0..<1; the wait is between half and the
    ///   whole of its nominal value.
    public mutating func next(jitter: Double) -> Duration {
        let nominal = Swift.min(initial * (1 << Swift.min(attempt, 16)), max)
        attempt += 1
        return nominal * (0.5 + jitter / 2)
    }

    /// Starts over, after a connection that held.
    public mutating func reset() { attempt = 0 }
}

/// Keeps a bank connected.
public struct Reconnect: Sendable {
    private let client: FederationClient
    private let backoff: Backoff

    /// Prepares the loop.
    public init(_ client: FederationClient, backoff: Backoff = Backoff()) {
        self.client = client
        self.backoff = backoff
    }

    /// Connects, serves, and connects again, until cancelled or until waiting cannot help.
    ///
    /// Everything runs on the event loop of the connections, actors that are called included; what
    /// takes long must leave it.
    ///
    /// - Parameters:
    ///   - report: learns the reason of each failure, and in how long the next attempt follows;
    ///     `nil` when there is none. Called from this task.
    ///   - serve: uses one connection; the channel is closed when it returns.
    /// - Throws: the reason that time does not cure, such as a revoked membership.
    public func run(
        report: @Sendable (TransportError, _ nextAttempt: Duration?) async -> Void,
        serve: @Sendable (MessageChannel) async throws(TransportError) -> Void
    ) async throws(TransportError) {
        try await withTaskExecutorPreference(client.executor) { () async throws(TransportError) in
            try await keepConnected(report: report, serve: serve)
        }
    }

    private func keepConnected(
        report: @Sendable (TransportError, _ nextAttempt: Duration?) async -> Void,
        serve: @Sendable (MessageChannel) async throws(TransportError) -> Void
    ) async throws(TransportError) {
        var backoff = backoff
        while !Task.isCancelled {
            do throws(TransportError) {
                let channel = try await client.connect()
                backoff.reset()
                defer { channel.close() }
                try await serve(channel)
                throw TransportError.closedByPeer
            } catch {
                if Task.isCancelled { return }
                guard error.isTransient else {
                    await report(error, nil)
                    throw error
                }
                let wait = backoff.next(jitter: Double.random(in: 0..<1))
                await report(error, wait)
                try? await Task.sleep(for: wait)
            }
        }
    }
}
