import FedCore
import FedCrypto
import FedSimulation
import Testing

/// Banks that are broken or lie: detected and named, and never a wrong model.
@Suite struct LyingBankTests {
    let consortium: ToyConsortium

    init() throws { consortium = try ToyConsortium(bankCount: 3, seed: 29) }

    /// Drives a coordinator and honest nodes by hand; `replace` rewrites what bank A sends.
    private func outcome(
        _ replace: (RunMessage, UInt64) -> (RunMessage, UInt64)
    ) throws -> CoordinatorRun.Outcome? {
        var coordinator = CoordinatorRun(
            manifest: consortium.manifest, charter: consortium.charter,
            key: consortium.coordinatorKey, learner: consortium.toyLearner())
        var nodes: [NodeID: NodeRun] = [:]
        var learners: [NodeID: ToyBank] = [:]
        for bank in consortium.banks {
            nodes[bank] = NodeRun(
                run: consortium.manifest.run, configuration: try consortium.configuration(of: bank))
            learners[bank] = consortium.toyBank(bank)
        }
        let liar = consortium.banks[0]
        let identity = try #require(consortium.identities[liar])
        // A liar keeps its own chain in order.
        var chain = Transcript(run: consortium.manifest.run, author: .bank(liar))
        var pending = coordinator.handle(.start)
        while !pending.isEmpty {
            var deliveries: [(NodeID, [UInt8])] = []
            switch pending.removeFirst() {
            case .finish(let outcome): return outcome
            case .broadcast(let bytes, _): deliveries = consortium.banks.map { ($0, bytes) }
            case .send(let bytes, let bank, _): deliveries = [(bank, bytes)]
            default: break
            }
            for (bank, bytes) in deliveries {
                var effects = nodes[bank]?.handle(.received(bytes)) ?? []
                while !effects.isEmpty {
                    switch effects.removeFirst() {
                    case .send(var sent, _):
                        if bank == liar {
                            let statement = try SignedStatement(bytes: sent)
                            let (message, sequence) = replace(
                                try RunMessage(bytes: statement.body), statement.sequence)
                            let told = SignedStatement(
                                run: statement.run, author: .bank(liar), sequence: sequence,
                                chainHead: chain.head, message: message,
                                key: statement.isSealed ? identity : nil)
                            chain.append(digest: told.digest)
                            sent = told.bytes
                        }
                        pending += coordinator.handle(.received(sent, from: bank))
                    case .compute(let query, let slot, let contributors):
                        guard
                            let vector = try learners[bank]?.answer(
                                query, contributors: contributors)
                        else { continue }
                        effects += nodes[bank]?.handle(.computed(vector, slot: slot)) ?? []
                    default: break
                    }
                }
            }
        }
        return nil
    }

    private func replacingUpdate(
        _ change: @escaping (UInt32, [UInt8]) -> (UInt32, [UInt8])
    ) throws -> CoordinatorRun.Outcome? {
        try outcome { message, sequence in
            guard
                case .update(let slot, let attempt, let context, let lanes, let certificate) =
                    message
            else { return (message, sequence) }
            let (otherSlot, otherLanes) = change(slot, lanes)
            return (
                .update(
                    slot: otherSlot, attempt: attempt, contextDigest: context,
                    laneBytes: otherLanes, certificate: certificate), sequence
            )
        }
    }

    @Test func honestBanksGetAModel() throws {
        guard case .model = try outcome({ ($0, $1) }) else {
            Issue.record("no model")
            return
        }
    }

    @Test func wrongLengthIsBlamedOnTheBank() throws {
        let outcome = try replacingUpdate {
            ($0, Array($1.dropLast()))
        }
        #expect(
            outcome
                == .aborted(
                    .bankViolation(consortium.banks[0], "53 bytes of lanes, expected 54")))
    }

    @Test func garbageVectorIsDetectedAndNotUsed() throws {
        let outcome = try replacingUpdate {
            var lanes = $1
            // The first slot's upload is named by its digest in the commit, and so noticed before.
            if $0 == 1 { lanes[3] ^= 0x10 }
            return ($0, lanes)
        }
        #expect(outcome == .aborted(.garbledSum(slot: 1)))
    }

    @Test func updateOfAnotherSlotIsBlamedOnTheBank() throws {
        let outcome = try replacingUpdate {
            ($0 + 1, $1)
        }
        #expect(
            outcome
                == .aborted(
                    .bankViolation(
                        consortium.banks[0], "an update of slot 1, which it does not owe")))
    }

    @Test func skippedSequenceNeverReachesASum() throws {
        let outcome = try outcome { message, sequence in
            (message, sequence == 4 ? 5 : sequence)
        }
        // The coordinator asks for a new connection, which this driver does not make.
        #expect(outcome == nil)
    }

    @Test func anotherGateSeedThanTheOneCommittedToIsBlamedOnTheBank() throws {
        let outcome = try outcome { message, sequence in
            guard case .release(let slot, let attempt, var seed) = message else {
                return (message, sequence)
            }
            seed[0] ^= 1
            return (.release(slot: slot, attempt: attempt, seed: seed), sequence)
        }
        #expect(
            outcome
                == .aborted(
                    .bankViolation(
                        consortium.banks[0], "its gate seed is not the one it committed to")))
    }

    @Test func uploadWithoutACertificateIsBlamedOnTheBank() throws {
        let outcome = try outcome { message, sequence in
            guard case .update(let slot, let attempt, let context, let lanes, _) = message else {
                return (message, sequence)
            }
            return (
                .update(
                    slot: slot, attempt: attempt, contextDigest: context, laneBytes: lanes,
                    certificate: []), sequence
            )
        }
        #expect(
            outcome
                == .aborted(
                    .bankViolation(consortium.banks[0], "its certificate does not verify")))
    }

    @Test func boxesThatDifferFromTheCommitmentAreBlamedOnTheBank() throws {
        let outcome = try outcome { message, sequence in
            guard case .boxes(var boxes, let digests) = message else { return (message, sequence) }
            boxes[1][0] ^= 1
            return (.boxes(boxes, seedDigests: digests), sequence)
        }
        #expect(
            outcome
                == .aborted(
                    .bankViolation(
                        consortium.banks[0], "its boxes are not those it committed to")))
    }

    @Test func consentToAnotherManifestIsBlamedOnTheBank() throws {
        let outcome = try outcome { message, sequence in
            guard case .hello(_, let key) = message else { return (message, sequence) }
            return (.hello(manifestDigest: SHA256.hash([3]), epochKey: key), sequence)
        }
        #expect(
            outcome
                == .aborted(
                    .bankViolation(consortium.banks[0], "it consents to another manifest")))
    }
}
