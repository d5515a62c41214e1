import FedCore
import FedRuntime
import FedWire
import Foundation
import Synchronization
import Testing

/// A folder that is gone with the value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.path + "/fed-test-"
            + Entropy.bytes(8).hexadecimal
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func state(_ name: String = "state") throws -> StateDirectory {
        try StateDirectory(path + "/" + name)
    }
}

/// A consortium's authority and the credentials that it gives out.
struct TestAuthority: Sendable {
    let folder: TemporaryFolder
    let authority: CertificateAuthority
    let serverCredentials: Credentials

    init(hosts: [String] = ["127.0.0.1", "localhost"], serverValidity: Duration = .seconds(3600))
        throws
    {
        folder = try TemporaryFolder()
        authority = try CertificateAuthority.create(in: folder.state("ca"))
        let key = TLSKey.generate()
        let bundle = try authority.issueServer(hosts: hosts, key: key, validity: serverValidity)
        serverCredentials = try Credentials(
            key: key, certificatePEM: bundle.certificatePEM, authorityPEM: bundle.authorityPEM)
    }

    func bank(_ bank: NodeID, validity: Duration = .seconds(3600)) throws -> Credentials {
        let key = TLSKey.generate()
        let bundle = try authority.sign(
            requestDER: key.certificateRequest(for: bank), bank: bank, validity: validity)
        return try Credentials(
            key: key, certificatePEM: bundle.certificatePEM, authorityPEM: bundle.authorityPEM)
    }

    func operatorCredentials() throws -> Credentials {
        let key = TLSKey.generate()
        let bundle = try authority.issueOperator(key: key)
        return try Credentials(
            key: key, certificatePEM: bundle.certificatePEM, authorityPEM: bundle.authorityPEM)
    }
}

let bankA = NodeID("bank_a") ?? NodeID.placeholder
let bankB = NodeID("bank_b") ?? NodeID.placeholder

extension NodeID {
    /// Never used: the names above are valid.
    static var placeholder: NodeID { preconditionFailure("a test's bank name is malformed") }
}

/// Hands each connection to the test and keeps it open until the channel ends.
final class RecordingDelegate: FederationDelegate {
    let connections: AsyncStream<MessageChannel>
    private let continuation: AsyncStream<MessageChannel>.Continuation
    private let refusals: Mutex<[NodeID: Refusal]> = Mutex([:])

    init() { (connections, continuation) = AsyncStream.makeStream(of: MessageChannel.self) }

    func refuse(_ bank: NodeID, _ refusal: Refusal?) {
        refusals.withLock { $0[bank] = refusal }
    }

    func admission(of bank: NodeID, serial: String) async -> Refusal? {
        refusals.withLock { $0[bank] }
    }

    func serve(_ bank: NodeID, over channel: MessageChannel) async {
        continuation.yield(channel)
        // The task is cancelled when the channel ends.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    }
}

/// An operator's delegate of one finished run.
struct StubOperator: OperatorDelegate {
    static let run = RunID(bytes: Array(0..<16)) ?? RunID.placeholder
    static let model = [UInt8](repeating: 7, count: 3_000_000)

    var status: RunStatus {
        var status = RunStatus(run: Self.run, algorithm: "gbdt", startedUnixMilliseconds: 1)
        status.state = .succeeded
        return status
    }

    func startRun(_ request: RunRequest) async throws(OperatorError) -> RunStatus {
        guard request.algorithm == "gbdt" else {
            throw .invalid(reason: "no algorithm \(request.algorithm)", hint: "try gbdt")
        }
        return status
    }

    func watchRun(_ run: RunID) async throws(OperatorError) -> AsyncStream<RunStatus> {
        AsyncStream { continuation in
            for round in 1...3 {
                var update = status
                update.state = round == 3 ? .succeeded : .running
                update.round = UInt32(round)
                continuation.yield(update)
            }
        }
    }

    func run(_ run: RunID) async throws(OperatorError) -> RunStatus {
        guard run == Self.run else { throw .notFound("run \(run)") }
        return status
    }

    func runs(limit: Int) async throws(OperatorError) -> [RunStatus] { [status] }

    func abortRun(_ run: RunID, reason: String) async throws(OperatorError) -> RunStatus {
        throw .conflict(reason: "the run has ended", hint: "start another")
    }

    func model(sha256: String) async throws(OperatorError) -> [UInt8] { Self.model }

    func members() async throws(OperatorError) -> [MemberStatus] {
        [MemberStatus(bank: bankA, state: .active)]
    }

    func revokeMember(_ bank: NodeID) async throws(OperatorError) -> MemberStatus {
        MemberStatus(bank: bank, state: .revoked)
    }

    func createInvitation(
        for bank: NodeID, validFor: Duration
    ) async throws(OperatorError) -> [UInt8] { Array("\(bank) \(validFor)".utf8) }

    func consensus(_ order: ConsensusOrder) async throws(OperatorError) -> [UInt8] {
        Array("\(order)".utf8)
    }
}

extension RunID {
    /// Never used: the identifiers above are valid.
    static var placeholder: RunID { preconditionFailure("a test's run is malformed") }
}

/// Runs a server while `body` runs, and stops it.
func withServer<Value>(
    _ credentials: Credentials, delegate: any FederationDelegate = RecordingDelegate(),
    enrolment: (any EnrolmentDelegate)? = nil, settings: TransportSettings = TransportSettings(),
    _ body: (FederationServer) async throws -> Value
) async throws -> Value {
    let anyPort = HostAddress(host: "127.0.0.1", port: 0)
    let server = try FederationServer(
        FederationServer.Configuration(
            address: anyPort, enrolmentAddress: enrolment == nil ? nil : anyPort,
            credentials: credentials, settings: settings),
        delegate: delegate, operatorDelegate: StubOperator(), enrolmentDelegate: enrolment)
    let running = Task { try await server.run() }
    do {
        let value = try await body(server)
        await stop(server, running)
        return value
    } catch {
        await stop(server, running)
        throw error
    }
}

/// Stops as a service does: a cancelled server traps in NIO when a connection is just coming in
/// (apple/swift-nio#2637), so cancellation is only for one that does not end.
private func stop(_ server: FederationServer, _ running: Task<Void, any Error>) async {
    server.beginGracefulShutdown()
    let overdue = Task {
        try await Task.sleep(for: .seconds(5))
        running.cancel()
    }
    _ = await running.result
    overdue.cancel()
}

/// The next element of a stream.
func next<Element: Sendable>(_ stream: AsyncStream<Element>) async throws -> Element {
    var iterator = stream.makeAsyncIterator()
    return try #require(await iterator.next())
}
