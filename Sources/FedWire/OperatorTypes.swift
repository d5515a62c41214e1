public import FedCore

/// What an operator asks of a new run.
public struct RunRequest: Equatable, Sendable {
    /// The banks to take part; empty means all members.
    public var banks: [NodeID]
    /// The algorithm's name, such as `gbdt`.
    public var algorithm: String
    /// The algorithm's configuration, JSON; empty means its defaults.
    public var configurationJSON: String
    /// The feature standard, JSON.
    public var standardJSON: [UInt8]
    /// The largest number of rows that a bank may bring.
    public var rowsMax: UInt64

    /// Describes a run to start.
    public init(
        banks: [NodeID], algorithm: String, configurationJSON: String, standardJSON: [UInt8],
        rowsMax: UInt64
    ) {
        self.banks = banks
        self.algorithm = algorithm
        self.configurationJSON = configurationJSON
        self.standardJSON = standardJSON
        self.rowsMax = rowsMax
    }
}

/// Where a run stands.
public enum RunState: String, CaseIterable, Sendable {
    /// Waiting for banks to connect or to consent.
    case waiting
    /// Training.
    case running
    /// Ended with a model.
    case succeeded
    /// Ended without a model, by a fault.
    case failed
    /// Ended without a model, by a person's or a bank's decision.
    case aborted

    /// Whether nothing more can happen.
    public var isFinal: Bool {
        switch self {
        case .waiting, .running: false
        case .succeeded, .failed, .aborted: true
        }
    }
}

/// What a run has cost a bank, as the coordinator counted.
public struct BankTraffic: Equatable, Sendable {
    /// Whose traffic.
    public var bank: NodeID
    /// Message bytes that came from the bank.
    public var bytesReceived: UInt64
    /// Message bytes that went to the bank.
    public var bytesSent: UInt64
    /// Whether the bank is connected now.
    public var isConnected: Bool

    /// Records a bank's traffic.
    public init(bank: NodeID, bytesReceived: UInt64, bytesSent: UInt64, isConnected: Bool) {
        self.bank = bank
        self.bytesReceived = bytesReceived
        self.bytesSent = bytesSent
        self.isConnected = isConnected
    }
}

/// What an operator sees of a run.
public struct RunStatus: Equatable, Sendable {
    /// The run.
    public var run: RunID
    /// Where it stands.
    public var state: RunState
    /// The algorithm's name.
    public var algorithm: String
    /// Rounds done.
    public var round: UInt32
    /// Rounds planned, the most there can be.
    public var roundsMax: UInt32
    /// Masked sums done.
    public var slot: UInt64
    /// What is being done, for a progress line.
    public var note: String
    /// Traffic of each bank.
    public var banks: [BankTraffic]
    /// Why there is no model; empty otherwise.
    public var reason: String
    /// What to do about the reason; may be empty.
    public var hint: String
    /// The model's digest, hexadecimal; empty until there is one.
    public var modelSHA256: String
    /// When the run began, milliseconds since 1970.
    public var startedUnixMilliseconds: Int64
    /// When the run ended; `nil` while it is under way.
    public var finishedUnixMilliseconds: Int64?
    /// How long it has taken.
    public var seconds: Double

    /// The status of a run that has only been asked for.
    public init(run: RunID, algorithm: String, startedUnixMilliseconds: Int64) {
        self.run = run
        self.state = .waiting
        self.algorithm = algorithm
        self.round = 0
        self.roundsMax = 0
        self.slot = 0
        self.note = ""
        self.banks = []
        self.reason = ""
        self.hint = ""
        self.modelSHA256 = ""
        self.startedUnixMilliseconds = startedUnixMilliseconds
        self.finishedUnixMilliseconds = nil
        self.seconds = 0
    }
}

/// Where a bank stands in the consortium.
public enum MemberState: String, CaseIterable, Sendable {
    /// Invited, not enrolled.
    case invited
    /// A member.
    case active
    /// Shut out.
    case revoked
}

/// What an operator sees of a member.
public struct MemberStatus: Equatable, Sendable {
    /// The bank.
    public var bank: NodeID
    /// Where it stands.
    public var state: MemberState
    /// Whether it is connected now.
    public var isConnected: Bool
    /// Its Ed25519 identity key; empty before enrolment.
    public var identityKey: [UInt8]
    /// Its certificate's serial number, hexadecimal; empty before enrolment.
    public var certificateSerial: String
    /// When its certificate expires, milliseconds since 1970; 0 before enrolment.
    public var certificateExpiresUnixMilliseconds: Int64
    /// When it enrolled, milliseconds since 1970; 0 before enrolment.
    public var enrolledUnixMilliseconds: Int64

    /// A bank that has no certificate yet.
    public init(bank: NodeID, state: MemberState) {
        self.bank = bank
        self.state = state
        self.isConnected = false
        self.identityKey = []
        self.certificateSerial = ""
        self.certificateExpiresUnixMilliseconds = 0
        self.enrolledUnixMilliseconds = 0
    }
}
