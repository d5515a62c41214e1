import FedCore
import FedCrypto
import FedSimulation
import Testing

/// Banks that vanish: the run goes on without their blocs, ends a tree early, or waits.
@Suite struct DropoutTests {
    /// Blocs: A, B, C and D, E.
    let consortium: ToyConsortium
    let undisturbed: ModelDocument

    init() throws {
        consortium = try ToyConsortium(bankCount: 5, seed: 31)
        undisturbed = try #require(try consortium.run().model)
    }

    private func run(
        killing victim: NodeID, at time: UInt64, _ change: (inout FaultPlan) -> Void = { _ in },
        lie: SimulatedConsortium.Lying? = nil
    ) throws -> SimulatedConsortium.Result {
        var faults = FaultPlan()
        faults.delayMax = 5
        faults.computationMax = 9
        faults.kills[victim] = time
        change(&faults)
        return try consortium.run(faults: faults, schedule: time, lie: lie)
    }

    @Test func aBankLostForGoodAtAnyMomentOnlyCostsItsBloc() throws {
        let victim = consortium.banks[4]
        var kinds: Set<String> = []
        for time in stride(from: 0, to: 140, by: 4) as StrideTo<UInt64> {
            let result = try run(killing: victim, at: time)
            #expect(result.wrongSums.isEmpty && result.doubleOpenings.isEmpty, "tick \(time)")
            guard let outcome = result.outcome else {
                // The statistics need all their sums.
                #expect(result.progress?.phase == "slot 1", "tick \(time)")
                kinds.insert("held")
                continue
            }
            guard case .model(let model, _) = outcome else {
                Issue.record("tick \(time): \(outcome)")
                continue
            }
            if result.retries > 0 { kinds.insert("retry") }
            if result.recoveries > 0 { kinds.insert("recovery") }
            if result.truncations > 0 { kinds.insert("truncation") }
            if result.rosters.allSatisfy({ $0 == 3 }) { kinds.insert("set-up") }
            for bank in consortium.banks where bank != victim {
                #expect(result.models[bank] == model, "tick \(time)")
            }
        }
        #expect(kinds == ["set-up", "retry", "recovery", "truncation", "held"])
    }

    /// What a bank tells of a run in its metrics, against what the simulator saw.
    @Test func theOthersSeeWhoWasLeftOutAndHowFarTheRunCame() throws {
        let whole = try consortium.run()
        let (victim, sums) = (consortium.banks[4], try #require(whole.progress?.slots))
        #expect(whole.progressOfBanks.count == 5)
        for progress in whole.progressOfBanks.values {
            #expect(progress.leftOut.isEmpty && progress.slots == sums)
            #expect(progress.rounds > 1)
        }
        for time in [40, 60, 80, 100] as [UInt64] {
            let result = try run(killing: victim, at: time)
            guard result.outcome != nil, result.rosters.contains(where: { $0 < 5 }) else {
                continue
            }
            for bank in consortium.banks where bank != victim {
                let progress = try #require(result.progressOfBanks[bank])
                // D and E are a bloc: they are in a sum together or not at all.
                #expect(progress.leftOut == Set(consortium.banks[3...]), "tick \(time)")
                #expect(progress.slots == result.progress?.slots, "tick \(time)")
            }
        }
    }

    @Test func sharesForAnotherSumThanTheLastNameTheirBank() throws {
        let (victim, liar) = (consortium.banks[4], consortium.banks[1])
        let key = try #require(consortium.identities[liar])
        var lies = 0
        for time in stride(from: 0, to: 140, by: 4) as StrideTo<UInt64>
        where try run(killing: victim, at: time).recoveries > 0 {
            let result = try run(
                killing: victim, at: time,
                lie: { bytes, bank in
                    guard bank == liar, let statement = try? SignedStatement(bytes: bytes),
                        case .recovery(let slot, let attempt, let shares)? = try? RunMessage(
                            bytes: statement.body)
                    else { return bytes }
                    lies += 1
                    return statement.restated(
                        .recovery(slot: slot ^ 1, attempt: attempt, shares: shares), key: key)
                })
            // Four shares are needed, and only four banks are left.
            guard case .aborted(.bankViolation(liar, let what)) = result.outcome else {
                Issue.record("tick \(time): \(result.outcome as Any)")
                continue
            }
            #expect(
                what.hasPrefix("shares for slot ")
                    && what.hasSuffix(", which it has not answered last"))
        }
        #expect(lies > 0)
    }

    @Test func withoutALargeEnoughRestTheRunIsHeld() throws {
        // Without A's bloc two banks would be left.
        let result = try run(killing: consortium.banks[0], at: 60)
        #expect(result.isHeld)
        #expect(result.progress?.isHeld == true)
        #expect(result.wrongSums.isEmpty)
    }

    /// Found by reading: after a last tree that was cut short for banks of both blocs nobody was
    /// left to wait for, and the run stood with no clock running.
    @Test func aLastTreeCutShortForBanksOfEveryBlocEndsTheRun() throws {
        var endings = 0
        for time in stride(from: 20, to: 160, by: 2) as StrideTo<UInt64> {
            let result = try run(killing: consortium.banks[0], at: time) {
                $0.kills[consortium.banks[3]] = time
            }
            #expect(result.unclocked.isEmpty && result.silent.isEmpty, "tick \(time)")
            #expect(result.wrongSums.isEmpty && result.doubleOpenings.isEmpty, "tick \(time)")
            if result.leftOut.count == 5, result.model != nil { endings += 1 }
        }
        #expect(endings > 0)
    }

    /// Found by the rule that a clock always runs: the clock that a restarted coordinator set was of
    /// another phase than its machine's, so nobody noticed a bank that had gone at the same time.
    @Test func aBankLostTogetherWithTheCoordinatorIsNoticed() throws {
        let journal = try consortium.run().journal
        for write in stride(from: 3, to: journal.count, by: 7) {
            let result = try run(killing: consortium.banks[4], at: 1) {
                $0.coordinatorKillAtWrite = write
            }
            #expect(result.unclocked.isEmpty, "write \(write): \(result.unclocked)")
            #expect(result.silent.isEmpty && result.wrongSums.isEmpty, "write \(write)")
            #expect(result.model != nil || result.progress?.isHeld == true, "write \(write)")
        }
    }

    /// While a run waits for a bank that stays away, what another bank's link has lost comes again.
    @Test func aBankThatIsThereIsNotSilentWhileAnotherIsWaitedFor() throws {
        var helds = 0
        for seed in 0..<24 as Range<UInt64> {
            var faults = FaultPlan()
            faults.delayMax = 9
            faults.computationMax = 60
            faults.dropShare = 0.05
            faults.halfOpenShare = 0.02
            faults.kills[consortium.banks[0]] = 40 + 10 * seed
            let result = try consortium.run(faults: faults, schedule: seed)
            #expect(result.unclocked.isEmpty, "seed \(seed): \(result.unclocked)")
            #expect(result.silent.isEmpty, "seed \(seed): \(result.silent)")
            if result.isHeld { helds += 1 }
        }
        #expect(helds > 0)
    }

    @Test func aBankThatComesBackInTimeChangesNothing() throws {
        for seed in 0..<12 as Range<UInt64> {
            var faults = FaultPlan()
            faults.delayMax = 5
            faults.breakShare = 0.05
            faults.bankKillShare = 0.01
            let result = try consortium.run(faults: faults, schedule: seed)
            #expect(result.model == undisturbed, "seed \(seed)")
        }
    }

    @Test func aBlocThatIsBackTakesPartInTheNextGroup() throws {
        var returned = 0
        var consortium = consortium
        consortium.rounds = 6
        for seed in 0..<20 as Range<UInt64> {
            var faults = FaultPlan()
            faults.computationMax = 400
            faults.bankKillShare = 0.004
            faults.deadline = 500
            faults.holdTime = 300
            faults.restartMax = 2_000
            let result = try consortium.run(faults: faults, schedule: seed)
            #expect(result.wrongSums.isEmpty, "seed \(seed)")
            let rosters = result.rosters
            if zip(rosters, rosters.dropFirst()).contains(where: { $0 < $1 }) { returned += 1 }
        }
        #expect(returned > 0)
    }

    @Test func aBankThatLostItsStateStaysOutAndTheRestGoesOn() throws {
        let victim = consortium.banks[3]
        var fenced = 0
        for seed in 0..<25 as Range<UInt64> {
            var faults = FaultPlan()
            faults.bankKillShare = 0.004
            faults.stateLossShare = 1
            let result = try consortium.run(faults: faults, schedule: seed)
            #expect(result.wrongSums.isEmpty && result.doubleOpenings.isEmpty, "seed \(seed)")
            let lost = result.bankOutcomes.filter { $0.value == .refused(.stateLost) }.keys
            if Set(lost) == [victim], let model = result.model, !result.hasFullRosters {
                fenced += 1
                #expect(result.models[victim] == nil)
                #expect(result.models[consortium.banks[0]] == model)
            }
        }
        #expect(fenced > 0)
    }

    /// Found by a schedule of restarts: the replay of a journal asked the safety rules for leave to
    /// give shares, and these had moved on to a later attempt.
    @Test func aBankThatOnceGaveSharesCanRestartAtAnyMoment() throws {
        var recoveries = 0
        for seed in 0..<10 as Range<UInt64> {
            var faults = FaultPlan()
            faults.delayMax = 9
            faults.bankKillShare = 0.03
            let result = try consortium.run(faults: faults, schedule: seed)
            recoveries += result.recoveries
            for (bank, journal) in result.bankJournals {
                let configuration = try consortium.configuration(of: bank)
                for count in 1...journal.count {
                    #expect(throws: Never.self, "seed \(seed), \(count) entries of bank \(bank)") {
                        try NodeRun.restore(
                            run: consortium.manifest.run, configuration: configuration,
                            journal: Array(journal[..<count]))
                    }
                }
            }
        }
        #expect(recoveries > 0)
    }

    @Test func aRunOverAnotherRosterOnTheSameRowsIsRefusedBySafety() throws {
        let victim = consortium.banks[4]
        var entries: [SafetyEntry] = []
        let full = try consortium.run()
        for case .safety(let entry) in full.bankJournals[consortium.banks[0]] ?? [] {
            entries.append(entry)
        }
        // The same rows and the same roster: nothing new would be opened.
        let again = try ToyConsortium(bankCount: 5, seed: 31, run: 2)
        let repeated = try again.run(configure: {
            try again.configuration(
                of: $0, safetyEntries: $0 == consortium.banks[0] ? entries : [])
        })
        #expect(repeated.model == undisturbed)
        // The first sums once more without E's bloc would show what that bloc holds.
        var faults = FaultPlan()
        faults.computationMax = 500
        faults.kills[victim] = 60
        let smaller = try again.run(
            faults: faults, schedule: 1,
            configure: {
                try again.configuration(
                    of: $0, safetyEntries: $0 == consortium.banks[0] ? entries : [])
            })
        guard case .refused(.safety) = smaller.bankOutcomes[consortium.banks[0]] else {
            Issue.record("\(smaller.bankOutcomes) \(smaller.retries)")
            return
        }
        #expect(smaller.model == nil)
    }
}
