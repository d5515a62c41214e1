import FedRuntime
import FedWire
import Testing

/// What every kind of channel must do: one suite, run over each transport.
@Suite struct MessageChannelTests {
    enum Transport: CaseIterable, Sendable {
        case inMemory
        case loopback
    }

    /// Runs `body` with both ends of a fresh channel.
    private func withPair<Value>(
        _ transport: Transport, _ body: (MessageChannel, MessageChannel) async throws -> Value
    ) async throws -> Value {
        switch transport {
        case .inMemory:
            let (bank, coordinator) = InMemoryChannel.pair(.bank(bankA), .coordinator)
            return try await body(bank, coordinator)
        case .loopback:
            let authority = try TestAuthority()
            let delegate = RecordingDelegate()
            return try await withServer(authority.serverCredentials, delegate: delegate) { server in
                let client = FederationClient(
                    address: server.address, credentials: try authority.bank(bankA))
                let bank = try await client.connect()
                defer { bank.close() }
                let coordinator = try await next(delegate.connections)
                return try await body(bank, coordinator)
            }
        }
    }

    @Test("Each end knows its peer", arguments: Transport.allCases)
    func peers(transport: Transport) async throws {
        try await withPair(transport) { bank, coordinator in
            #expect(bank.peer == .coordinator)
            #expect(coordinator.peer == .bank(bankA))
        }
    }

    @Test("Messages arrive whole and in order, both ways at once", arguments: Transport.allCases)
    func ordering(transport: Transport) async throws {
        try await withPair(transport) { bank, coordinator in
            async let fromBank = receive(200, from: coordinator)
            async let fromCoordinator = receive(200, from: bank)
            for index in 0..<200 {
                try await bank.send(message(index))
                try await coordinator.send(message(1000 + index))
            }
            #expect(try await fromBank == (0..<200).map(message))
            #expect(try await fromCoordinator == (1000..<1200).map(message))
        }
    }

    @Test("Messages of several senders are not mixed", arguments: Transport.allCases)
    func concurrentSenders(transport: Transport) async throws {
        try await withPair(transport) { bank, coordinator in
            let size = FramingLimits.frameBytesMax + 17
            async let received = receive(6, from: coordinator)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<6 {
                    group.addTask {
                        try await bank.send([UInt8](repeating: UInt8(sender), count: size))
                    }
                }
                try await group.waitForAll()
            }
            let messages = try await received
            #expect(Set(messages.map { $0.first }).count == 6)
            #expect(messages.allSatisfy { $0.count == size && Set($0).count == 1 })
        }
    }

    @Test("A message of 5 MB and an empty one arrive", arguments: Transport.allCases)
    func largeMessage(transport: Transport) async throws {
        try await withPair(transport) { bank, coordinator in
            let large = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
            async let received = receive(2, from: bank)
            try await coordinator.send(large)
            try await coordinator.send([])
            #expect(try await received == [large, []])
        }
    }

    @Test(
        "What was sent before a close arrives, then the peer's stream ends",
        arguments: Transport.allCases)
    func closing(transport: Transport) async throws {
        try await withPair(transport) { bank, coordinator in
            for index in 0..<10 { try await bank.send(message(index)) }
            bank.close()
            var received: [[UInt8]] = []
            for try await message in coordinator.incoming { received.append(message) }
            #expect(received == (0..<10).map(message))
            await #expect(throws: TransportError.closed) { try await bank.send([1]) }
        }
    }

    @Test("After the peer's close sending fails, and another connection may cure it")
    func sendingToClosedPeer() async throws {
        try await withPair(.loopback) { bank, coordinator in
            coordinator.close()
            for try await _ in bank.incoming {}
            await #expect(throws: TransportError.closedByPeer) { try await bank.send([1]) }
            #expect(bank.isEnded && TransportError.closedByPeer.isTransient)
        }
        try await withPair(.inMemory) { bank, coordinator in
            coordinator.close()
            for try await _ in bank.incoming {}
            await #expect(throws: TransportError.closedByPeer) {
                // The first may still be on its way when the close arrives.
                for _ in 0..<100 { try await bank.send([1]) }
            }
        }
    }

    @Test("A cancelled reader stops waiting", arguments: Transport.allCases)
    func cancelledReader(transport: Transport) async throws {
        try await withPair(transport) { bank, coordinator in
            let reader = Task {
                var iterator = bank.incoming.makeAsyncIterator()
                return try await iterator.next()
            }
            reader.cancel()
            let message = try await reader.value
            #expect(message == nil)
        }
    }

    @Test("A writer waits while the reader is behind, and goes on when it catches up")
    func backPressure() async throws {
        let (bank, coordinator) = InMemoryChannel.pair(.bank(bankA), .coordinator)
        let chunk = [UInt8](repeating: 1, count: 1 << 24)
        let writer = Task { for _ in 0..<12 { try await bank.send(chunk) } }
        let received = try await receive(12, from: coordinator)
        try await writer.value
        #expect(received.count == 12)
    }

    private func message(_ index: Int) -> [UInt8] { Array("message \(index)".utf8) }

    private func receive(_ count: Int, from channel: MessageChannel) async throws -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var iterator = channel.incoming.makeAsyncIterator()
        while messages.count < count {
            messages.append(try #require(try await iterator.next()))
        }
        return messages
    }
}
