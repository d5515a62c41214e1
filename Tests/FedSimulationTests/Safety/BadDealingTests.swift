import FedCore
import FedCrypto
import FedSimulation
import Testing

/// A bank deals shares of its gates that are not what they should be, through the whole protocol.
///
/// Shares serve only to recover a vanished bank's gate. So bad ones can never make a sum wrong; they
/// are found at once where a holder can see it, and else at the first recovery, and the dealer is
/// named.
@Suite struct BadDealingTests {
    /// Blocs: A, B, C and D, E; the collusion bound is 1, the threshold 4.
    private let consortium: ToyConsortium
    private var liar: NodeID { consortium.banks[4] }

    init() throws { consortium = try ToyConsortium(bankCount: 5, seed: 43) }

    private struct End {
        var exclusions: [AbortReason] = []
        /// Rosters of the queries, by places.
        var rosters: [[Int]] = []
        var recoveries = 0
        var outcome: CoordinatorRun.Outcome?
        var refusals: [NodeID: NodeRun.Outcome] = [:]
    }

    /// Runs with E as the dealer, who follows the protocol through the first sum, or vanishes after
    /// its commit.
    private func run(
        _ lie: LyingDealer.Lie?, victims: [Int], vanishes: Bool
    ) throws -> End {
        var coordinator = CoordinatorRun(
            manifest: consortium.manifest, charter: consortium.charter,
            key: consortium.coordinatorKey, learner: consortium.toyLearner())
        var honest = try HostileCoordinator(consortium)
        var dealer = try LyingDealer(consortium, bank: liar, lie: lie, victims: victims)
        var isGone = false
        var end = End()
        var pending = coordinator.handle(.start)
        while !pending.isEmpty {
            var deliveries: [(NodeID, [UInt8])] = []
            switch pending.removeFirst() {
            case .finish(let outcome): end.outcome = outcome
            case .broadcast(let bytes, let kind):
                let statement = try SignedStatement(bytes: bytes)
                if case .query(let query) = try RunMessage(bytes: statement.body) {
                    end.rosters.append(query.places)
                }
                if kind == "recover" { end.recoveries += 1 }
                deliveries = consortium.banks.map { ($0, bytes) }
                if kind == "commit", vanishes, !isGone {
                    isGone = true
                    pending += coordinator.handle(.lost(liar))
                }
            case .send(let bytes, let bank, _): deliveries = [(bank, bytes)]
            default: break
            }
            for (bank, bytes) in deliveries where !coordinator.isExcluded(bank) {
                if bank == liar, isGone { continue }
                let answers =
                    try bank == liar ? dealer.take(bytes) : honest.pass(bytes, to: bank)
                for sent in answers { pending += coordinator.handle(.received(sent, from: bank)) }
            }
        }
        end.exclusions = coordinator.exclusions
        for (bank, line) in honest.lines where bank != liar {
            if case .refused = line.outcome { end.refusals[bank] = line.outcome }
        }
        return end
    }

    @Test(
        arguments: [LyingDealer.Lie.garbageBox, .otherRoot], [[0], [0, 1], [0, 1, 2, 3]])
    func sharesThatAHolderCannotUseNameTheDealerAndTheRestGoesOn(
        lie: LyingDealer.Lie, victims: [Int]
    ) throws {
        let end = try run(lie, victims: victims, vanishes: false)
        let names = victims.map { consortium.banks[$0].name }.joined(separator: ", ")
        #expect(
            end.exclusions
                == [.bankViolation(liar, "the shares that it dealt cannot be used, say: \(names)")])
        #expect(end.refusals.isEmpty)
        // Without the dealer's bloc from the first sum on, and with the sums of those three.
        #expect(end.rosters.allSatisfy { $0 == [0, 1, 2] } && !end.rosters.isEmpty)
        var faults = FaultPlan()
        faults.refusals[liar] = 0
        let without = try consortium.run(faults: faults)
        let model = try #require(without.model)
        #expect(without.leftOut == [consortium.banks[3], liar])
        #expect(end.outcome == .model(model, slots: consortium.queries))
    }

    @Test(arguments: [LyingDealer.Lie.otherPolynomial, .otherSeed])
    func sharesOfNoPolynomialOrAnotherSeedOpenNothingAndNameTheDealer(
        lie: LyingDealer.Lie
    ) throws {
        let end = try run(lie, victims: [2], vanishes: true)
        #expect(end.recoveries == 1)
        #expect(end.outcome == .aborted(.gateDiffers(liar)))
        // The first sum was never given to the training: nothing was asked after it.
        #expect(end.rosters.count == 1)
    }

    @Test(arguments: [nil, LyingDealer.Lie.otherPolynomial, .otherSeed])
    func whileTheDealerStaysNothingDependsOnItsShares(lie: LyingDealer.Lie?) throws {
        let end = try run(lie, victims: [0, 1], vanishes: false)
        #expect(end.recoveries == 0 && end.exclusions.isEmpty)
        #expect(end.rosters == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]])
    }

    @Test func honestSharesOpenTheSumWithoutTheDealer() throws {
        let end = try run(nil, victims: [], vanishes: true)
        #expect(end.recoveries == 1 && end.exclusions.isEmpty)
        #expect(end.rosters.count == 2)
    }

    @Test func aBankThatComplainsOfTooManyDealersIsTheOneThatLies() throws {
        let liar = liar
        let identity = try #require(consortium.identities[liar])
        let result = try consortium.run(lie: { bytes, bank in
            guard bank == liar, let statement = try? SignedStatement(bytes: bytes),
                case .acknowledgement(let epoch, let dealing, _)? =
                    try? RunMessage(bytes: statement.body)
            else { return bytes }
            return SignedStatement(
                run: statement.run, author: statement.author, sequence: statement.sequence,
                chainHead: statement.chainHead,
                message: .acknowledgement(
                    epochDigest: epoch, dealingDigest: dealing, unusable: [0, 1]),
                key: identity
            ).bytes
        })
        #expect(
            result.exclusions
                == [.bankViolation(liar, "it says that it cannot use the shares of 2 banks")])
        #expect(result.model != nil && result.wrongSums.isEmpty)
        #expect(result.leftOut == [consortium.banks[3], liar])
    }
}
