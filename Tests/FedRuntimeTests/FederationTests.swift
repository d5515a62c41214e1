import FedCore
import FedRuntime
import FedWire
import Foundation
import Synchronization
import Testing

@Suite struct FederationTests {
    @Test("A coordinator of another authority is not trusted")
    func foreignCoordinator() async throws {
        let ours = try TestAuthority()
        try await withServer(TestAuthority().serverCredentials) { server in
            let client = FederationClient(
                address: server.address, credentials: try ours.bank(bankA))
            await #expect(
                throws: TransportError.coordinatorNotTrusted(address: server.address)
            ) { try await client.connect() }
        }
    }

    @Test("A coordinator whose certificate has expired is not trusted")
    func expiredCoordinator() async throws {
        let authority = try TestAuthority(serverValidity: .seconds(-60))
        try await withServer(authority.serverCredentials) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            await #expect(
                throws: TransportError.coordinatorNotTrusted(address: server.address)
            ) { try await client.connect() }
        }
    }

    @Test("A coordinator's certificate for another host is a name mismatch")
    func nameMismatch() async throws {
        let authority = try TestAuthority(hosts: ["coordinator.example"])
        try await withServer(authority.serverCredentials) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            await #expect(throws: TransportError.nameMismatch(address: server.address)) {
                try await client.connect()
            }
        }
    }

    @Test("A host name is resolved and verified like an address")
    func hostName() async throws {
        let authority = try TestAuthority()
        try await withServer(authority.serverCredentials) { server in
            let client = FederationClient(
                address: HostAddress(host: "localhost", port: server.address.port),
                credentials: try authority.bank(bankA))
            try await client.connect().close()
        }
    }

    @Test("Nobody listening is told as such")
    func unreachable() async throws {
        let authority = try TestAuthority()
        let credentials = try authority.bank(bankA)
        let address = try await withServer(authority.serverCredentials) { server in
            let client = FederationClient(address: server.address, credentials: credentials)
            try await client.connect().close()
            return server.address
        }
        let client = FederationClient(address: address, credentials: credentials)
        await #expect(
            throws: TransportError.unreachable(address: address, reason: "Connection refused")
        ) { try await client.connect() }
    }

    @Test("An expired certificate is refused before a connection is made")
    func expiredBank() async throws {
        let authority = try TestAuthority()
        try await withServer(authority.serverCredentials) { server in
            let client = FederationClient(
                address: server.address,
                credentials: try authority.bank(bankA, validity: .seconds(-60)))
            await #expect {
                try await client.connect()
            } throws: { error in
                guard case TransportError.ownCredentials(.expired) = error else { return false }
                return true
            }
        }
    }

    @Test("A certificate that only the coordinator finds foreign is refused by it")
    func foreignBank() async throws {
        // The bank trusts the coordinator's authority, but its own certificate is of another one.
        // The client's own check would stop it, so the call goes by the operator's client, whose
        // check is satisfied by the operator's certificate of the other authority.
        let ours = try TestAuthority()
        let theirs = try TestAuthority()
        try await withServer(ours.serverCredentials) { server in
            let client = OperatorClient(
                address: server.address, credentials: try theirs.operatorCredentials())
            await #expect(
                throws: OperatorError.transport(.coordinatorNotTrusted(address: server.address))
            ) { try await client.runs() }
        }
    }

    @Test("A server's certificate is no client's, and a bank's is no operator's")
    func wrongRole() async throws {
        let authority = try TestAuthority()
        try await withServer(authority.serverCredentials) { server in
            let server = server
            let asBank = FederationClient(
                address: server.address, credentials: try authority.operatorCredentials())
            await #expect(throws: TransportError.refused(.wrongRole)) {
                try await asBank.connect()
            }
            let asServer = FederationClient(
                address: server.address, credentials: authority.serverCredentials)
            await #expect {
                try await asServer.connect()
            } throws: { error in
                guard case TransportError.certificateRefused = error else { return false }
                return true
            }
            let asOperator = OperatorClient(
                address: server.address, credentials: try authority.bank(bankA))
            await #expect(throws: OperatorError.self) { try await asOperator.runs() }
        }
    }

    @Test("A bank that is not admitted learns why", arguments: Refusal.allCases)
    func notAdmitted(refusal: Refusal) async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        delegate.refuse(bankA, refusal)
        try await withServer(authority.serverCredentials, delegate: delegate) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            await #expect(throws: TransportError.refused(refusal)) { try await client.connect() }
        }
    }

    @Test("Revoking a bank ends its live connection with the reason, and keeps it out")
    func revocation() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        try await withServer(authority.serverCredentials, delegate: delegate) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            let channel = try await client.connect()
            let served = try await next(delegate.connections)
            #expect(served.peer == .bank(bankA) && server.connectedBanks == [bankA])
            delegate.refuse(bankA, .revoked)
            server.disconnect(bankA, because: .revoked)
            await #expect(throws: TransportError.refused(.revoked)) {
                for try await _ in channel.incoming {}
            }
            await #expect(throws: TransportError.refused(.revoked)) { try await client.connect() }
        }
    }

    @Test("A newer connection of a bank takes the older one's place")
    func replacement() async throws {
        let authority = try TestAuthority()
        try await withServer(authority.serverCredentials) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            let first = try await client.connect()
            let second = try await client.connect()
            await #expect(throws: TransportError.refused(.replaced)) {
                for try await _ in first.incoming {}
            }
            #expect(server.connectedBanks == [bankA])
            second.close()
        }
    }

    @Test("A message larger than the receiver's limit ends the connection")
    func messageLimit() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        let small = TransportSettings(messageBytesMax: 1000)
        try await withServer(authority.serverCredentials, delegate: delegate, settings: small) {
            server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            let channel = try await client.connect()
            let coordinator = try await next(delegate.connections)
            try? await channel.send([UInt8](repeating: 0, count: 1001))
            await #expect(throws: TransportError.framing(.messageTooLarge(limit: 1000))) {
                for try await _ in coordinator.incoming {}
            }
            channel.close()
        }
    }

    @Test("A taken port is told with its address")
    func portInUse() async throws {
        let authority = try TestAuthority()
        try await withServer(authority.serverCredentials) { server in
            #expect(throws: TransportError.addressInUse(server.address)) {
                try FederationServer(
                    FederationServer.Configuration(
                        address: server.address, credentials: authority.serverCredentials),
                    delegate: RecordingDelegate(), operatorDelegate: StubOperator())
            }
            let text = TransportError.addressInUse(server.address).description
            #expect(text.hasPrefix("address already in use: 127.0.0.1:"))
        }
    }

    @Test("A stopping coordinator tells its banks, and they may come back")
    func shutdown() async throws {
        let authority = try TestAuthority()
        try await withServer(authority.serverCredentials) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            let channel = try await client.connect()
            server.beginGracefulShutdown()
            await #expect(throws: TransportError.refused(.shuttingDown)) {
                for try await _ in channel.incoming {}
            }
            #expect(TransportError.refused(.shuttingDown).isTransient)
        }
    }

    @Test("The reconnect loop comes back after a drop and stops at a refusal")
    func reconnect() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        let reasons = Mutex<[TransportError]>([])
        try await withServer(authority.serverCredentials, delegate: delegate) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            let loop = Reconnect(client, backoff: Backoff(initial: .milliseconds(1)))
            let served = Mutex(0)
            await #expect(throws: TransportError.refused(.revoked)) {
                try await loop.run { reason, _ in
                    reasons.withLock { $0.append(reason) }
                } serve: { channel throws(TransportError) in
                    let count = served.withLock { count in
                        count += 1
                        return count
                    }
                    if count == 1 { return }
                    delegate.refuse(bankA, .revoked)
                    server.disconnect(bankA, because: .revoked)
                    for try await _ in channel.incoming {}
                }
            }
        }
        #expect(reasons.withLock { $0.count } == 2)
        #expect(reasons.withLock { $0.last } == .refused(.revoked))
    }

    /// Found by a schedule of stopped processes: the coordinator cuts off a bank that seems silent
    /// and is at work, and the bank took the end of its connection for its own and gave up.
    @Test("A bank that is cut off while it computes comes back")
    func cutOffAtWork() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        let reasons = Mutex<[TransportError]>([])
        try await withServer(authority.serverCredentials, delegate: delegate) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            let loop = Reconnect(client, backoff: Backoff(initial: .milliseconds(1)))
            let served = Mutex(0)
            await #expect(throws: TransportError.refused(.revoked)) {
                try await loop.run { reason, _ in
                    reasons.withLock { $0.append(reason) }
                } serve: { channel throws(TransportError) in
                    let count = served.withLock { count in
                        count += 1
                        return count
                    }
                    if count == 1 {
                        var connections = delegate.connections.makeAsyncIterator()
                        await connections.next()?.close()
                        // The answer is ready only when the connection is gone.
                        for try await _ in channel.incoming {}
                        try await channel.send([1])
                    }
                    delegate.refuse(bankA, .revoked)
                    server.disconnect(bankA, because: .revoked)
                    for try await _ in channel.incoming {}
                }
            }
        }
        #expect(reasons.withLock { $0 } == [.closedByPeer, .refused(.revoked)])
    }

    @Test("A bank whose membership cannot be looked up comes back until it can")
    func undecided() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        delegate.refuse(bankA, .undecided)
        let reasons = Mutex<[TransportError]>([])
        try await withServer(authority.serverCredentials, delegate: delegate) { server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA))
            let loop = Reconnect(client, backoff: Backoff(initial: .milliseconds(1)))
            await #expect(throws: TransportError.refused(.revoked)) {
                try await loop.run { reason, _ in
                    let count = reasons.withLock { reasons in
                        reasons.append(reason)
                        return reasons.count
                    }
                    if count == 3 { delegate.refuse(bankA, nil) }
                } serve: { channel throws(TransportError) in
                    delegate.refuse(bankA, .revoked)
                    server.disconnect(bankA, because: .revoked)
                    for try await _ in channel.incoming {}
                }
            }
        }
        #expect(
            reasons.withLock { $0 } == [
                .refused(.undecided), .refused(.undecided), .refused(.undecided),
                .refused(.revoked),
            ])
    }

    @Test("The operator's calls reach their delegate and errors keep their hints")
    func operatorCalls() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        try await withServer(authority.serverCredentials, delegate: delegate) { server in
            let client = OperatorClient(
                address: server.address, credentials: try authority.operatorCredentials())
            let request = RunRequest(
                banks: [], algorithm: "gbdt", configurationJSON: "", standardJSON: [], rowsMax: 1)
            #expect(try await client.startRun(request).run == StubOperator.run)
            let unknown = RunRequest(
                banks: [], algorithm: "abc", configurationJSON: "", standardJSON: [], rowsMax: 1)
            await #expect(
                throws: OperatorError.invalid(reason: "no algorithm abc", hint: "try gbdt")
            ) { try await client.startRun(unknown) }
            let rounds = Mutex<[UInt32]>([])
            let last = try await client.watchRun(StubOperator.run) { status in
                rounds.withLock { $0.append(status.round) }
                return true
            }
            #expect(rounds.withLock { $0 } == [1, 2, 3])
            #expect(last?.state == .succeeded)
            #expect(try await client.model(sha256: "") == StubOperator.model)
            let bank = try await FederationClient(
                address: server.address, credentials: try authority.bank(bankA)
            ).connect()
            #expect(try await client.members().first?.isConnected == true)
            delegate.refuse(bankA, .revoked)
            #expect(try await client.revokeMember(bankA).state == .revoked)
            await #expect(throws: TransportError.refused(.revoked)) {
                for try await _ in bank.incoming {}
            }
        }
    }

    @Test("Waiting times double up to the limit, with jitter below them")
    func backoff() {
        var backoff = Backoff()
        let times = (0..<8).map { _ in backoff.next(jitter: 1) }
        #expect(times[0] == .milliseconds(250))
        #expect(times[1] == .milliseconds(500))
        #expect(times[7] == .seconds(10))
        backoff.reset()
        #expect(backoff.next(jitter: 0) == .milliseconds(125))
    }

    @Test("Addresses are read and written", arguments: ["127.0.0.1:7443", "[::1]:7443", "a.b:0"])
    func addresses(text: String) throws {
        #expect(try HostAddress(text).description == text)
    }

    @Test(
        "Malformed addresses are refused",
        arguments: ["", ":1", "a", "a:", "a:65536", "a:-1", "::1:7443", "a:b"])
    func malformedAddresses(text: String) {
        #expect(throws: TransportError.malformedAddress(text)) { try HostAddress(text) }
    }

    /// Of a test process all connections share the processor, so silence cannot be too short.
    private static let impatient = TransportSettings(
        pingEvery: .milliseconds(150), silenceMax: .seconds(2))

    @Test("A peer that falls silent is noticed at both ends")
    func silentPeer() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        try await withServer(
            authority.serverCredentials, delegate: delegate, settings: Self.impatient
        ) {
            server in
            let relay = try Relay(to: server.address)
            let client = FederationClient(
                address: relay.address, credentials: try authority.bank(bankA),
                settings: Self.impatient)
            let bank = try await client.connect()
            let coordinator = try await next(delegate.connections)
            try await bank.send([1])
            var iterator = coordinator.incoming.makeAsyncIterator()
            #expect(try await iterator.next() == [1])
            relay.stall()
            await expectLoss(of: bank)
            await expectLoss(of: coordinator)
            relay.close()
        }
    }

    @Test("Pings alone keep an idle connection")
    func idleConnection() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        try await withServer(
            authority.serverCredentials, delegate: delegate, settings: Self.impatient
        ) {
            server in
            let client = FederationClient(
                address: server.address, credentials: try authority.bank(bankA),
                settings: Self.impatient)
            let bank = try await client.connect()
            let coordinator = try await next(delegate.connections)
            // Longer than the silence, and enough for a dozen pings: a server that took them for
            // abuse would have closed.
            try await Task.sleep(for: .milliseconds(2400))
            try await bank.send([1])
            var iterator = coordinator.incoming.makeAsyncIterator()
            let message = try await iterator.next()
            #expect(message == [1])
            bank.close()
        }
    }

    @Test("A connection that drops inside a message gives no message, at neither end")
    func dropInsideMessage() async throws {
        let authority = try TestAuthority()
        let delegate = RecordingDelegate()
        try await withServer(authority.serverCredentials, delegate: delegate) { server in
            let relay = try Relay(to: server.address, bytesMax: 2_500_000)
            let client = FederationClient(
                address: relay.address, credentials: try authority.bank(bankA))
            let bank = try await client.connect()
            let coordinator = try await next(delegate.connections)
            // The transport may take all of it before the line is cut: sending is not a receipt.
            let sending = Task { try await bank.send([UInt8](repeating: 1, count: 5_000_000)) }
            await expectLoss(of: coordinator)
            await expectLoss(of: bank)
            _ = await sending.result
            await #expect(throws: TransportError.self) { try await bank.send([1]) }
            let again = try await FederationClient(
                address: server.address, credentials: try authority.bank(bankA)
            ).connect()
            again.close()
        }
    }

    private func expectLoss(of channel: MessageChannel) async {
        await #expect {
            for try await _ in channel.incoming { Issue.record("a message came") }
        } throws: { error in
            guard case TransportError.connectionLost = error else { return false }
            return true
        }
    }
}
