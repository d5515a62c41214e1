/// Why a bank does not take part in a run, or leaves it.
///
/// A closed list: the same words appear in the bank's log, the coordinator's log and the operator's
/// command line.
public enum RefusalReason: Error, Equatable, Sendable, CustomStringConvertible {
    /// The run uses another feature standard than this bank's.
    case standardDiffers(expected: [UInt8], got: [UInt8])
    /// The manifest cannot be read or is not acceptable.
    case manifest(String)
    /// This bank is not in the roster, or under another identity key.
    case notInRoster
    /// A bank's identity key is not the one that this bank knows.
    case identityKeyChanged(NodeID)
    /// A signature does not verify.
    case badSignature(Author)
    /// A statement is malformed, replayed, out of order or of another run.
    case protocolViolation(String)
    /// The epoch's keys cannot be used.
    case epochKeys(String)
    /// Banks acknowledged different epochs: the coordinator told them different things.
    case splitView(NodeID)
    /// The coordinator's receipt does not hold this bank's update.
    case receiptDiffers
    /// The consortium's charter cannot be read or is not acceptable.
    case charter(String)
    /// A bank's commitment to its gate seeds, or the shares it dealt, cannot be used.
    case gateShares(NodeID)
    /// One of this bank's own safety rules forbids what is asked for.
    case safety(String)
    /// The roster of a query is not one that this bank may join.
    case roster(String)
    /// The commit of a group's first sum does not hold this bank's upload.
    case commitDiffers
    /// This bank's rows or its durable state are not those of its first upload.
    case uploadDiffers
    /// The coordinator has more statements of this bank than the bank knows of: its state is lost.
    case stateLost
    /// This bank brings more rows than the manifest allows.
    case tooManyRows(rowsMax: Int)
    /// The rows or the query cannot be computed with.
    case learning(String)
    /// The bank's operator ended it, or the service is stopping.
    case stopped

    /// The words for a person.
    public var description: String {
        switch self {
        case .standardDiffers(let expected, let got):
            "feature standard differs: this bank holds \(expected.hexadecimal), "
                + "the run uses \(got.hexadecimal)"
        case .manifest(let what): "manifest refused: \(what)"
        case .notInRoster: "this bank is not in the roster under its own identity key"
        case .identityKeyChanged(let bank):
            "the identity key of bank \(bank) is not the one known here"
        case .badSignature(let author): "signature of \(author) does not verify"
        case .protocolViolation(let what): "protocol violation: \(what)"
        case .epochKeys(let what): "epoch keys refused: \(what)"
        case .splitView(let bank): "bank \(bank) was shown another epoch than this bank"
        case .receiptDiffers: "the coordinator's receipt does not hold this bank's update"
        case .charter(let what): "charter refused: \(what)"
        case .gateShares(let bank): "the shares dealt by bank \(bank) are not those it signed"
        case .safety(let what): "forbidden by this bank's safety rules: \(what)"
        case .roster(let what): "roster refused: \(what)"
        case .commitDiffers: "the coordinator's commit does not hold this bank's upload"
        case .uploadDiffers: "an upload to be sent again is not the one sent before"
        case .stateLost: "this bank has lost its state of the run"
        case .tooManyRows(let rowsMax): "this bank brings more than \(rowsMax) rows"
        case .learning(let what): "cannot compute: \(what)"
        case .stopped: "the bank's service is stopping"
        }
    }
}

/// Why a run ended without a model, or goes on without a bank.
///
/// Names the bank where one is the cause.
public enum AbortReason: Error, Equatable, Sendable, CustomStringConvertible {
    /// The operator ended it.
    case byOperator
    /// A bank refused.
    case bankRefused(NodeID, RefusalReason)
    /// A bank broke the protocol.
    case bankViolation(NodeID, String)
    /// A sum's check lanes do not hold; no figure of it was used.
    case garbledSum(slot: Int)
    /// More attempts were needed than self-masks had been shared for.
    case gatesExhausted
    /// A bank's recovered gate seed is not the one it committed to.
    case gateDiffers(NodeID)
    /// The coordinator's own journal cannot be replayed.
    case journal(String)
    /// The learner cannot go on.
    case learning(String)

    /// The words for a person.
    public var description: String {
        switch self {
        case .byOperator: "aborted by the operator"
        case .bankRefused(let bank, let reason): "bank \(bank) refused: \(reason)"
        case .bankViolation(let bank, let what): "bank \(bank) broke the protocol: \(what)"
        case .garbledSum(let slot): "the sum of slot \(slot) is garbled; nothing of it was used"
        case .gatesExhausted: "more attempts were needed than self-masks had been shared for"
        case .gateDiffers(let bank): "bank \(bank): its gate seed is not the one it committed to"
        case .journal(let what): "the run's journal cannot be replayed: \(what)"
        case .learning(let what): "training cannot go on: \(what)"
        }
    }

    /// The bank that is the cause, where one is.
    public var bank: NodeID? {
        switch self {
        case .bankRefused(let bank, _), .bankViolation(let bank, _), .gateDiffers(let bank):
            bank
        case .byOperator, .garbledSum, .gatesExhausted, .journal, .learning:
            nil
        }
    }
}

/// Something worth a log line; the edge decides where it goes.
public struct Notice: Equatable, Sendable {
    /// How loud.
    public enum Level: Sendable { case debug, info, warning, error }
    /// How loud.
    public let level: Level
    /// What happened, without values of rows or statistics.
    public let text: String

    /// Wraps a text.
    public init(_ level: Level, _ text: String) {
        self.level = level
        self.text = text
    }
}
