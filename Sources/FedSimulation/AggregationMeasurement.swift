public import FedCore
internal import FedCrypto

/// Measures what secure aggregation costs one bank and the coordinator, for benchmarks: the
/// primitives of one epoch's set-up and of one slot, without network or disk.
///
/// Masks, shares and sums are the real ones; of the other banks only keys and messages are made.
public struct AggregationMeasurement: Sendable {
    /// What one combination of banks and lanes costs.
    public struct Costs: Sendable, Encodable {
        /// Agreement, signatures and shares of one bank's epoch, seconds.
        public var setUpSeconds = 0.0
        /// What one bank sends to set up: signed key, sealed shares, acknowledgement.
        public var setUpBytesSent = 0
        /// What one bank receives to set up.
        public var setUpBytesReceived = 0
        /// The masks of one plain slot made and added, and the vector packed, seconds.
        public var slotSeconds = 0.0
        /// The same for the first slot of a group, which a self mask covers too.
        public var gatedSlotSeconds = 0.0
        /// The lanes of one bank's update on the wire, with check lanes.
        public var slotBytes = 0
        /// Mask bytes made and added, 8 a lane, per second and core, 1e9.
        public var maskGigabytesPerSecond = 0.0
        /// One update added onto the coordinator's sum, seconds.
        public var sumSeconds = 0.0
        /// Wire bytes added by the coordinator per second and core, 1e9.
        public var sumGigabytesPerSecond = 0.0
    }

    /// Banks.
    public let bankCount: Int
    /// Lanes of the vector.
    public let laneCount: Int
    /// The ring of the wire form.
    public let ring: RingWidth
    /// Gates whose self mask is shared in one epoch: one for each group, such as a tree.
    public let gateCount: Int

    // Beside the lanes of a vector there are two check lanes.
    private static let checkLaneCount = 2

    /// Chooses what to measure.
    ///
    /// - Parameters:
    ///   - bankCount: 2 to 255.
    ///   - laneCount: at least 1.
    public init(bankCount: Int, laneCount: Int, ring: RingWidth, gateCount: Int = 1) {
        precondition((2...255).contains(bankCount), "\(bankCount) banks")
        precondition(laneCount > 0 && gateCount > 0, "\(laneCount) lanes, \(gateCount) gates")
        self.bankCount = bankCount
        self.laneCount = laneCount
        self.ring = ring
        self.gateCount = gateCount
    }

    /// Measures.
    ///
    /// - Parameters:
    ///   - repeats: runs of each part; the shortest counts.
    ///   - now: seconds of a clock that never goes back.
    /// - Throws: what the cryptographic library refuses.
    public func run(repeats: Int, now: () -> Double) throws -> Costs {
        var costs = Costs()
        try measureSetUp(repeats: repeats, now: now, into: &costs)
        measureSlots(repeats: repeats, now: now, into: &costs)
        return costs
    }

    private func best(
        of repeats: Int, now: () -> Double, _ body: () throws -> Void
    ) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<max(1, repeats) {
            let start = now()
            try body()
            best = min(best, now() - start)
        }
        return best
    }

    private func secret(_ label: String, _ number: Int = 0, count: Int = 32) -> SecretBytes {
        let key = SecretBytes(SHA256.hash(Array("\(label) \(number)".utf8)))
        // Longer ones, such as polynomials' coefficients, from as many expansions as it takes.
        var bytes: [UInt8] = []
        for part in 0..<(count + 31) / 32 {
            HKDF.expand(key, info: Array("\(part)".utf8), count: 32)
                .withUnsafeBytes { bytes += $0 }
        }
        return SecretBytes(Array(bytes.prefix(count)))
    }

    // MARK: - Set-up

    /// One bank's part of E0 to E1' of the design's section 1.3.
    private func measureSetUp(
        repeats: Int, now: () -> Double, into costs: inout Costs
    ) throws {
        let identity = try SigningKey(seed: secret("identity"))
        let peers = try (1..<bankCount).map { number in
            let identity = try SigningKey(seed: secret("identity", number))
            let key = try AgreementKey(seed: secret("epoch", number)).publicKey
            return (identity: identity.publicKey, key: key, signature: identity.sign(key))
        }
        let threshold = max(1, bankCount - max(1, (bankCount + 7) / 8))
        let coefficients = (0..<gateCount).map {
            secret(
                "polynomial", $0,
                count: SecretSharing.coefficientByteCount(threshold: threshold))
        }
        let nonce = [UInt8](repeating: 0, count: AEAD.nonceByteCount)
        var sealedBytes = 0
        costs.setUpSeconds = try best(of: repeats, now: now) {
            let key = try AgreementKey(seed: secret("epoch"))
            _ = identity.sign(key.publicKey)
            let digest = SHA256.hash(peers.flatMap(\.key) + key.publicKey)
            let shares = try (0..<gateCount).map {
                try SecretSharing.split(
                    secret("gate", $0), threshold: threshold, shareCount: bankCount,
                    coefficients: coefficients[$0])
            }
            sealedBytes = 0
            for (number, peer) in peers.enumerated() {
                guard
                    VerifyingKey.isValid(
                        signature: peer.signature, message: peer.key, publicKey: peer.identity)
                else { throw CryptoError.authenticationFailed }
                let pairKey = HKDF.extract(
                    salt: digest, inputKey: try key.sharedSecret(with: peer.key))
                var plain: [UInt8] = []
                for gate in shares { gate[number + 1].bytes.withUnsafeBytes { plain += $0 } }
                let outward = HKDF.expand(pairKey, info: Array("aead out".utf8), count: 32)
                let box = try AEAD.seal(
                    SecretBytes(wiping: &plain), key: outward, nonce: nonce, additionalData: digest)
                sealedBytes += box.count
                // The box of the other way is as long and costs the same to open.
                _ = try AEAD.open(box, key: outward, nonce: nonce, additionalData: digest)
            }
            _ = identity.sign(digest)
        }
        let hello = AgreementKey.byteCount + SigningKey.signatureByteCount
        let acknowledgement = SHA256.byteCount + SigningKey.signatureByteCount
        let signedRoot = SHA256.byteCount + SigningKey.signatureByteCount
        costs.setUpBytesSent = hello + sealedBytes + signedRoot + acknowledgement
        costs.setUpBytesReceived =
            bankCount * (hello + acknowledgement) + sealedBytes + bankCount * signedRoot
    }

    // MARK: - Slots

    private func measureSlots(
        repeats: Int, now: () -> Double, into costs: inout Costs
    ) {
        let count = laneCount + Self.checkLaneCount
        let pairKeys = (1..<bankCount).map { secret("pair", $0) }
        let vector = (0..<count).map { UInt64($0) }
        var wire: [UInt8] = []
        func mask(gated: Bool) -> Double {
            best(of: repeats, now: now) {
                let context = SHA256.hash(Array("slot".utf8))
                var masks = pairKeys.enumerated().map { number, key in
                    MaskGenerator.Mask(
                        MaskSeed(deriving: key, info: context),
                        isSubtracted: number.isMultiple(of: 2))
                }
                if gated {
                    masks.append(
                        MaskGenerator.Mask(
                            MaskSeed(deriving: secret("gate"), info: context), isSubtracted: false))
                }
                var lanes = vector
                MaskGenerator.add(masks, to: &lanes)
                wire = LanePacking.pack(lanes, in: ring)
            }
        }
        costs.slotSeconds = mask(gated: false)
        costs.gatedSlotSeconds = mask(gated: true)
        costs.slotBytes = wire.count
        costs.maskGigabytesPerSecond =
            Double(8 * count * (bankCount - 1)) / costs.slotSeconds / 1e9
        var sums = [UInt64](repeating: 0, count: count)
        var isWhole = true
        // Short vectors are added many times over: one addition would be below the clock's tick.
        let rounds = max(1, 4_000_000 / count)
        let seconds = best(of: repeats, now: now) {
            for _ in 0..<rounds {
                isWhole = LanePacking.add(wire, in: ring, onto: &sums) && isWhole
            }
        }
        costs.sumSeconds = seconds / Double(rounds)
        precondition(isWhole, "an update of another length than its sum")
        costs.sumGigabytesPerSecond = Double(wire.count) / costs.sumSeconds / 1e9
    }
}
