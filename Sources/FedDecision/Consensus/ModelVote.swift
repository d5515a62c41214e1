package import FedCore
package import FedCrypto

/// What a bank says about a candidate.
package enum VoteDecision: UInt8, CaseIterable, Sendable {
    case reject = 0
    case accept = 1
    /// It cannot tell; counts for no quorum.
    case abstain = 2

    /// The word in documents.
    package var name: String {
        switch self {
        case .reject: "reject"
        case .accept: "accept"
        case .abstain: "abstain"
        }
    }
}

/// Why a bank votes as it does; on the wire by number, so numbers are never used again.
package enum VoteReason: UInt8, CaseIterable, Sendable {
    /// It catches no less than the active model and than the local one alone.
    case noWorse = 0
    /// It catches more than the active model.
    case catchesMore = 1
    /// It catches less than the bank's own model alone.
    case worseThanLocal = 2
    /// It catches less than the active model.
    case worseThanActive = 3
    /// It expects many more, or many fewer, frauds than there are.
    case badlyCalibrated = 4
    /// In one segment it catches far less than the active or the local model.
    case segmentWorse = 5
    /// The bank's recent rows have too few frauds to measure anything.
    case fewFrauds = 6
    /// The bank took part in no run with the candidate's manifest.
    case unknownRun = 7
    /// The bank's own record of that run has another model or another head.
    case recordDiffers = 8

    /// The word in documents and logs.
    package var name: String {
        switch self {
        case .noWorse: "no-worse"
        case .catchesMore: "catches-more"
        case .worseThanLocal: "worse-than-local"
        case .worseThanActive: "worse-than-active"
        case .badlyCalibrated: "badly-calibrated"
        case .segmentWorse: "segment-worse"
        case .fewFrauds: "few-frauds"
        case .unknownRun: "unknown-run"
        case .recordDiffers: "record-differs"
        }
    }
}

/// A bank's signed vote.
///
/// No figure of the bank is in it; those travel as masked sums.
package struct ModelVote: Equatable, Sendable {
    /// Digest of the candidate.
    package let candidate: [UInt8]
    /// The voter.
    package let bank: NodeID
    /// What it says.
    package let decision: VoteDecision
    /// Why; rising.
    package let reasons: [VoteReason]
    /// When it was cast, seconds since 1970.
    package let castAt: Int64
    /// The bytes as they travel, the signature included.
    package let bytes: [UInt8]

    private static let magic = "fed/v1/model-vote"

    /// Casts a vote.
    package init(
        candidate: ModelCandidate, bank: NodeID, decision: VoteDecision, reasons: [VoteReason],
        castAt: Int64, key: SigningKey
    ) {
        self.candidate = candidate.digest
        self.bank = bank
        self.decision = decision
        self.reasons = Set(reasons).sorted { $0.rawValue < $1.rawValue }
        self.castAt = castAt
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.writeFixed(self.candidate)
        writer.write(bank.name)
        writer.write(decision.rawValue)
        writer.writeEach(self.reasons) { $0.write($1.rawValue) }
        writer.write(castAt)
        bytes = writer.bytes + key.sign(writer.bytes)
    }

    /// Parses a vote; the signature is **not** checked yet, see ``isSigned(by:)``.
    package init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        guard try reader.readString(limit: 64) == Self.magic else {
            throw .invalidValue(field: "magic", at: 0)
        }
        candidate = try reader.readFixed(32)
        guard let bank = NodeID(try reader.readString(limit: 64)) else {
            throw .invalidValue(field: "bank", at: reader.position)
        }
        self.bank = bank
        guard let decision = VoteDecision(rawValue: try reader.read(UInt8.self)) else {
            throw .invalidValue(field: "decision", at: reader.position)
        }
        self.decision = decision
        reasons = try reader.readEach(limit: 64) { reader throws(DecodingFailure) in
            guard let reason = VoteReason(rawValue: try reader.read(UInt8.self)) else {
                throw .invalidValue(field: "reason", at: reader.position)
            }
            return reason
        }
        guard zip(reasons, reasons.dropFirst()).allSatisfy({ $0.rawValue < $1.rawValue }) else {
            throw .invalidValue(field: "reasons", at: reader.position)
        }
        castAt = try reader.readInt64()
        _ = try reader.readFixed(SigningKey.signatureByteCount)
        try reader.finish()
        self.bytes = bytes
    }

    /// Whether the owner of the identity key signed exactly these bytes.
    package func isSigned(by publicKey: [UInt8]) -> Bool {
        let split = bytes.count - SigningKey.signatureByteCount
        return VerifyingKey.isValid(
            signature: Array(bytes[split...]), message: Array(bytes[..<split]),
            publicKey: publicKey)
    }
}
