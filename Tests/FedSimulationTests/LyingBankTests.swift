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
            manifest: consortium.manifest, key: consortium.coordinatorKey,
            learner: ToyLearner(queries: 3, layout: consortium.layout))
        var nodes: [NodeID: NodeRun] = [:]
        for bank in consortium.banks {
            nodes[bank] = NodeRun(
                run: consortium.manifest.run, configuration: try consortium.configuration(of: bank))
        }
        let liar = consortium.banks[0]
        let identity = try #require(consortium.identities[liar])
        var pending = coordinator.handle(.start)
        while !pending.isEmpty {
            let effect = pending.removeFirst()
            if case .finish(let outcome) = effect { return outcome }
            guard case .broadcast(let bytes, _) = effect else { continue }
            for bank in consortium.banks {
                var effects = nodes[bank]?.handle(.received(bytes)) ?? []
                while !effects.isEmpty {
                    switch effects.removeFirst() {
                    case .send(var sent, _):
                        if bank == liar {
                            let statement = try SignedStatement(bytes: sent)
                            let (message, sequence) = replace(
                                try RunMessage(bytes: statement.body), statement.sequence)
                            sent =
                                SignedStatement(
                                    run: statement.run, author: .bank(liar), sequence: sequence,
                                    message: message, key: identity
                                ).bytes
                        }
                        pending += coordinator.handle(.received(sent, from: bank))
                    case .compute(let query, let contributors):
                        var learner = consortium.toyBank(bank)
                        let vector = try learner.answer(query, contributors: contributors)
                        effects += nodes[bank]?.handle(.computed(vector)) ?? []
                    default: break
                    }
                }
            }
        }
        return nil
    }

    private func replacingUpdate(
        _ change: @escaping (UInt32, [UInt8], [UInt8]) -> RunMessage
    ) throws -> CoordinatorRun.Outcome? {
        try outcome { message, sequence in
            guard case .update(let slot, let digest, let lanes) = message else {
                return (message, sequence)
            }
            return (change(slot, digest, lanes), sequence)
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
            .update(slot: $0, contextDigest: $1, laneBytes: Array($2.dropLast()))
        }
        #expect(
            outcome
                == .aborted(
                    .bankViolation(consortium.banks[0], "53 bytes of lanes, expected 54")))
    }

    @Test func garbageVectorIsDetectedAndNotUsed() throws {
        let outcome = try replacingUpdate {
            var lanes = $2
            lanes[3] ^= 0x10
            return .update(slot: $0, contextDigest: $1, laneBytes: lanes)
        }
        #expect(outcome == .aborted(.garbledSum(slot: 0)))
    }

    @Test func updateOfAnotherSlotIsBlamedOnTheBank() throws {
        let outcome = try replacingUpdate {
            .update(slot: $0 + 1, contextDigest: $1, laneBytes: $2)
        }
        #expect(
            outcome
                == .aborted(.bankViolation(consortium.banks[0], "an update of slot 1 for slot 0")))
    }

    @Test func skippedSequenceIsBlamedOnTheBank() throws {
        let outcome = try outcome { message, sequence in
            (message, sequence == 2 ? 3 : sequence)
        }
        #expect(
            outcome
                == .aborted(
                    .bankViolation(consortium.banks[0], "statement 3 came where 2 was due")))
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
