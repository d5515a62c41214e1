import FedCore
import FedSimulation
import Testing

/// One bank, one fault, one moment: all of them.
@Suite struct StrikeTests {
    @Test(arguments: Strike.Phase.allCases)
    func anyBankOfFiveStruckInAnyWayChangesNothingOrCostsItsBloc(phase: Strike.Phase) throws {
        let consortium = try ToyConsortium(bankCount: 5, seed: 53)
        let reference = try #require(try consortium.run().model)
        for strike in Strike.all(consortium.banks) where strike.phase == phase {
            try check(strike, consortium, reference)
        }
    }

    /// All 648 of nine banks are in `fed simulate --every-phase`.
    @Test(arguments: Strike.Phase.allCases)
    func anyBankOfNineStruckInOneWayChangesNothingOrCostsItsBloc(phase: Strike.Phase) throws {
        let consortium = try ToyConsortium(bankCount: 9, seed: 59)
        let reference = try #require(try consortium.run().model)
        for strike in Strike.some(consortium.banks) where strike.phase == phase {
            try check(strike, consortium, reference)
        }
    }

    private func check(
        _ strike: Strike, _ consortium: ToyConsortium, _ reference: ModelDocument
    ) throws {
        var faults = FaultPlan()
        faults.strike = strike
        let result = try consortium.run(faults: faults, schedule: 1)
        #expect(result.hasStruck, "\(strike)")
        #expect(strike.violation(of: result, reference: reference) == nil, "\(strike)")
    }
}
