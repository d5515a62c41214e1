import FedCore
import Testing

struct IndicatorFilterTests {
    private let index = Indicator.Index.range(first: 0, count: 6)
    /// Amounts up to 1.5 times the mean of the card's last 400 seconds, the row itself included.
    private let usual = Expression.compare(
        .ratio(
            .copy(column: "amount"),
            .window(
                WindowFigure(
                    .mean(column: "amount"), by: ["card"], window: TimeWindow(far: 400))),
            empty: 0), .atMost, 1.5)
    private let large = Expression.compare(.copy(column: "amount"), .greater, 20)

    /// Rows in the order of their numbers, in groups of one time.
    private func counts(
        _ derivation: Derivation, _ rows: [RawRow], findings: [Int64: RowFinding] = [:]
    ) throws -> IndicatorCounts {
        var counts = try IndicatorCounts(derivation)
        var start = 0
        while start < rows.count {
            let end = rows[start...].firstIndex { $0.time != rows[start].time } ?? rows.count
            try counts.add(together: Array(rows[start..<end]), findings: findings)
            start = end
        }
        return counts
    }

    private func isUsual(_ row: RawRow, of rows: [RawRow]) -> Bool {
        let seen = rows.filter {
            $0.entities[0] == row.entities[0] && $0.time > row.time - 400 && $0.time <= row.time
        }
        let mean = seen.reduce(0) { $0 + $1.numbers[0] } / Double(seen.count)
        return row.numbers[0] <= 1.5 * mean
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func aMeasureCountsTheRowsThatItsFilterLetsPass(seed: UInt64) throws {
        let measures =
            countAndFrauds + [
                Indicator.Measure(name: "usual", kind: .frauds, most: 9, filter: usual),
                Indicator.Measure(name: "large", kind: .count, most: 9, filter: large),
                Indicator.Measure(
                    name: "money", kind: .sum(column: "amount", unit: 0.5), most: 150,
                    filter: usual),
                Indicator.Measure(
                    name: "cards", kind: .distinct(column: "card"), most: 4, filter: large),
            ]
        let derivation = try indicatorDerivation(
            index: index, measures: measures, floorPeriods: 2)
        let banks = (0..<5).map { shopRows(150, shops: 8, seed: seed * 10 + UInt64($0)) }
        var naive = NaiveIndicator(indicator: derivation.indicators[0], banks: banks)
        naive.passes = { measure, bank, row in
            switch measure.filter {
            case nil: true
            case large: row.numbers[0] > 20
            default: isUsual(row, of: banks[bank])
            }
        }
        let ledgers = try banks.map { try counts(derivation, $0).ledgers[0] }
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: -5, periodCount: 20)
        let table = try IndicatorTable.plaintext(plan, ledgers: ledgers)
        var differences = 0
        for period in table.periods {
            for shop in 0..<6 {
                let position = period.cells.firstIndex(of: Int32(shop))
                let got = measures.indices.map { index in
                    position.map { period.values[index][$0] } ?? 0
                }
                let wanted = measures.map {
                    naive.figure($0, EntityKey(Int64(shop)), period: period.number)
                }
                #expect(got == wanted, "seed \(seed), \(period.number), \(shop)")
                if got[1] != got[2] { differences += 1 }
            }
        }
        #expect(differences > 0, "the filter takes frauds out")
    }

    @Test func rowsOfOneTimeSeeEachOtherAsTheDerivationSays() throws {
        func row(_ number: Int64, _ amount: Double) -> RawRow {
            RawRow(
                time: 10, number: number, isFraud: nil, numbers: [amount],
                entities: [EntityKey(Int64(7)), EntityKey(Int64(2))])
        }
        let measures =
            countAndFrauds + [
                Indicator.Measure(name: "usual", kind: .count, most: 9, filter: usual)
            ]
        // The mean of 9 and 1 is 5, so the first is usual only where the second is not seen.
        let rows = [row(1, 9), row(2, 1)]
        for (ties, expected) in [(Derivation.Ties.together, 1), (.arrival, 2)] {
            let derivation = try indicatorDerivation(index: index, measures: measures, ties: ties)
            let ledger = try counts(derivation, rows).ledgers[0]
            let plan = try IndicatorPlan(
                derivation, indicator: "risk", firstPeriod: 0, periodCount: 1)
            let table = try IndicatorTable.plaintext(plan, ledgers: [ledger, ledger, ledger])
            #expect(table.periods[0].values == [[6], [0], [Int64(3 * expected)]], "\(ties)")
        }
    }

    @Test func findingsAndLabelsChangeWhatIsAFraudAndNotWhatPasses() throws {
        let measures = [
            Indicator.Measure(name: "count", kind: .count, most: 99, filter: usual),
            Indicator.Measure(name: "frauds", kind: .frauds, most: 99, filter: usual),
            Indicator.Measure(name: "confirmed", kind: .confirmed, most: 99, filter: usual),
        ]
        let derivation = try indicatorDerivation(index: index, measures: measures)
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: -5, periodCount: 15)
        func sums(_ rows: [RawRow], _ findings: [Int64: RowFinding]) throws -> [Int64] {
            let ledger = try counts(derivation, rows, findings: findings).ledgers[0]
            let table = try IndicatorTable.plaintext(plan, ledgers: [ledger, ledger, ledger])
            return measures.indices.map { index in
                table.periods.reduce(0) { $0 + $1.values[index].reduce(0, +) } / 3
            }
        }
        let rows = shopRows(150, shops: 6, seed: 3)
        let plain = rows.map { row in
            var row = row
            row.isFraud = nil
            return row
        }
        let all = Dictionary(
            uniqueKeysWithValues: rows.map {
                ($0.number, RowFinding(isFraud: true, time: $0.time))
            })
        let labelled = try sums(rows, [:])
        let unlabelled = try sums(plain, [:])
        let found = try sums(plain, all)
        #expect(labelled[0] == unlabelled[0])
        #expect(unlabelled[1...] == [0, 0])
        #expect(found == [labelled[0], labelled[0], labelled[0]])
        #expect(labelled[0] > 0 && labelled[1] > 0 && labelled[1] < labelled[0])
    }

    @Test func aRowThatAFilterCannotTakeInIsCountedNowhere() throws {
        let measures =
            countAndFrauds + [
                Indicator.Measure(name: "usual", kind: .count, most: 9, filter: usual)
            ]
        let derivation = try indicatorDerivation(index: index, measures: measures)
        var counts = try IndicatorCounts(derivation)
        func row(_ time: Int64) -> RawRow {
            RawRow(
                time: time, number: time, isFraud: nil, numbers: [1],
                entities: [EntityKey(Int64(7)), EntityKey(Int64(2))])
        }
        try counts.add(together: [row(100)])
        #expect(throws: DerivationError.timeGoesBack(got: 99, latest: 100)) {
            try counts.add(together: [row(99)])
        }
        #expect(counts.rowCount == 1)
        #expect(counts.ledgers[0].latestTime == 100)
    }

    @Test func aFilterIsPartOfTheDeclaration() throws {
        func derivation(_ filter: Expression?) throws -> Derivation {
            try indicatorDerivation(
                index: index,
                measures: [
                    Indicator.Measure(name: "count", kind: .count, most: 9),
                    Indicator.Measure(name: "frauds", kind: .frauds, most: 9, filter: filter),
                ])
        }
        let plain = try derivation(nil)
        let filtered = try derivation(usual)
        #expect(try Derivation(json: filtered.canonicalBytes) == filtered)
        #expect(plain.indicators[0].sha256 != filtered.indicators[0].sha256)
        let plan = try IndicatorPlan(
            filtered, indicator: "risk", firstPeriod: 0, periodCount: 2)
        let algorithm = AlgorithmConfiguration.indicators(plan)
        let read = try AlgorithmConfiguration(
            name: AlgorithmConfiguration.indicatorsName, configurationJSON: plan.canonical.bytes)
        #expect(read == algorithm)
        #expect(throws: IndicatorError.anotherDeclaration(indicator: "risk")) {
            _ = try IndicatorCounts(plain).ledger(for: plan)
        }
    }
}
