internal import FedCrypto

/// Everything that a mask is bound to.
///
/// Two banks whose contexts differ in one bit mask with independent streams, which do not cancel: a
/// coordinator that tells them different things gets noise (secure-aggregation design, D2).
public struct SlotContext: Equatable, Sendable {
    /// SHA-256 of the run's manifest: run, algorithm, hyper-parameters, feature standard, roster.
    public let manifestDigest: [UInt8]
    /// SHA-256 of all epoch keys with their signatures.
    public let epochDigest: [UInt8]
    /// The group within the run, counted from 0.
    public let group: UInt32
    /// The group's derived identifier, the same in every run on the same state; see
    /// ``GroupSequence``.
    public let groupID: [UInt8]
    /// The attempt within the group; 0 is the first.
    public let attempt: UInt32
    /// The slot within the run, counted from 0.
    public let slot: UInt32
    /// The shape of the sum.
    public let layout: VectorLayout
    /// Head of the hash chain over every statement that the coordinator has sent, this slot's query
    /// included.
    public let transcriptHead: [UInt8]
    /// The banks.
    public let roster: Roster

    /// Wraps the parts.
    public init(
        manifestDigest: [UInt8], epochDigest: [UInt8], group: UInt32 = 0,
        groupID: [UInt8] = [], attempt: UInt32 = 0, slot: UInt32, layout: VectorLayout,
        transcriptHead: [UInt8], roster: Roster
    ) {
        self.manifestDigest = manifestDigest
        self.epochDigest = epochDigest
        self.group = group
        self.groupID = groupID
        self.attempt = attempt
        self.slot = slot
        self.layout = layout
        self.transcriptHead = transcriptHead
        self.roster = roster
    }

    /// SHA-256 over the canonical encoding of all parts; `ctx` in the design.
    public var digest: [UInt8] {
        var writer = ByteWriter()
        writer.write("fed/v1/slot")
        writer.write(manifestDigest)
        writer.write(epochDigest)
        writer.write(group)
        writer.write(groupID)
        writer.write(attempt)
        writer.write(slot)
        writer.write(UInt32(layout.laneCount))
        writer.write(UInt8(layout.ringBits))
        writer.write(transcriptHead)
        roster.write(to: &writer)
        return SHA256.hash(writer.bytes)
    }
}

/// A hash chain over one author's statements in a run: fixes their content and their order.
///
/// The chain over the coordinator's statements is the transcript that every mask is bound to.
public struct Transcript: Equatable, Sendable {
    /// SHA-256 over the previous head and the digest of the newest statement.
    public private(set) var head: [UInt8]

    /// Begins the chain of one author in one run.
    public init(run: RunID, author: Author = .coordinator) {
        var writer = ByteWriter()
        writer.write("fed/v1/transcript")
        writer.writeFixed(run.bytes)
        writer.write(author.wireName)
        head = SHA256.hash(writer.bytes)
    }

    /// Appends a statement by its SHA-256.
    public mutating func append(digest: [UInt8]) {
        head = SHA256.hash(head + digest)
    }
}
