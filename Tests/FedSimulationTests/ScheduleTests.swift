import FedCore
import FedSimulation
import Testing

/// Runs of the real machines under seeded schedules.
@Suite struct ScheduleTests {
    private func agreedModel(_ result: SimulatedRun.Result) -> ModelDocument? {
        if case .model(let model, _) = result.outcome { model } else { nil }
    }

    @Test(arguments: [3, 5, 9])
    func undisturbedRunGivesOneModelToEveryBank(bankCount: Int) throws {
        let consortium = try ToyConsortium(bankCount: bankCount, seed: 7)
        let result = try consortium.run()
        let model = try #require(agreedModel(result))
        #expect(result.wrongSums.isEmpty)
        #expect(result.models.count == bankCount)
        #expect(result.models.values.allSatisfy { $0 == model })
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func delaysAndDuplicatesChangeNothing(schedule: UInt64) throws {
        let consortium = try ToyConsortium(bankCount: 4, seed: 11)
        let undisturbed = try #require(agreedModel(try consortium.run()))
        var faults = FaultPlan()
        faults.delayMax = 50
        faults.duplicateShare = 0.3
        let result = try consortium.run(faults: faults, schedule: schedule)
        #expect(agreedModel(result) == undisturbed, "schedule \(schedule)")
        #expect(result.wrongSums.isEmpty, "schedule \(schedule)")
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func anyFaultEndsInTheSameModelOrInAReason(schedule: UInt64) throws {
        let consortium = try ToyConsortium(bankCount: 5, seed: 13)
        let undisturbed = try #require(agreedModel(try consortium.run()))
        var generator = SeededGenerator(seed: schedule)
        var faults = FaultPlan()
        faults.delayMax = 1 + generator.next() % 40
        faults.duplicateShare = generator.unit() * 0.2
        faults.dropShare = generator.unit() < 0.5 ? 0 : 0.03
        faults.corruptShare = generator.unit() < 0.5 ? 0 : 0.03
        faults.reorders = generator.unit() < 0.3
        if generator.unit() < 0.3 {
            faults.kills[consortium.banks[Int(generator.next() % 5)]] = generator.next() % 200
        }
        let result = try consortium.run(faults: faults, schedule: schedule)
        #expect(result.wrongSums.isEmpty, "schedule \(schedule)")
        switch try #require(result.outcome, "schedule \(schedule) did not end") {
        case .model(let model, _): #expect(model == undisturbed, "schedule \(schedule)")
        case .aborted: break
        }
        for (bank, adopted) in result.models {
            #expect(adopted == undisturbed, "schedule \(schedule), bank \(bank)")
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func aKilledBankIsNamedInOneReasonEverywhere(time: UInt64) throws {
        let consortium = try ToyConsortium(bankCount: 4, seed: 17)
        let victim = consortium.banks[2]
        var faults = FaultPlan()
        faults.delayMax = 5
        faults.kills[victim] = time
        let result = try consortium.run(faults: faults, schedule: time)
        guard case .aborted(let reason) = result.outcome else {
            #expect(agreedModel(result) != nil)
            return
        }
        #expect(reason.bank == victim)
        for bank in consortium.banks where bank != victim {
            #expect(result.bankOutcomes[bank] == .aborted(reason), "bank \(bank)")
        }
    }

    @Test func aSilentBankIsNamedWhenThePhaseIsOver() throws {
        let consortium = try ToyConsortium(bankCount: 3, seed: 19)
        let result = try consortium.run(tamper: { bytes, bank, index in
            bank == consortium.banks[1] && index == 3 ? [] : [bytes]
        })
        #expect(
            result.outcome == .aborted(.bankSilent(consortium.banks[1], phase: "slot 0")))
    }
}
