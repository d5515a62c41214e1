package import FedCore
internal import FedCrypto

/// Who votes on models, and how many must agree.
///
/// Each node holds its own copy, from the consortium's founding documents: a bundle never says what
/// quorum it needs.
package struct ConsensusCharter: Equatable, Sendable {
    /// The banks' Ed25519 identity keys.
    package let identityKeys: [NodeID: [UInt8]]
    /// Votes for a candidate that make it valid: more than half of the banks, at most all.
    package let quorum: Int
    /// SHA-256 of the canonical form.
    package let digest: [UInt8]

    private static let magic = "fed/v1/consensus-charter"

    /// Wraps a charter.
    ///
    /// - Returns: `nil` unless each key is a usable one of 32 bytes, no two banks share one, and
    ///   the quorum is more than half of the banks and at most all.
    package init?(identityKeys: [NodeID: [UInt8]], quorum: Int) {
        guard 2 * quorum > identityKeys.count, quorum <= identityKeys.count,
            Set(identityKeys.values).count == identityKeys.count,
            identityKeys.values.allSatisfy({ (try? VerifyingKey(publicKey: $0)) != nil })
        else { return nil }
        self.identityKeys = identityKeys
        self.quorum = quorum
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(UInt32(quorum))
        writer.writeEach(identityKeys.sorted { $0.key < $1.key }) { writer, member in
            writer.write(member.key.name)
            writer.writeFixed(member.value)
        }
        digest = SHA256.hash(writer.bytes)
    }
}

/// A joint model put to the vote: everything that a vote binds.
package struct ModelCandidate: Equatable, Sendable {
    /// Digest of the charter under which it is voted on.
    package let charterDigest: [UInt8]
    /// Rises with every candidate of the consortium, so an old one cannot come back.
    package let version: UInt64
    /// SHA-256 of the model document.
    package let modelDigest: [UInt8]
    /// SHA-256 of the feature standard.
    package let standardDigest: [UInt8]
    /// SHA-256 of the manifest of the run that trained it.
    package let manifestDigest: [UInt8]
    /// The head of that run's chain of receipts.
    package let receiptHead: [UInt8]
    /// From when, and until when, it may be activated: seconds since 1970.
    package let validity: Range<Int64>

    private static let magic = "fed/v1/model-candidate"

    /// Wraps the members; digests have 32 bytes.
    package init(
        charterDigest: [UInt8], version: UInt64, modelDigest: [UInt8], standardDigest: [UInt8],
        manifestDigest: [UInt8], receiptHead: [UInt8], validity: Range<Int64>
    ) {
        for digest in [charterDigest, modelDigest, standardDigest, manifestDigest, receiptHead] {
            precondition(digest.count == 32, "a digest of \(digest.count) bytes")
        }
        self.charterDigest = charterDigest
        self.version = version
        self.modelDigest = modelDigest
        self.standardDigest = standardDigest
        self.manifestDigest = manifestDigest
        self.receiptHead = receiptHead
        self.validity = validity
    }

    /// The canonical form.
    package var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.write(version)
        for digest in [charterDigest, modelDigest, standardDigest, manifestDigest, receiptHead] {
            writer.writeFixed(digest)
        }
        writer.write(validity.lowerBound)
        writer.write(validity.upperBound)
        return writer.bytes
    }

    /// SHA-256 of ``bytes``, which votes name.
    package var digest: [UInt8] { SHA256.hash(bytes) }

    /// Reads ``bytes``.
    ///
    /// - Throws: `DecodingFailure`.
    package init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        guard try reader.readString(limit: 64) == Self.magic else {
            throw .invalidValue(field: "magic", at: 0)
        }
        version = try reader.read(UInt64.self)
        charterDigest = try reader.readFixed(32)
        modelDigest = try reader.readFixed(32)
        standardDigest = try reader.readFixed(32)
        manifestDigest = try reader.readFixed(32)
        receiptHead = try reader.readFixed(32)
        let place = reader.position
        let from = try reader.readInt64()
        let until = try reader.readInt64()
        guard from < until else { throw .invalidValue(field: "validity", at: place) }
        validity = from..<until
        try reader.finish()
    }
}
