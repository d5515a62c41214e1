public import FedCore
public import FedWire
internal import Foundation
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// The operator's calls, for the command line.
///
/// Each call opens a connection of its own.
public struct OperatorClient: Sendable {
    /// Where the coordinator listens.
    public let address: HostAddress
    private let credentials: Credentials
    private let settings: TransportSettings

    /// Prepares calls; nothing is opened yet.
    public init(
        address: HostAddress, credentials: Credentials,
        settings: TransportSettings = TransportSettings()
    ) {
        self.address = address
        self.credentials = credentials
        self.settings = settings
    }

    /// Starts a run.
    public func startRun(_ request: RunRequest) async throws(OperatorError) -> RunStatus {
        try await call {
            try RunStatus(try await $0.startRun(Fed_V1_StartRunRequest(request), options: $1))
        }
    }

    /// Follows a run until it has ended or `body` returns `false`.
    ///
    /// - Returns: the last status that was seen.
    public func watchRun(
        _ run: RunID, _ body: @escaping @Sendable (RunStatus) async -> Bool
    ) async throws(OperatorError) -> RunStatus? {
        try await call(timeout: nil) { client, options in
            try await client.watchRun(Self.reference(run), options: options) { response in
                var last: RunStatus?
                for try await wire in response.messages {
                    let status = try RunStatus(wire)
                    last = status
                    if await !body(status) { break }
                }
                return last
            }
        }
    }

    /// The status of one run.
    public func run(_ run: RunID) async throws(OperatorError) -> RunStatus {
        try await call { try RunStatus(try await $0.getRun(Self.reference(run), options: $1)) }
    }

    /// The newest runs first, at most `limit` (0: all).
    public func runs(limit: Int = 0) async throws(OperatorError) -> [RunStatus] {
        var request = Fed_V1_ListRunsRequest()
        request.limit = UInt32(clamping: limit)
        return try await call { [request] client, options in
            try await client.listRuns(request, options: options).runs
                .map { wire in try RunStatus(wire) }
        }
    }

    /// Ends a run without a model.
    public func abortRun(_ run: RunID, reason: String) async throws(OperatorError) -> RunStatus {
        var request = Fed_V1_AbortRunRequest()
        request.run = run.description
        request.reason = reason
        return try await call { [request] in
            try RunStatus(try await $0.abortRun(request, options: $1))
        }
    }

    /// The bytes of a model.
    public func model(sha256: String) async throws(OperatorError) -> [UInt8] {
        var request = Fed_V1_ModelReference()
        request.sha256 = sha256
        return try await call(timeout: nil) { [request] client, options in
            try await client.getModel(request, options: options) { response in
                var bytes: [UInt8] = []
                for try await part in response.messages { bytes.append(contentsOf: part.data) }
                return bytes
            }
        }
    }

    /// All banks that were ever invited.
    public func members() async throws(OperatorError) -> [MemberStatus] {
        try await call { client, options in
            try await client.listMembers(Fed_V1_ListMembersRequest(), options: options).members
                .map { wire in try MemberStatus(wire) }
        }
    }

    /// Shuts a bank out and closes its connection.
    public func revokeMember(_ bank: NodeID) async throws(OperatorError) -> MemberStatus {
        var request = Fed_V1_RevokeMemberRequest()
        request.bank = bank.name
        return try await call { [request] in
            try MemberStatus(try await $0.revokeMember(request, options: $1))
        }
    }

    /// Makes an invitation file for a bank.
    public func createInvitation(
        for bank: NodeID, validFor: Duration
    ) async throws(OperatorError) -> [UInt8] {
        var request = Fed_V1_CreateInvitationRequest()
        request.bank = bank.name
        request.validSeconds = UInt64(max(0, validFor.components.seconds))
        return try await call { [request] in
            Array(try await $0.createInvitation(request, options: $1).invitationJson)
        }
    }

    /// Acts on the banks' vote on models.
    ///
    /// - Returns: its status, JSON.
    public func consensus(_ order: ConsensusOrder) async throws(OperatorError) -> [UInt8] {
        try await call { client, options in
            let reply: Fed_V1_ConsensusReply
            switch order {
            case .propose(let run, let seconds):
                var request = Fed_V1_ProposeModelRequest()
                request.run = run?.description ?? ""
                request.validSeconds = UInt64(clamping: seconds ?? 0)
                reply = try await client.proposeModel(request, options: options)
            case .status:
                reply = try await client.getConsensus(
                    Fed_V1_ConsensusRequest(), options: options)
            case .publish:
                reply = try await client.publishModel(
                    Fed_V1_ConsensusRequest(), options: options)
            }
            return Array(reply.statusJson)
        }
    }

    private static func reference(_ run: RunID) -> Fed_V1_RunReference {
        var reference = Fed_V1_RunReference()
        reference.run = run.description
        return reference
    }

    private func call<Value: Sendable>(
        timeout: Duration? = .seconds(30),
        _ body:
            @Sendable (Fed_V1_Operator.Client<HTTP2ClientTransport.Posix>, CallOptions)
            async throws -> Value
    ) async throws(OperatorError) -> Value {
        try await Patience.call(settings) { (error: OperatorError) in
            if case .transport(.unreachable) = error { true } else { false }
        } attempt: { tap throws(OperatorError) in
            try await attempt(timeout: timeout, tap, body)
        }
    }

    private func attempt<Value: Sendable>(
        timeout: Duration?, _ tap: ConnectionTap,
        _ body:
            @Sendable (Fed_V1_Operator.Client<HTTP2ClientTransport.Posix>, CallOptions)
            async throws -> Value
    ) async throws(OperatorError) -> Value {
        do {
            try await credentials.check(expected: .operatorConsole)
            let transport = try ClientTransport.make(
                to: address, authorityPEM: credentials.authorityPEM, credentials: credentials,
                settings: settings, tap: tap)
            var options = CallOptions.defaults
            options.waitForReady = false
            options.timeout = timeout
            options.maxRequestMessageBytes = 16 << 20
            return try await withGRPCClient(transport: transport) { [options] client in
                try await body(Fed_V1_Operator.Client(wrapping: client), options)
            }
        } catch let error as CredentialError {
            throw .transport(.ownCredentials(error))
        } catch let error as TransportError {
            throw .transport(error)
        } catch let error as WireError {
            throw .failed(reason: error.description)
        } catch {
            throw OperatorFailure.operatorError(error, first: tap.error, address: address)
        }
    }
}
