import FedCore
import FedLoop
import Testing

@Suite struct LoopReplayTests {
    private func run(
        _ rows: [[Toy.Row]], _ variant: LoopVariant, _ change: (inout LoopPlan) -> Void = { _ in }
    ) throws -> LoopOutcome {
        var plan = Toy.plan
        change(&plan)
        return try LoopReplay.run(try Toy.stream(rows), plan: plan, variant: variant)
    }

    private var everything: LoopVariant {
        var variant = LoopVariant.sharedVerdicts
        variant.trainsOnVerdicts = true
        variant.sharesActivity = true
        variant.exploration = 0.2
        return variant
    }

    @Test(arguments: [false, true]) func verdictsByThemselvesAreNotReadEarlierEither(
        readsHistory: Bool
    ) throws {
        var variant = everything
        variant.readsHistory = readsHistory
        let rows = Toy.rows(seed: 13)
        let cut = 45
        let before = try run(rows, variant)
        let reviewed = Set(
            before.lists.filter { $0.day < cut }.flatMap { list in
                list.rows.map { [list.bank, $0] }
            })
        var cleared = rows
        for bank in rows.indices {
            for row in rows[bank].indices
            where rows[bank][row].time >= Int64((cut - 6) * 86_400)
                && !reviewed.contains([bank, row])
            {
                cleared[bank][row].isFraud = false
            }
        }
        #expect(
            try run(cleared, variant).lists.filter { $0.day <= cut }
                == before.lists.filter { $0.day <= cut })
    }

    @Test func theSameSeedGivesTheSameLists() throws {
        let rows = Toy.rows(seed: 1)
        let first = try run(rows, everything) { $0.normalShare = 0.5 }
        let again = try run(rows, everything) {
            $0.normalShare = 0.5
            $0.threads = 2
        }
        #expect(first == again)
        let other = try run(rows, everything) {
            $0.normalShare = 0.5
            $0.seed = 2
        }
        #expect(first != other)
    }

    @Test(arguments: [40, 51, 62]) func listsDoNotDependOnLabelsThatAreNotYetKnown(
        cut: Int
    ) throws {
        let rows = Toy.rows(seed: 3)
        let before = try run(rows, everything)
        let reviewed = Set(
            before.lists.filter { $0.day < cut }.flatMap { list in
                list.rows.map { [list.bank, $0] }
            })
        // Every label is turned that no bank can know by the end of the cut.
        var turned = rows
        var count = 0
        for bank in rows.indices {
            for row in rows[bank].indices
            where rows[bank][row].time >= Int64((cut - 6) * 86_400)
                && !reviewed.contains([bank, row])
            {
                turned[bank][row].isFraud.toggle()
                count += 1
            }
        }
        #expect(count > 1_000)
        let after = try run(turned, everything)
        let untilCut = before.lists.filter { $0.day <= cut }
        #expect(after.lists.filter { $0.day <= cut } == untilCut)
        #expect(after.lists != before.lists)
    }

    @Test func aLabelIsUsedOnceItsDelayIsOver() throws {
        let rows = Toy.rows(seed: 3)
        let cut = 50
        let before = try run(rows, .indicators)
        var turned = rows
        for bank in rows.indices {
            for row in rows[bank].indices
            where rows[bank][row].time / 86_400 == Int64(cut - 7) {
                turned[bank][row].isFraud.toggle()
            }
        }
        let after = try run(turned, .indicators)
        #expect(
            after.lists.filter { $0.day < cut - 7 } == before.lists.filter { $0.day < cut - 7 })
        #expect(after.lists.filter { $0.day == cut } != before.lists.filter { $0.day == cut })
    }

    @Test func aVerdictIsUsedOnTheNextDay() throws {
        let rows = Toy.rows(seed: 4)
        let day = 44
        let before = try run(rows, .sharedVerdicts)
        var turned = rows
        var count = 0
        for list in before.lists where list.day == day {
            for row in list.rows {
                turned[list.bank][row].isFraud.toggle()
                count += 1
            }
        }
        #expect(count == 24)
        let after = try run(turned, .sharedVerdicts)
        func lists(_ outcome: LoopOutcome, _ day: Int) -> [[Int]] {
            outcome.lists.filter { $0.day == day }.map(\.rows)
        }
        #expect(lists(after, day) == lists(before, day))
        #expect(lists(after, day + 1) != lists(before, day + 1))
        let alone = try run(rows, .local)
        var aloneTurned = rows
        for list in alone.lists where list.day == day {
            for row in list.rows { aloneTurned[list.bank][row].isFraud.toggle() }
        }
        let aloneAfter = try run(aloneTurned, .local)
        #expect(lists(aloneAfter, day + 1) == lists(alone, day + 1))
    }

    @Test func reviewsAreTheHighestScoresWithinTheBudget() throws {
        let rows = Toy.rows(seed: 5)
        let outcome = try run(rows, .local)
        #expect(outcome.lists.count == 4 * (70 - 24))
        for list in outcome.lists {
            #expect(list.rows.count == 6)
            #expect(Set(list.rows).count == 6)
            let isOfDay = list.rows.allSatisfy {
                rows[list.bank][$0].time / 86_400 == Int64(list.day)
            }
            #expect(isOfDay, "day \(list.day)")
        }
        let caught = outcome.lists.filter { $0.day >= 34 }.reduce(0) { sum, list in
            sum + list.rows.filter { rows[list.bank][$0].isFraud }.count
        }
        #expect(outcome.caught(share: 1) == caught)
        let frauds = rows.joined().filter { $0.time >= 34 * 86_400 && $0.isFraud }.count
        #expect(outcome.sum { $0.frauds } == frauds)
        #expect(outcome.sum { $0.rows } == 4 * 36 * 60)
        #expect(outcome.caught(share: 0) <= caught)
    }

    @Test func exploredRowsTakeThePlacesOfTheLeastSuspiciousOnes() throws {
        let rows = Toy.rows(seed: 5)
        let plain = try run(rows, .local).lists
        var variant = LoopVariant.local
        variant.exploration = 0.5
        let explored = try run(rows, variant).lists
        var replaced = 0
        for (list, before) in zip(explored, plain) {
            #expect(list.rows.count == before.rows.count)
            #expect(Set(list.rows).count == list.rows.count)
            #expect(list.rows.prefix(3) == before.rows.prefix(3), "day \(list.day)")
            replaced += Set(list.rows).subtracting(before.rows).count
        }
        // Of 60 rows a day three are drawn out of 57, so most drawn ones were not on the list.
        #expect(replaced > 2 * plain.count)
    }

    @Test func theLoopCatchesMoreWhereBanksShareBadTerminals() throws {
        for seed in 6..<9 as Range<UInt64> {
            let rows = Toy.rows(seed: seed)
            let local = try run(rows, .local).caught(share: 1)
            let shared = try run(rows, .sharedVerdicts).caught(share: 1)
            #expect(Double(shared) > 1.25 * Double(local), "seed \(seed)")
        }
    }

    @Test func tooFewBanksAtAKeySharesNothing() throws {
        // With two banks no key ever has three: shared variants see what the bank alone sees.
        let rows = Toy.rows(seed: 9, banks: 2)
        var own = LoopVariant.sharedVerdicts
        own.sharesVerdicts = false
        let alone = try run(rows, own)
        let shared = try run(rows, .sharedVerdicts)
        #expect(shared.lists == alone.lists)
        let open = try run(rows, .sharedVerdicts) { $0.contributorsMin = 2 }
        #expect(open.lists != alone.lists)
    }

    @Test func aBankWithoutFraudsLeansOnTheFederatedModel() throws {
        var rows = Toy.rows(seed: 10)
        for row in rows[3].indices where rows[3][row].time < 34 * 86_400 {
            rows[3][row].isFraud = false
        }
        let outcome = try run(rows, .indicators)
        #expect(outcome.caught(share: 1, banks: [3], days: 0..<6) > 0)
    }

    @Test func plansThatDoNotFitAreRefused() throws {
        let rows = Toy.rows(seed: 1)
        func expect(_ field: String, _ change: (inout LoopPlan) -> Void) {
            #expect {
                _ = try run(rows, .local, change)
            } throws: { error in
                guard case LoopError.plan(let got, _, _) = error else { return false }
                return got == field
            }
        }
        expect("periods") { $0.periodCount = 5 }
        expect("end of the last period") { $0.periodCount = 7 }
        expect("review share") { $0.reviewShare = 0 }
        expect("warm-up trainings") { $0.warmUpTrainings = [30] }
        expect("label delay") { $0.labelDelayDays = 0 }
        expect("training days") { $0.trainingDays = 7 }
        expect("refreshes") { $0.refreshesPerDay = 5 }
        expect("usual amount") { $0.usualAmountMax = 0 }
    }
}
