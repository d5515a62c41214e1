import FedCore
import FedCrypto
import Testing

struct IndicatorSumTests {
    private let index = Indicator.Index.range(first: 0, count: 6)

    @Test(arguments: 0..<4 as Range<UInt64>)
    func aTableHoldsTheSumsOfCellsThatReachTheFloorAndNoOthers(seed: UInt64) throws {
        let measures =
            countAndFrauds + [
                Indicator.Measure(
                    name: "amount", kind: .sum(column: "amount", unit: 0.5), most: 150),
                Indicator.Measure(name: "cards", kind: .distinct(column: "card"), most: 4),
            ]
        let derivation = try indicatorDerivation(
            index: index, measures: measures, floorPeriods: 1)
        // Few rows a shop and period, so that some cells stay below the floor.
        let banks = (0..<5).map { shopRows(120, shops: 8, seed: seed * 10 + UInt64($0)) }
        let table = try allTables(derivation, banks)[0]
        let naive = NaiveIndicator(indicator: derivation.indicators[0], banks: banks)
        var suppressed = 0
        for period in table.periods {
            suppressed += 6 - period.permittedCount
            #expect(period.cells.count <= period.permittedCount)
            for shop in 0..<6 {
                let position = period.cells.firstIndex(of: Int32(shop))
                for (index, measure) in measures.enumerated() {
                    let got = position.map { period.values[index][$0] } ?? 0
                    let wanted = naive.figure(
                        measure, EntityKey(Int64(shop)), period: period.number)
                    #expect(got == wanted, "seed \(seed), \(period.number), \(shop), \(measure)")
                }
            }
        }
        #expect(suppressed > 0, "seed \(seed)")
        #expect(table.periods.contains { !$0.cells.isEmpty }, "seed \(seed)")
    }

    @Test func theFloorLooksBackOverItsWindow() throws {
        func row(_ time: Int64) -> RawRow {
            RawRow(
                time: time, number: time, isFraud: false, numbers: [1],
                entities: [EntityKey(Int64(7)), EntityKey(Int64(2))])
        }
        let derivation = try indicatorDerivation(index: index, floorPeriods: 3)
        // Banks are active in periods 0, 1 and 2, one each; the sum of period 2 has one row.
        let banks = [[row(0)], [row(199)], [row(200)], []]
        let ledgers = try ledgers(derivation, "risk", banks)
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 4)
        let table = try IndicatorTable.plaintext(plan, ledgers: ledgers)
        #expect(table.periods.map(\.permittedCount) == [0, 0, 1, 0])
        #expect(table.periods[2].cells == [2])
        #expect(table.periods[2].values == [[1], [0]])
        #expect(plan.dueTime == 400 + 150)
    }

    @Test func labelsAndVerdictsThatComeLaterCountInThePeriodOfTheirRow() throws {
        let measures = [
            Indicator.Measure(name: "frauds", kind: .frauds, most: 10),
            Indicator.Measure(name: "confirmed", kind: .confirmed, most: 10),
            Indicator.Measure(name: "count", kind: .count, most: 10),
        ]
        let derivation = try indicatorDerivation(index: index, measures: measures)
        let row = RawRow(
            time: 10, number: 1, isFraud: nil, numbers: [1],
            entities: [EntityKey(Int64(7)), EntityKey(Int64(2))])
        var ledger = try IndicatorLedger(derivation, indicator: "risk")
        ledger.add(row)
        ledger.learnFraud(row)
        ledger.confirm(row)
        ledger.confirm(row)
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 1)
        let table = try IndicatorTable.plaintext(plan, ledgers: [ledger, ledger, ledger])
        #expect(table.periods[0].values == [[3], [6], [3]])
        ledger.forget(before: 1)
        #expect(ledger.countedPeriods == [0], "the floor's window still needs the period")
        ledger.forget(before: 3)
        #expect(ledger.countedPeriods.isEmpty)
    }

    @Test func findingsCountUntilTheFiguresOfTheirPeriodAreKnown() throws {
        let measures = [
            Indicator.Measure(name: "count", kind: .count, most: 10),
            Indicator.Measure(name: "frauds", kind: .frauds, most: 10),
            Indicator.Measure(name: "confirmed", kind: .confirmed, most: 10),
        ]
        let derivation = try indicatorDerivation(index: index, measures: measures)
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 1)
        func row(_ number: Int64, isFraud: Bool?) -> RawRow {
            RawRow(
                time: 10, number: number, isFraud: isFraud, numbers: [1],
                entities: [EntityKey(Int64(7)), EntityKey(Int64(2))])
        }
        let due = plan.dueTime
        func figures(_ label: Bool?, _ finding: RowFinding?) throws -> [[Int64]] {
            var counts = try IndicatorCounts(derivation)
            try counts.add(
                together: [row(1, isFraud: label)], findings: finding.map { [1: $0] } ?? [:])
            #expect(counts.rowCount == 1)
            let ledger = counts.ledgers[0]
            return try IndicatorTable.plaintext(plan, ledgers: [ledger, ledger, ledger])
                .periods[0].values
        }
        let inTime = RowFinding(isFraud: true, time: due - 1)
        #expect(try figures(nil, nil) == [[3], [0], [0]])
        #expect(try figures(nil, inTime) == [[3], [3], [3]])
        #expect(try figures(true, inTime) == [[3], [3], [3]], "a fraud counts once")
        #expect(try figures(true, RowFinding(isFraud: false, time: 10)) == [[3], [0], [0]])
        #expect(try figures(nil, RowFinding(isFraud: true, time: due)) == [[3], [0], [0]])
        #expect(try figures(true, RowFinding(isFraud: false, time: due)) == [[3], [3], [0]])
    }

    @Test func manyPeriodsAreSummedInParts() throws {
        let wide = Indicator.Index.range(first: 0, count: 1 << 19)
        let derivation = try indicatorDerivation(index: wide)
        let banks = (0..<3).map { shopRows(60, shops: 3, seed: UInt64($0)) }
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: -5, periodCount: 5)
        var joint = try JointIndicatorLearner(plan: plan, contributors: 3)
        guard case .query(let query) = try joint.next() else {
            Issue.record("no query")
            return
        }
        #expect(query.layout.laneCount == 1 << 20)
        #expect(query.layout.ringBits == 16)
        let narrow = try indicatorDerivation(index: .range(first: 0, count: 3))
        let wideTable = try IndicatorTable.plaintext(
            plan, ledgers: try ledgers(derivation, "risk", banks))
        let narrowTable = try IndicatorTable.plaintext(
            try IndicatorPlan(narrow, indicator: "risk", firstPeriod: -5, periodCount: 5),
            ledgers: try ledgers(narrow, "risk", banks))
        #expect(wideTable.periods == narrowTable.periods)
        #expect(wideTable.periods.contains { !$0.cells.isEmpty })
    }

    @Test func aBankAnswersPresenceFirstAndEachPartOnce() throws {
        let derivation = try indicatorDerivation(index: index)
        let banks = (0..<3).map { shopRows(100, shops: 6, seed: UInt64($0)) }
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 2)
        var joint = try JointIndicatorLearner(plan: plan, contributors: 3)
        let own = try ledgers(derivation, "risk", banks)
        var bank = try LocalIndicatorLearner(plan: plan, ledger: own[0])
        guard case .query(let presence) = try joint.next() else {
            Issue.record("no query")
            return
        }
        var answers: [EncodedVector] = []
        for ledger in own {
            var learner = try LocalIndicatorLearner(plan: plan, ledger: ledger)
            answers.append(try learner.answer(presence, contributors: 3))
        }
        try joint.absorb(EncodedVector.plainSum(answers))
        guard case .query(let figures) = try joint.next() else {
            Issue.record("no query")
            return
        }
        #expect(throws: LearningError.self) { _ = try bank.answer(figures, contributors: 3) }
        #expect(throws: LearningError.self) { _ = try bank.answer(presence, contributors: 2) }
        _ = try bank.answer(presence, contributors: 3)
        #expect(throws: LearningError.self) { _ = try bank.answer(presence, contributors: 3) }
        // Another selection than the shape says, and a body cut short at every byte.
        var body = figures.body
        body[body.count - 1] ^= 1
        #expect(throws: LearningError.self) {
            _ = try bank.answer(
                Query(round: 1, kind: figures.kind, body: body, layout: figures.layout),
                contributors: 3)
        }
        for count in figures.body.indices {
            let cut = Query(
                round: 1, kind: figures.kind, body: Array(figures.body[..<count]),
                layout: figures.layout)
            #expect(throws: LearningError.self) { _ = try bank.answer(cut, contributors: 3) }
        }
        _ = try bank.answer(figures, contributors: 3)
        #expect(throws: LearningError.self) { _ = try bank.answer(figures, contributors: 3) }
    }

    @Test func sumsThatCannotBeAreRefused() throws {
        let derivation = try indicatorDerivation(index: index)
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: 0, periodCount: 1)
        #expect(throws: LearningError.self) {
            _ = try JointIndicatorLearner(plan: plan, contributors: 2)
        }
        var joint = try JointIndicatorLearner(plan: plan, contributors: 3)
        #expect(throws: LearningError.self) { try joint.absorb(Aggregate(integers: [3])) }
        for wrong in [[4, 0, 0, 0, 0, 0], [-1, 3, 3, 3, 3, 3]] as [[Int64]] {
            #expect(throws: LearningError.self) { try joint.absorb(Aggregate(integers: wrong)) }
        }
        try joint.absorb(Aggregate(integers: [3, 0, 0, 2, 0, 0]))
        #expect(throws: LearningError.self) { try joint.absorb(Aggregate(integers: [3001, 0])) }
        try joint.absorb(Aggregate(integers: [3000, 5]))
        #expect(joint.table?.periods[0].values == [[3000], [5]])
    }

    @Test func aTableSurvivesItsDocument() throws {
        let derivation = try indicatorDerivation(index: index)
        let banks = (0..<4).map { shopRows(150, shops: 6, seed: UInt64($0)) }
        let table = try allTables(derivation, banks)[0]
        let bytes = table.document.bytes
        #expect(try IndicatorTable(bytes: bytes, derivation: derivation) == table)
        let other = try indicatorDerivation(index: .range(first: 1, count: 6))
        #expect(throws: IndicatorError.self) {
            _ = try IndicatorTable(bytes: bytes, derivation: other)
        }
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: IndicatorError.self) {
                _ = try IndicatorTable(bytes: Array(bytes[..<count]), derivation: derivation)
            }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for (old, new) in [
            ("\"revision\":1", "\"revision\":0"), ("\"banks\":4", "\"banks\":2"),
            ("\"cells\":[0,1,", "\"cells\":[1,0,"), ("\"cells\":[0,", "\"cells\":[0, "),
        ] {
            let range = try #require(text.firstRange(of: old))
            let changed = text.replacingCharacters(in: range, with: new)
            #expect(throws: IndicatorError.self, "\(new)") {
                _ = try IndicatorTable(bytes: Array(changed.utf8), derivation: derivation)
            }
        }
    }
}

extension String {
    fileprivate func firstRange(of text: String) -> Range<String.Index>? {
        firstIndex(where: { _ in true }).flatMap { _ in
            indices.first { self[$0...].hasPrefix(text) }
                .map { $0..<index($0, offsetBy: text.count) }
        }
    }

    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String
    {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
