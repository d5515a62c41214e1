package import FedCore
internal import FedCrypto

/// A candidate with the votes on it: what the coordinator publishes and nodes verify.
package struct ModelBundle: Equatable, Sendable {
    /// What was voted on.
    package let candidate: ModelCandidate
    /// The votes, in the order of the banks' names.
    package let votes: [ModelVote]

    private static let magic = "fed/v1/model-bundle"
    /// The most votes.
    package static let votesMax = 4096

    /// Wraps votes in the order of names.
    package init(candidate: ModelCandidate, votes: [ModelVote]) {
        self.candidate = candidate
        self.votes = votes.sorted { $0.bank < $1.bank }
    }

    /// The canonical form.
    package var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(candidate.bytes)
        writer.writeEach(votes) { $0.write($1.bytes) }
        return writer.bytes
    }

    /// SHA-256 of ``bytes``.
    package var digest: [UInt8] { SHA256.hash(bytes) }

    /// Reads ``bytes``; nothing is verified but the form.
    ///
    /// - Throws: `DecodingFailure`.
    package init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        guard try reader.readString(limit: 64) == Self.magic else {
            throw .invalidValue(field: "magic", at: 0)
        }
        candidate = try ModelCandidate(bytes: try reader.readBytes(limit: 1024))
        votes = try reader.readEach(limit: Self.votesMax) { reader throws(DecodingFailure) in
            try ModelVote(bytes: try reader.readBytes(limit: 1024))
        }
        guard zip(votes, votes.dropFirst()).allSatisfy({ !($1.bank < $0.bank) }) else {
            throw .invalidValue(field: "order of votes", at: reader.position)
        }
        try reader.finish()
    }
}

/// Why a node does not take a bundle; one reason each.
package enum BundleRefusal: Error, Equatable, Sendable {
    /// The bytes are not a bundle.
    case malformed
    /// It is of another consortium, or of an earlier charter.
    case foreignCharter
    /// The model is of another feature standard than the node's.
    case foreignStandard
    /// The model's bytes are not those that were voted on.
    case modelMismatch
    /// Its time has not come.
    case notYetValid(from: Int64)
    /// Its time is over.
    case expired(until: Int64)
    /// The node has had this very candidate before.
    case replayed(version: UInt64)
    /// The node has had a later candidate.
    case downgraded(version: UInt64, highest: UInt64)
    /// A vote is of somebody outside the charter.
    case unknownVoter(NodeID)
    /// A bank's vote stands there twice.
    case repeatedVote(NodeID)
    /// A vote is on another candidate.
    case strayVote(NodeID)
    /// A vote's signature does not verify.
    case tamperedVote(NodeID)
    /// Too few banks voted for it.
    case quorumMissed(accepts: Int, quorum: Int)
    /// It fails the node's own guard.
    case guardFailed([VoteReason])
}

extension BundleRefusal: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch self {
        case .malformed: "the bytes are not a model bundle"
        case .foreignCharter: "the bundle is of another consortium or charter"
        case .foreignStandard: "the model is of another feature standard"
        case .modelMismatch: "the model is not the one that was voted on"
        case .notYetValid(let from): "the bundle is valid from \(from) on"
        case .expired(let until): "the bundle expired at \(until)"
        case .replayed(let version): "candidate \(version) was taken before"
        case .downgraded(let version, let highest):
            "candidate \(version) is older than \(highest), which was taken before"
        case .unknownVoter(let bank): "\(bank) has no vote under the charter"
        case .repeatedVote(let bank): "\(bank) votes twice"
        case .strayVote(let bank): "the vote of \(bank) is on another candidate"
        case .tamperedVote(let bank): "the signature of \(bank) does not verify"
        case .quorumMissed(let accepts, let quorum):
            "\(accepts) banks voted for it, the charter wants \(quorum)"
        case .guardFailed(let reasons):
            "it fails this bank's guard: \(reasons.map(\.name).joined(separator: ", "))"
        }
    }
}

extension ModelBundle {
    /// Verifies the form's content against a charter: every vote, and the quorum.
    ///
    /// A bundle with one bad vote is refused whole, also where the others make a quorum: whoever
    /// put it together put a forgery into it.
    package func verify(_ charter: ConsensusCharter) throws(BundleRefusal) {
        guard candidate.charterDigest == charter.digest else { throw .foreignCharter }
        let digest = candidate.digest
        var voters: Set<NodeID> = []
        var accepts = 0
        for vote in votes {
            guard let key = charter.identityKeys[vote.bank] else { throw .unknownVoter(vote.bank) }
            guard voters.insert(vote.bank).inserted else { throw .repeatedVote(vote.bank) }
            guard vote.candidate == digest else { throw .strayVote(vote.bank) }
            guard vote.isSigned(by: key) else { throw .tamperedVote(vote.bank) }
            if vote.decision == .accept { accepts += 1 }
        }
        guard accepts >= charter.quorum else {
            throw .quorumMissed(accepts: accepts, quorum: charter.quorum)
        }
    }
}
