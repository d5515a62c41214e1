public import FedCore
public import FedWire

/// Why the coordinator does not do what an operator asks.
public enum OperatorError: Error, Equatable, Sendable {
    /// No such run, member or model.
    case notFound(String)
    /// The request cannot be carried out as it stands.
    case invalid(reason: String, hint: String)
    /// The coordinator's state does not allow it now.
    case conflict(reason: String, hint: String)
    /// The coordinator failed; its log says more.
    case failed(reason: String)
    /// The coordinator could not be asked.
    case transport(TransportError)
}

extension OperatorError: ExplainedError {
    /// The text form, for people.
    public var description: String {
        switch self {
        case .notFound(let what): "\(what) is not known to the coordinator"
        case .invalid(let reason, _), .conflict(let reason, _), .failed(let reason): reason
        case .transport(let error): error.description
        }
    }

    /// What to do about it; may be empty.
    public var hint: String {
        switch self {
        case .notFound: ""
        case .invalid(_, let hint), .conflict(_, let hint): hint
        case .failed: "see the coordinator's log"
        case .transport(let error): error.hint
        }
    }
}

/// What the coordinator does for an operator.
///
/// Every caller has shown the operator's certificate.
public protocol OperatorDelegate: Sendable {
    /// Starts a run.
    func startRun(_ request: RunRequest) async throws(OperatorError) -> RunStatus
    /// The status of a run now and at each change, ending with a final state.
    func watchRun(_ run: RunID) async throws(OperatorError) -> AsyncStream<RunStatus>
    /// The status of one run.
    func run(_ run: RunID) async throws(OperatorError) -> RunStatus
    /// The newest runs first, at most `limit` (0: all).
    func runs(limit: Int) async throws(OperatorError) -> [RunStatus]
    /// Ends a run without a model.
    func abortRun(_ run: RunID, reason: String) async throws(OperatorError) -> RunStatus
    /// The bytes of a model.
    func model(sha256: String) async throws(OperatorError) -> [UInt8]
    /// All banks that were ever invited; whether they are connected is filled in by the server.
    func members() async throws(OperatorError) -> [MemberStatus]
    /// Shuts a bank out; the server then closes its connection.
    func revokeMember(_ bank: NodeID) async throws(OperatorError) -> MemberStatus
    /// Makes an invitation file for a bank.
    func createInvitation(
        for bank: NodeID, validFor: Duration
    ) async throws(OperatorError) -> [UInt8]
    /// Acts on the banks' vote on models, and gives its status as a JSON document.
    func consensus(_ order: ConsensusOrder) async throws(OperatorError) -> [UInt8]
}
