import FedCore
import FedCrypto
import FedSimulation
import Testing

/// A bank vanishes between its upload and its release, and the others hand out shares of its seed.
@Suite struct LyingHelperTests {
    private let consortium: ToyConsortium

    init() throws { consortium = try ToyConsortium(bankCount: 5, seed: 41) }

    /// Runs to the first sum, which D leaves after its upload; `change` rewrites what B hands out.
    ///
    /// - Returns: what B handed out, whether a next query was asked, and the coordinator's outcome.
    private func run(
        _ change: (RunMessage) throws -> RunMessage
    ) throws -> (recoveries: Int, isPast: Bool, outcome: CoordinatorRun.Outcome?) {
        var coordinator = CoordinatorRun(
            manifest: consortium.manifest, charter: consortium.charter,
            key: consortium.coordinatorKey, learner: consortium.toyLearner())
        var hostile = try HostileCoordinator(consortium)
        let (helper, lost) = (consortium.banks[1], consortium.banks[3])
        var pending = coordinator.handle(.start)
        var (recoveries, queries) = (0, 0)
        var isLost = false
        while !pending.isEmpty {
            var deliveries: [(NodeID, [UInt8])] = []
            switch pending.removeFirst() {
            case .finish(let outcome): return (recoveries, queries > 1, outcome)
            case .broadcast(let bytes, let kind):
                if kind == "query" { queries += 1 }
                if queries > 1 { return (recoveries, true, nil) }
                deliveries = consortium.banks.map { ($0, bytes) }
                if kind == "commit" {
                    isLost = true
                    pending += coordinator.handle(.lost(lost))
                }
            case .send(let bytes, let bank, _): deliveries = [(bank, bytes)]
            default: break
            }
            for (bank, bytes) in deliveries where bank != lost || !isLost {
                for sent in try hostile.pass(bytes, to: bank) {
                    let statement = try SignedStatement(bytes: sent)
                    let message = try RunMessage(bytes: statement.body)
                    var passed = sent
                    if bank == helper, case .recovery = message {
                        recoveries += 1
                        passed =
                            SignedStatement(
                                run: statement.run, author: statement.author,
                                sequence: statement.sequence, chainHead: statement.chainHead,
                                message: try change(message), key: consortium.identities[bank]
                            ).bytes
                    }
                    pending += coordinator.handle(.received(passed, from: bank))
                }
            }
        }
        return (recoveries, false, nil)
    }

    @Test func honestSharesOpenTheSumWithoutTheLostBank() throws {
        let result = try run { $0 }
        #expect(result.recoveries == 1)
        #expect(result.isPast)
        #expect(result.outcome == nil)
    }

    /// One bit of the share's first or last byte, or of the path that comes after it.
    @Test(arguments: [18, 49, 60, 94])
    func falseShareIsBlamedOnItsHolder(offset: Int) throws {
        let result = try run { message in
            var bytes = message.bytes
            bytes[offset] ^= 1
            return try RunMessage(bytes: bytes)
        }
        #expect(result.recoveries == 1)
        #expect(!result.isPast)
        #expect(
            result.outcome
                == .aborted(
                    .bankViolation(
                        consortium.banks[1], "its share is not the one dealt to it")))
    }
}
