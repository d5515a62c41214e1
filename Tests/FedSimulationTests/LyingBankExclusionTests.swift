import FedCore
import FedCrypto
import FedSimulation
import Testing

/// One bank of five refuses or breaks the protocol: it is named and left out with its bloc, and the
/// others get their model; where they cannot go on without it, the run ends with the same reason.
@Suite struct LyingBankExclusionTests {
    /// Blocs: A, B, C and D, E.
    private let consortium: ToyConsortium

    init() throws { consortium = try ToyConsortium(bankCount: 5, seed: 47) }

    /// What a bank does wrong.
    enum Misdeed: CaseIterable {
        case otherManifest, otherBoxes, otherEpoch, refusal
        case wrongLength, anotherSlot, slotBefore, noCertificate, otherGate
        case releaseNotAsked, releaseBefore
        case garbage, foreignSignature, anotherRun, brokenChain, outOfPlace, otherModel

        /// The coordinator's words for it.
        var reason: String {
            switch self {
            case .otherManifest: "it consents to another manifest"
            case .otherBoxes: "its boxes are not those it committed to"
            case .otherEpoch: "it acknowledges another epoch"
            case .refusal: ""
            case .wrongLength: "53 bytes of lanes, expected 54"
            case .anotherSlot: "an update of slot 4, which it does not owe"
            case .slotBefore: "an update of slot 2, which it does not owe"
            case .releaseNotAsked: "a release of slot 9, which it has not answered last"
            case .releaseBefore: "a release of slot 1, which it has not answered last"
            case .noCertificate: "its certificate does not verify"
            case .otherGate: "its gate seed is not the one it committed to"
            case .garbage: "malformed statement"
            case .foreignSignature: "its signature does not verify"
            case .anotherRun: "statement of another run"
            case .brokenChain: "statement 7 does not follow the ones before it"
            case .outOfPlace: "hello is out of place"
            case .otherModel: "it stored another model"
            }
        }
    }

    /// Says its lie once, and is otherwise as the real machine is; what it repeats is the same.
    private final class Liar {
        let bank: NodeID
        private let misdeed: Misdeed
        private let identity: SigningKey
        private let stranger: SigningKey
        private let run: RunID
        private var chain: Transcript
        private var told: [UInt64: [UInt8]] = [:]

        init(_ misdeed: Misdeed, _ bank: NodeID, of consortium: ToyConsortium) throws {
            self.misdeed = misdeed
            self.bank = bank
            identity = try #require(consortium.identities[bank])
            stranger = try SigningKey(seed: SecretBytes([UInt8](repeating: 5, count: 32)))
            run = consortium.manifest.run
            chain = Transcript(run: run, author: .bank(bank))
        }

        func say(_ bytes: [UInt8], from sender: NodeID) -> [UInt8] {
            guard sender == bank, let statement = try? SignedStatement(bytes: bytes),
                let honest = try? RunMessage(bytes: statement.body)
            else { return bytes }
            if let before = told[statement.sequence] { return before }
            let message = lie(honest)
            let isLie = message != honest || special(honest)
            let sent = SignedStatement(
                run: isLie && misdeed == .anotherRun
                    ? RunID(bytes: [UInt8](repeating: 3, count: 16)) ?? run : run,
                author: .bank(bank), sequence: statement.sequence,
                chainHead: isLie && misdeed == .brokenChain ? SHA256.hash([1]) : chain.head,
                message: message,
                key: isLie && misdeed == .foreignSignature
                    ? stranger
                    : statement.isSealed || ["refusal", "hello"].contains(message.kind)
                        ? identity : nil)
            chain.append(digest: sent.digest)
            told[statement.sequence] =
                isLie && misdeed == .garbage ? Array(sent.bytes.dropLast()) : sent.bytes
            return told[statement.sequence] ?? []
        }

        /// Lies that are in the envelope.
        private func special(_ message: RunMessage) -> Bool {
            guard case .release(2, _, _) = message else {
                if case .update(2, _, _, _, _) = message { return misdeed == .brokenChain }
                return false
            }
            return [.foreignSignature, .anotherRun, .garbage].contains(misdeed)
        }

        private func lie(_ message: RunMessage) -> RunMessage {
            switch (misdeed, message) {
            case (.otherManifest, .hello(_, let key)):
                return .hello(manifestDigest: SHA256.hash([3]), epochKey: key)
            case (.otherBoxes, .boxes(var boxes, let digests)):
                boxes[1][0] ^= 1
                return .boxes(boxes, seedDigests: digests)
            case (.otherEpoch, .acknowledgement(_, let dealing, _)):
                return .acknowledgement(
                    epochDigest: SHA256.hash([4]), dealingDigest: dealing, unusable: [])
            case (.refusal, .update(3, _, _, _, _)): return .refusal(.learning("no room"))
            case (.wrongLength, .update(3, let attempt, let context, let lanes, _)):
                return .update(
                    slot: 3, attempt: attempt, contextDigest: context,
                    laneBytes: lanes.dropLast(), certificate: [])
            case (.anotherSlot, .update(3, let attempt, let context, let lanes, _)):
                return .update(
                    slot: 4, attempt: attempt, contextDigest: context, laneBytes: lanes,
                    certificate: [])
            case (.slotBefore, .update(3, let attempt, let context, let lanes, _)):
                return .update(
                    slot: 2, attempt: attempt, contextDigest: context, laneBytes: lanes,
                    certificate: [])
            case (.releaseNotAsked, .release(2, let attempt, let seed)):
                return .release(slot: 9, attempt: attempt, seed: seed)
            case (.releaseBefore, .release(2, let attempt, let seed)):
                return .release(slot: 1, attempt: attempt, seed: seed)
            case (.noCertificate, .update(2, let attempt, let context, let lanes, _)):
                return .update(
                    slot: 2, attempt: attempt, contextDigest: context, laneBytes: lanes,
                    certificate: [])
            case (.otherGate, .release(2, let attempt, var seed)):
                seed[0] ^= 1
                return .release(slot: 2, attempt: attempt, seed: seed)
            case (.outOfPlace, .release(2, _, _)):
                return .hello(manifestDigest: SHA256.hash([3]), epochKey: SHA256.hash([3]))
            case (.otherModel, .stored): return .stored(modelDigest: SHA256.hash([5]))
            default: return message
            }
        }
    }

    private func run(
        _ misdeed: Misdeed, by bank: NodeID, faults: FaultPlan = FaultPlan(), schedule: UInt64 = 0
    ) throws -> SimulatedConsortium.Result {
        let liar = try Liar(misdeed, bank, of: consortium)
        return try consortium.run(
            faults: faults, schedule: schedule, lie: { liar.say($0, from: $1) })
    }

    private func expected(_ misdeed: Misdeed, _ bank: NodeID) -> AbortReason {
        misdeed == .refusal
            ? .bankRefused(bank, .learning("no room")) : .bankViolation(bank, misdeed.reason)
    }

    @Test(arguments: Misdeed.allCases)
    func isNamedAndTheOthersGetTheirModel(misdeed: Misdeed) throws {
        let liar = consortium.banks[4]
        let result = try run(misdeed, by: liar)
        #expect(result.exclusions == [expected(misdeed, liar)])
        #expect(result.wrongSums.isEmpty && result.doubleOpenings.isEmpty)
        let model = try #require(result.model, "\(result.outcome as Any)")
        for bank in consortium.banks where bank != liar {
            #expect(result.models[bank] == model, "\(bank)")
        }
        #expect(result.leftOut == (misdeed == .otherModel ? [] : consortium.banks.suffix(2)))
    }

    @Test(arguments: Misdeed.allCases.filter { $0 != .otherModel })
    func withoutALargeEnoughRestTheRunEndsWithTheSameReason(misdeed: Misdeed) throws {
        // Without A's bloc two banks would be left.
        let liar = consortium.banks[0]
        let result = try run(misdeed, by: liar)
        #expect(result.outcome == .aborted(expected(misdeed, liar)))
        #expect(result.wrongSums.isEmpty && result.doubleOpenings.isEmpty)
        #expect(result.models.isEmpty)
        for bank in consortium.banks where bank != liar {
            #expect(result.bankOutcomes[bank] == .aborted(expected(misdeed, liar)), "\(bank)")
        }
    }

    /// Found here: a replay took an update without a certificate for a good one, since it did not
    /// look at certificates again.
    @Test(arguments: [Misdeed.otherBoxes, .noCertificate, .otherGate])
    func aCoordinatorKilledAtAnyWriteNamesTheSameBank(misdeed: Misdeed) throws {
        let liar = consortium.banks[4]
        let undisturbed = try run(misdeed, by: liar)
        let model = try #require(undisturbed.model)
        for write in undisturbed.journal.indices {
            var faults = FaultPlan()
            faults.coordinatorKillAtWrite = write
            let result = try run(misdeed, by: liar, faults: faults, schedule: UInt64(write))
            #expect(result.wrongSums.isEmpty && result.doubleOpenings.isEmpty, "write \(write)")
            #expect(result.exclusions == undisturbed.exclusions, "write \(write)")
            #expect(
                result.model == model,
                "write \(write): \(result.isHeld) \(result.progress as Any)")
        }
    }

    /// A sum over a garbled vector is noise, and nobody can say whose it was: that would need the
    /// masks.
    @Test func aGarbledVectorEndsTheRunAndNothingOfItIsUsed() throws {
        let liar = consortium.banks[4]
        let result = try consortium.run(lie: { bytes, bank in
            guard bank == liar, let statement = try? SignedStatement(bytes: bytes),
                case .update(3, let attempt, let context, var lanes, let certificate)? =
                    try? RunMessage(bytes: statement.body)
            else { return bytes }
            lanes[3] ^= 0x10
            return statement.restated(
                .update(
                    slot: 3, attempt: attempt, contextDigest: context, laneBytes: lanes,
                    certificate: certificate), key: nil)
        })
        #expect(result.outcome == .aborted(.garbledSum(slot: 3)))
        #expect(result.wrongSums.isEmpty && result.models.isEmpty)
    }

    @Test func banksThatRefuseOneAfterTheOtherCostOneBlocEach() throws {
        // Blocs: A, B, C and D, E, F and G, H, I; at least six banks in a sum.
        let consortium = try ToyConsortium(bankCount: 9, seed: 49)
        var faults = FaultPlan()
        faults.computationMax = 20
        faults.refusals = [consortium.banks[7]: 0]
        let one = try consortium.run(faults: faults)
        #expect(one.model != nil && one.leftOut == Array(consortium.banks[6...]))
        faults.refusals[consortium.banks[8]] = 30
        let sameBloc = try consortium.run(faults: faults)
        #expect(sameBloc.model == one.model && sameBloc.exclusions.count == 2)
        faults.refusals[consortium.banks[0]] = 60
        let two = try consortium.run(faults: faults)
        #expect(two.outcome == .aborted(.bankRefused(consortium.banks[0], .stopped)))
        #expect(two.wrongSums.isEmpty)
    }
}
