import FedCore
import FedCrypto
import Testing

/// What a bank remembers of the periods that it let be summed.
struct SummedPeriodsTests {
    private let derivation: Derivation
    private let banks: [NodeID]
    private let figures = SHA256.hash([1])

    init() throws {
        derivation = try indicatorDerivation(index: .range(first: 0, count: 6))
        banks = try ["A", "B", "C"].map { try #require(NodeID($0)) }
    }

    private func plan(
        _ first: Int64, _ count: Int, revision: Int = 1, indicator: String = "risk"
    ) throws -> IndicatorPlan {
        try IndicatorPlan(
            derivation, indicator: indicator, firstPeriod: first, periodCount: count,
            revision: revision)
    }

    @Test func theSameSumMayBeAskedForAgainAndOtherPeriodsAtAnyTime() throws {
        var summed = SummedPeriods()
        try summed.admit(try plan(0, 4), banks: banks, figures: figures)
        let once = summed
        try summed.admit(try plan(0, 4), banks: banks.reversed(), figures: figures)
        #expect(summed == once)
        try summed.admit(try plan(4, 1), banks: Array(banks[..<2]), figures: SHA256.hash([2]))
        try summed.admit(try plan(-1, 1), banks: banks, figures: SHA256.hash([3]))
        #expect(try SummedPeriods(bytes: summed.bytes) == summed)
    }

    @Test func noPeriodIsSummedTwiceInAnyOtherWay() throws {
        var summed = SummedPeriods()
        try summed.admit(try plan(0, 4), banks: banks, figures: figures)
        func difference(
            _ plan: IndicatorPlan, _ banks: [NodeID], _ figures: [UInt8],
            permitsCorrections: Bool = false
        ) -> SummedPeriods.Difference? {
            var copy = summed
            do {
                try copy.admit(
                    plan, banks: banks, figures: figures, permitsCorrections: permitsCorrections)
                return nil
            } catch .summedBefore(_, let from, let until, let difference) {
                #expect(from < until && from >= 0 && until <= 400)
                return difference
            } catch {
                Issue.record("\(error)")
                return nil
            }
        }
        let fewer = Array(banks[..<2])
        #expect(difference(try plan(0, 4), fewer, figures) == .roster)
        // Another indicator of the same entity would show the same banks by the difference.
        #expect(difference(try plan(3, 9, indicator: "fresh"), fewer, figures) == .roster)
        #expect(difference(try plan(3, 9, indicator: "fresh"), banks, figures) == nil)
        #expect(difference(try plan(3, 2), banks, figures) == .plan)
        #expect(difference(try plan(0, 4), banks, SHA256.hash([2])) == .figures)
        let corrected = try plan(0, 4, revision: 2)
        #expect(difference(corrected, banks, figures) == .revision)
        #expect(difference(corrected, banks, figures, permitsCorrections: true) == nil)
        #expect(difference(corrected, fewer, figures, permitsCorrections: true) == .roster)
        try summed.admit(corrected, banks: banks, figures: figures, permitsCorrections: true)
        #expect(
            difference(try plan(0, 4), banks, figures, permitsCorrections: true) == .revision)
    }

    @Test func bytesCutShortAreRefused() throws {
        var summed = SummedPeriods()
        try summed.admit(try plan(0, 4), banks: banks, figures: figures)
        let bytes = summed.bytes
        for count in bytes.indices {
            #expect(throws: DecodingFailure.self) {
                _ = try SummedPeriods(bytes: Array(bytes[..<count]))
            }
        }
        #expect(throws: DecodingFailure.self) { _ = try SummedPeriods(bytes: bytes + [0]) }
    }

    @Test func figuresThatChangeWithinAPlanChangeItsDigestAndOthersDoNot() throws {
        let plan = try plan(0, 4)
        func digest(_ rows: [RawRow]) throws -> [UInt8] {
            var ledger = try IndicatorLedger(derivation, indicator: "risk")
            for row in rows { ledger.add(row) }
            return ledger.digest(of: plan)
        }
        func row(_ time: Int64, isFraud: Bool = false) -> RawRow {
            RawRow(
                time: time, number: time, isFraud: isFraud, numbers: [1],
                entities: [EntityKey(Int64(7)), EntityKey(Int64(2))])
        }
        let rows = [row(-150), row(10), row(390)]
        let before = try digest(rows)
        #expect(try digest(rows.reversed()) == before)
        // The floor's window of three periods reaches back to second -200.
        #expect(try digest([row(-250)] + rows + [row(400)]) == before)
        #expect(try digest([row(-150, isFraud: true)] + rows[1...]) == before)
        #expect(try digest([rows[1], rows[2]]) != before)
        #expect(try digest(rows + [row(20)]) != before)
        #expect(try digest([rows[0], row(10, isFraud: true), rows[2]]) != before)
    }

    @Test func aBankAnswersOnlyPlansOfItsOwnDeclarationKeyAndRows() throws {
        let sketched = try indicatorDerivation(index: .sketch(width: 64, depth: 1))
        let own = try sharedSecrets()
        func counts(_ secrets: IndicatorSecrets, until time: Int64) throws -> IndicatorCounts {
            var counts = try IndicatorCounts(sketched, secrets: secrets)
            try counts.add(together: [
                RawRow(
                    time: time, number: 0, isFraud: false, numbers: [1],
                    entities: [EntityKey(Int64(7)), EntityKey(Int64(2))])
            ])
            return counts
        }
        func plan(_ check: [UInt8]?) throws -> IndicatorPlan {
            try IndicatorPlan(
                sketched, indicator: "risk", firstPeriod: 0, periodCount: 2, keyCheck: check)
        }
        let sound = try plan(own.keyCheck)
        #expect(try counts(own, until: 350).ledger(for: sound).indicator.name == "risk")
        #expect(throws: IndicatorError.rowsEndEarly(indicator: "risk", got: 349, expected: 350)) {
            _ = try counts(own, until: 349).ledger(for: sound)
        }
        for check in [nil, try sharedSecrets(2).keyCheck] {
            #expect(throws: IndicatorError.anotherKey(indicator: "risk")) {
                _ = try counts(own, until: 350).ledger(for: plan(check))
            }
        }
        #expect(throws: IndicatorError.anotherDeclaration(indicator: "risk")) {
            _ = try counts(own, until: 350).ledger(for: self.plan(0, 2))
        }
    }

    @Test func aPlanSurvivesItsManifestAndUnsoundOnesAreRefused() throws {
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: -3, periodCount: 700, revision: 2,
            keyCheck: SHA256.hash([5]))
        let name = AlgorithmConfiguration.indicatorsName
        let algorithm = try AlgorithmConfiguration(
            name: name, configurationJSON: plan.canonical.bytes)
        #expect(algorithm == .indicators(plan))
        #expect(algorithm.canonical == plan.canonical)
        let text = String(decoding: plan.canonical.bytes, as: UTF8.self)
        for (old, new) in [
            ("\"period\":100", "\"period\":59"), ("\"period_count\":700", "\"period_count\":0"),
            ("\"period_count\":700", "\"period_count\":4097"), ("\"revision\":2", "\"revision\":0"),
            ("\"first_period\":-3", "\"first_period\":9223372036854775807"),
            ("\"first_period\":-3", "\"first_period\":-9223372036854775808"),
            ("\"banks\":3", "\"banks\":2"), ("\"count\":6", "\"count\":4194305"),
            ("\"revision\":2", "\"revision\":2,\"more\":1"), ("\"most\":1000", "\"most\":0"),
            ("\"key_check\":\"", "\"key_check\":\"00"),
        ] {
            let changed = text.replacing(old, with: new)
            #expect(changed != text, "\(old)")
            #expect(throws: LearningError.self, "\(new)") {
                _ = try AlgorithmConfiguration(
                    name: name, configurationJSON: Array(changed.utf8))
            }
        }
    }
}
