import FedCore
import FedCrypto
import FedSimulation
import Testing

/// What the coordinator's and a bank's records prove, and that a changed record proves nothing.
@Suite struct RecordTests {
    let consortium: ToyConsortium
    let result: SimulatedConsortium.Result

    init() throws {
        consortium = try ToyConsortium(bankCount: 5, seed: 41)
        result = try consortium.run()
    }

    private func said(_ result: SimulatedConsortium.Result) -> [(NodeID, [UInt8])] {
        result.journal.compactMap {
            if case .statement(let bank, let bytes) = $0 { (bank, bytes) } else { nil }
        }
    }

    private func replay(
        _ statements: [[UInt8]], _ bankStatements: [(NodeID, [UInt8])],
        of consortium: ToyConsortium? = nil
    ) throws -> VerifiedRun {
        let consortium = consortium ?? self.consortium
        return try RunReplay.verify(
            statements: statements, bankStatements: bankStatements,
            coordinatorKey: consortium.coordinatorKey.publicKey
        ) { _ in consortium.toyLearner() }
    }

    @Test func replayFindsEverySumAndTheModel() throws {
        let run = try replay(result.statements, said(result))
        #expect(run.modelDigest == SHA256.hash(try #require(result.model).bytes))
        #expect(run.groups.map(\.slots) == [2, 2, 2])
        #expect(run.groups.allSatisfy { $0.roster == consortium.banks && !$0.isTruncated })
        #expect(run.charter == consortium.charter)
    }

    @Test func replayOfDisturbedRunsFindsTheirModelsToo() throws {
        var kinds: Set<String> = []
        for seed in 0..<40 as Range<UInt64> {
            let faults = FaultPlan(seed: seed, banks: consortium.banks)
            let result = try consortium.run(faults: faults, schedule: seed)
            guard let model = result.model else { continue }
            let run = try replay(result.statements, said(result))
            #expect(run.modelDigest == SHA256.hash(model.bytes), "seed \(seed)")
            #expect(run.groups.count(where: \.isTruncated) == result.truncations, "seed \(seed)")
            if result.recoveries > 0 { kinds.insert("recovered") }
            if result.truncations > 0 { kinds.insert("truncated") }
        }
        #expect(kinds == ["recovered", "truncated"])
    }

    /// Found by reading: one false share, or a second release, made the record of an honest coordinator
    /// look false.
    @Test(arguments: [true, false])
    func replayOfARunWithALiarFindsItsModelToo(liesInAShare: Bool) throws {
        // Blocs: A, B, C and D, E, F and G, H, I. Seven shares recover a seed.
        let consortium = try ToyConsortium(bankCount: 9, seed: 43)
        let (victim, liar) = (consortium.banks[8], consortium.banks[6])
        let key = try #require(consortium.identities[liar])
        var faults = FaultPlan()
        if liesInAShare { faults.strike = Strike(victim, .commitOfTree, .away) }
        var lies = 0
        let result = try consortium.run(
            faults: faults,
            lie: { bytes, bank in
                guard bank == liar, let statement = try? SignedStatement(bytes: bytes),
                    let message = try? RunMessage(bytes: statement.body)
                else { return bytes }
                let lie: RunMessage
                switch message {
                case .recovery(let slot, let attempt, let shares) where liesInAShare:
                    lie = .recovery(
                        slot: slot, attempt: attempt,
                        shares: shares.map {
                            RecoveredShare(
                                dealer: $0.dealer, share: SHA256.hash($0.share), path: $0.path)
                        })
                // In the place of its last word.
                case .stored where !liesInAShare:
                    lie = .release(slot: 4, attempt: 0, seed: SHA256.hash([1]))
                default: return bytes
                }
                lies += 1
                return statement.restated(lie, key: statement.isSealed ? key : nil)
            })
        #expect(lies > 0 && result.exclusions.compactMap(\.bank) == [liar])
        let outcome = result.outcome
        guard case .model(let model, _) = outcome else {
            Issue.record("\(outcome as Any)")
            return
        }
        let run = try replay(result.statements, said(result), of: consortium)
        #expect(run.modelDigest == SHA256.hash(model.bytes))
    }

    @Test func replayRefusesAChangedVector() throws {
        var bankStatements = said(result)
        let index = try #require(
            bankStatements.lastIndex {
                guard let statement = try? SignedStatement(bytes: $0.1),
                    case .update? = try? RunMessage(bytes: statement.body)
                else { return false }
                return true
            })
        bankStatements[index].1[bankStatements[index].1.count - 20] ^= 1
        #expect(throws: RecordFailure.self) { try replay(result.statements, bankStatements) }
    }

    @Test func replayRefusesAnyStatementLeftOut() throws {
        for index in result.statements.indices {
            var statements = result.statements
            statements.remove(at: index)
            #expect(throws: RecordFailure.self, "statement \(index)") {
                try replay(statements, said(result))
            }
        }
    }

    @Test func replayRefusesAnotherTraining() throws {
        var other = consortium
        other.rounds = 4
        #expect(throws: RecordFailure.model) {
            try RunReplay.verify(
                statements: result.statements, bankStatements: said(result),
                coordinatorKey: consortium.coordinatorKey.publicKey
            ) { _ in other.toyLearner() }
        }
    }

    @Test func everyBankCanShowThatItsUpdatesAreInTheSums() throws {
        for bank in consortium.banks {
            let run = try ReceiptVerifier.verify(
                journal: try #require(result.bankJournals[bank]), bank: bank,
                coordinatorKey: consortium.coordinatorKey.publicKey)
            #expect(run == (try replay(result.statements, said(result))))
        }
    }

    @Test func receiptsOfAnotherBankProveNothing() throws {
        #expect(throws: RecordFailure.receipt(slot: 0)) {
            try ReceiptVerifier.verify(
                journal: try #require(result.bankJournals[consortium.banks[0]]),
                bank: consortium.banks[1],
                coordinatorKey: consortium.coordinatorKey.publicKey)
        }
    }

    @Test func journalEntriesSurviveTheirBytes() throws {
        for entry in result.journal {
            #expect(try CoordinatorRun.JournalEntry(bytes: entry.bytes) == entry)
        }
        for entry in result.bankJournals.values.flatMap({ $0 }) {
            #expect(try NodeRun.JournalEntry(bytes: entry.bytes) == entry)
        }
    }
}
