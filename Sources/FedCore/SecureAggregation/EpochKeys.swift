public import FedCrypto

/// The pairwise keys of one bank for one epoch, from one authenticated X25519 agreement.
///
/// `K_ij = HKDF-Extract(salt: epoch digest, X25519(i, j))`; each slot's mask seed is
/// `HKDF-Expand(K_ij, "fed/v1/mask" ‖ ctx)`: a PRF of a fresh context, so masks of different slots
/// are independent and no key is ever used twice (secure-aggregation design, sections 1.2 and 1.6).
/// At each group the keys move one step on, and the old ones are wiped. Keys live in memory only
/// and are never stored, shared or revealed.
public struct EpochKeys: Sendable {
    private let own: NodeID
    private var pairKeys: [NodeID: SecretBytes]
    /// SHA-256 over all epoch keys of the roster: the salt, and part of every context.
    public let digest: [UInt8]

    /// Agrees with every other bank of the roster.
    ///
    /// - Parameters:
    ///   - own: this bank.
    ///   - key: this bank's ephemeral X25519 key.
    ///   - publicKeys: the epoch key of every bank of the roster, this one's included.
    ///   - digest: the epoch digest.
    /// - Throws: ``EpochFailure`` for a missing, repeated, low-order or foreign own key.
    public init(
        own: NodeID, key: AgreementKey, publicKeys: [NodeID: [UInt8]], roster: Roster,
        digest: [UInt8]
    ) throws(EpochFailure) {
        guard publicKeys[own] == key.publicKey else { throw .ownKeyReplaced }
        guard Set(publicKeys.values).count == publicKeys.count else { throw .repeatedKey }
        var pairKeys: [NodeID: SecretBytes] = [:]
        for peer in roster.banks where peer != own {
            guard let publicKey = publicKeys[peer] else { throw .missingKey(peer) }
            do {
                let shared = try key.sharedSecret(with: publicKey)
                pairKeys[peer] = HKDF.extract(salt: digest, inputKey: shared)
            } catch {
                throw .badKey(peer)
            }
        }
        self.own = own
        self.pairKeys = pairKeys
        self.digest = digest
    }

    /// Moves to the next group: `K' = HKDF-Expand(K, "ratchet" ‖ h)`; the old keys are gone.
    ///
    /// - Parameter transcriptHead: all that was said up to the group's start. Banks that were told
    ///   different things have different keys from here on.
    mutating func ratchet(transcriptHead: [UInt8]) {
        let info = Array("fed/v1/ratchet".utf8) + transcriptHead
        pairKeys = pairKeys.mapValues { HKDF.expand($0, info: info, count: 32) }
    }

    /// Seals one message of the epoch to another bank.
    package func seal(_ secret: SecretBytes, to peer: NodeID) throws(CryptoError) -> [UInt8] {
        guard let pairKey = pairKeys[peer] else { throw .authenticationFailed }
        let info = Self.boxInfo(digest, from: own, to: peer)
        return try AEAD.seal(
            secret, key: HKDF.expand(pairKey, info: info, count: AEAD.keyByteCount),
            nonce: Self.nonce, additionalData: info)
    }

    /// Opens the one message of the epoch from another bank.
    func open(_ box: [UInt8], from peer: NodeID) throws(CryptoError) -> SecretBytes {
        guard let pairKey = pairKeys[peer] else { throw .authenticationFailed }
        let info = Self.boxInfo(digest, from: peer, to: own)
        return try AEAD.open(
            box, key: HKDF.expand(pairKey, info: info, count: AEAD.keyByteCount),
            nonce: Self.nonce, additionalData: info)
    }

    /// Masks an encoded vector: the only way to make a ``MaskedUpdate``.
    ///
    /// Lanes get the pairwise mask of every later bank added and of every earlier bank subtracted,
    /// modulo 2^64; two check lanes are masked along with them. The wire form keeps the low b bits.
    ///
    /// - Parameter gate: the seed of the self-mask of a group's first slot; `nil` for later slots.
    public func mask(
        _ vector: EncodedVector, context: SlotContext, gate: SecretBytes? = nil
    ) -> MaskedUpdate {
        precondition(vector.layout == context.layout, "the vector has another layout")
        let digest = context.digest
        var lanes = CheckLanes.append(to: vector.lanes, contextDigest: digest)
        let info = Self.info(digest)
        var masks: [MaskGenerator.Mask] = []
        masks.reserveCapacity(context.roster.members.count)
        for member in context.roster.members where member.bank != own {
            guard let pairKey = pairKeys[member.bank] else {
                preconditionFailure("a roster beyond the epoch's")
            }
            masks.append(
                MaskGenerator.Mask(
                    MaskSeed(deriving: pairKey, info: info), isSubtracted: member.bank < own))
        }
        if let gate {
            masks.append(MaskGenerator.Mask(Self.gateMask(gate, digest), isSubtracted: false))
        }
        MaskGenerator.add(masks, to: &lanes)
        return MaskedUpdate(
            contextDigest: digest, laneBytes: LanePacking.pack(lanes, in: vector.layout.ring))
    }

    /// The self-mask that a gate seed expands to in one context.
    static func gateMask(_ gate: SecretBytes, _ contextDigest: [UInt8]) -> MaskSeed {
        MaskSeed(deriving: gate, info: Array("fed/v1/gate-mask".utf8) + contextDigest)
    }

    // One message under each key: the nonce need not vary.
    private static let nonce = [UInt8](repeating: 0, count: AEAD.nonceByteCount)

    private static func boxInfo(_ digest: [UInt8], from: NodeID, to: NodeID) -> [UInt8] {
        var writer = ByteWriter()
        writer.write("fed/v1/box")
        writer.write(digest)
        writer.write(from.name)
        writer.write(to.name)
        return writer.bytes
    }

    private static func info(_ contextDigest: [UInt8]) -> [UInt8] {
        Array("fed/v1/mask".utf8) + contextDigest
    }
}

/// Why the epoch's keys cannot be used.
public enum EpochFailure: Error, Equatable, Sendable {
    /// The roster of keys shows another key for this bank than it made.
    case ownKeyReplaced
    /// Two banks have the same key.
    case repeatedKey
    /// A bank of the roster has no key.
    case missingKey(NodeID)
    /// A bank's key is a low-order point or has a wrong size.
    case badKey(NodeID)
}

/// A bank's vector as it leaves the bank: uniformly random to anyone without all the pair keys.
///
/// There is no initialiser outside of this file; what goes to the wire has been masked.
public struct MaskedUpdate: Equatable, Sendable {
    /// SHA-256 of the context that the masks are bound to.
    public let contextDigest: [UInt8]
    /// Lanes and check lanes, b/8 bytes each, little-endian.
    public let laneBytes: [UInt8]

    fileprivate init(contextDigest: [UInt8], laneBytes: [UInt8]) {
        self.contextDigest = contextDigest
        self.laneBytes = laneBytes
    }
}
