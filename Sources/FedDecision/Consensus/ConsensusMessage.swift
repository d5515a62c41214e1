package import FedCore

/// What coordinator and nodes say to each other about models, outside of runs.
///
/// Votes are signed by their banks and bundles consist of them; the rest is good for nothing but to
/// know what to send, so it is not signed.
package enum ConsensusMessage: Equatable, Sendable {
    /// A node on a new connection: the highest version that it has admitted.
    case standing(highestVersion: UInt64)
    /// The coordinator puts a candidate to the vote: ``ModelCandidate/bytes`` and the model.
    case candidate([UInt8], model: [UInt8])
    /// A node's ``ModelVote/bytes``.
    case vote([UInt8])
    /// The coordinator publishes ``ModelBundle/bytes`` and the model.
    case bundle([UInt8], model: [UInt8])
    /// What a node made of a bundle: a word of ``ModelStanding``, and why.
    case outcome(version: UInt64, standing: ModelStanding, reason: String)

    private static let magic = "fed/v1/consensus"
    private static let reasonBytesMax = 1000

    /// The message.
    package var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.magic)
        switch self {
        case .standing(let version):
            writer.write(UInt8(0))
            writer.write(version)
        case .candidate(let candidate, let model):
            writer.write(UInt8(1))
            writer.write(candidate)
            writer.write(model)
        case .vote(let vote):
            writer.write(UInt8(2))
            writer.write(vote)
        case .bundle(let bundle, let model):
            writer.write(UInt8(3))
            writer.write(bundle)
            writer.write(model)
        case .outcome(let version, let standing, let reason):
            writer.write(UInt8(4))
            writer.write(version)
            writer.write(standing.rawValue)
            writer.write(String(reason.prefix(Self.reasonBytesMax / 4)))
        }
        return writer.bytes
    }

    /// Whether bytes claim to be a message of this kind.
    package static func claims(_ bytes: [UInt8]) -> Bool {
        var writer = ByteWriter()
        writer.write(magic)
        return bytes.starts(with: writer.bytes)
    }

    /// Reads a message; nothing is verified but the form.
    package init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        guard try reader.readString(limit: 64) == Self.magic else {
            throw .invalidValue(field: "magic", at: 0)
        }
        switch try reader.read(UInt8.self) {
        case 0: self = .standing(highestVersion: try reader.read(UInt64.self))
        case 1:
            self = .candidate(try reader.readBytes(limit: 1024), model: try reader.readBytes())
        case 2: self = .vote(try reader.readBytes(limit: 1024))
        case 3: self = .bundle(try reader.readBytes(limit: 1 << 23), model: try reader.readBytes())
        case 4:
            let version = try reader.read(UInt64.self)
            guard let standing = ModelStanding(rawValue: try reader.readString(limit: 32)) else {
                throw .invalidValue(field: "standing", at: reader.position)
            }
            self = .outcome(
                version: version, standing: standing,
                reason: try reader.readString(limit: Self.reasonBytesMax))
        default: throw .invalidValue(field: "kind", at: reader.position)
        }
        try reader.finish()
    }
}

/// What a model is to a node.
package enum ModelStanding: String, CaseIterable, Sendable {
    /// It scores.
    case champion
    /// It was admitted and scores in the shadow.
    case challenger
    /// It scored before.
    case former
    /// It was examined and voted on.
    case candidate
    /// Its bundle was refused.
    case refused
}

extension ConsensusCharter {
    /// What a consortium's charter says about models: its members, and ``Charter/votesMin`` votes.
    ///
    /// - Returns: `nil` where a member's key is unusable.
    package init?(_ charter: Charter) {
        var keys: [NodeID: [UInt8]] = [:]
        for member in charter.roster.members { keys[member.bank] = member.identityKey }
        self.init(identityKeys: keys, quorum: charter.votesMin)
    }
}

extension BundleRefusal {
    /// The word in logs and documents; its own for every case.
    package var name: String {
        switch self {
        case .malformed: "malformed"
        case .foreignCharter: "foreign-charter"
        case .foreignStandard: "foreign-standard"
        case .modelMismatch: "model-mismatch"
        case .notYetValid: "not-yet-valid"
        case .expired: "expired"
        case .replayed: "replayed"
        case .downgraded: "downgraded"
        case .unknownVoter: "unknown-voter"
        case .repeatedVote: "repeated-vote"
        case .strayVote: "stray-vote"
        case .tamperedVote: "tampered-vote"
        case .quorumMissed: "quorum-missed"
        case .guardFailed: "guard-failed"
        }
    }
}

extension ModelRegistry.Refusal {
    /// The word in logs and documents.
    package var name: String {
        switch self {
        case .noChallenger: "no-challenger"
        case .challengerExpired: "challenger-expired"
        case .guardFailed: "guard-failed"
        case .nothingBefore: "nothing-before"
        }
    }
}

extension ModelRegistry.Refusal: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch self {
        case .noChallenger: "there is no challenger to activate"
        case .challengerExpired(let until): "the challenger's bundle expired at \(until)"
        case .guardFailed(let reasons):
            "it fails this bank's guard: \(reasons.map(\.name).joined(separator: ", "))"
        case .nothingBefore: "no model scored before the active one"
        }
    }
}
