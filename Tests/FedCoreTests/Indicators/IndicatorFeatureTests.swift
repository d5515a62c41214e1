import FedCore
import FedCrypto
import Testing

struct IndicatorFeatureTests {
    private let index = Indicator.Index.range(first: 0, count: 6)

    private func expected(
        _ derivation: Derivation, _ banks: [[RawRow]], _ rows: [RawRow]
    ) -> [[Double]] {
        func value(_ expression: Expression, _ row: RawRow) -> Double {
            switch expression {
            case .indicator(let figure):
                let indicator = derivation.indicators.first { $0.name == figure.indicator }!
                return NaiveIndicator(indicator: indicator, banks: banks).value(figure, of: row)
            case .ratio(let first, let second, let empty):
                let below = value(second, row)
                return below == 0 ? empty : value(first, row) / below
            default: return .nan
            }
        }
        return rows.map { row in derivation.features.map { value($0.value, row) } }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func featuresReadWholePeriodsWithinTheirWindows(seed: UInt64) throws {
        let derivation = try indicatorDerivation(index: index)
        let banks = (0..<4).map { shopRows(250, shops: 6, seed: seed * 10 + UInt64($0)) }
        var state = DerivationState(derivation)
        for table in try allTables(derivation, banks) { try state.publish(table) }
        let features = try state.batch(banks[0])
        let expected = expected(derivation, banks, banks[0])
        #expect(isSame(features, expected), "seed \(seed)")
        for feature in derivation.features.indices {
            #expect(features.contains { $0[feature] > 0 }, "seed \(seed), f\(feature)")
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func tablesPublishedPeriodByPeriodGiveTheNumbersOfTablesGivenAtOnce(seed: UInt64) throws {
        let derivation = try indicatorDerivation(index: index)
        let banks = (0..<4).map { shopRows(250, shops: 6, seed: seed * 10 + UInt64($0)) }
        var batch = DerivationState(derivation)
        for table in try allTables(derivation, banks) { try batch.publish(table) }
        let expected = try batch.batch(banks[0])
        var online = DerivationState(derivation)
        let ledgers = try derivation.indicators.map {
            try FedCoreTests.ledgers(derivation, $0.name, banks)
        }
        var next = derivation.indicators.map { _ in Int64(-5) }
        var random = SplitMix64(seed: seed)
        var features: [[Double]] = []
        var start = 0
        while start < banks[0].count {
            let time = banks[0][start].time
            // A table comes once it is due, and before the period in which it is needed.
            for (position, indicator) in derivation.indicators.enumerated() {
                while indicator.dueTime(of: next[position]) <= time {
                    let plan = try IndicatorPlan(
                        derivation, indicator: indicator.name, firstPeriod: next[position],
                        periodCount: 1)
                    #expect(plan.dueTime <= time)
                    let table = try IndicatorTable.plaintext(plan, ledgers: ledgers[position])
                    #expect(try online.publish(table) == 1)
                    #expect(try online.publish(table) == 0)
                    next[position] += 1
                }
            }
            let end = banks[0][start...].firstIndex { $0.time != time } ?? banks[0].count
            features += try online.apply(together: Array(banks[0][start..<end]))
            start = end
            // Now and then the bank's service restarts.
            if Int.random(in: 0..<20, using: &random) == 0 {
                online = try DerivationState(derivation, canonicalBytes: online.canonicalBytes)
            }
        }
        #expect(isSame(features, expected), "seed \(seed)")
    }

    @Test func aTableCountsFromWhenItComesAndALaterRevisionReplacesIt() throws {
        let derivation = try indicatorDerivation(index: index)
        func row(_ time: Int64) -> RawRow {
            RawRow(
                time: time, number: time, isFraud: false, numbers: [1],
                entities: [EntityKey(Int64(7)), EntityKey(Int64(2))])
        }
        func table(_ rows: Int, _ period: Int64, revision: Int = 1) throws -> IndicatorTable {
            let bank = (0..<rows).map { _ in row(period * 100) }
            return try IndicatorTable.plaintext(
                try IndicatorPlan(
                    derivation, indicator: "fresh", firstPeriod: period, periodCount: 1,
                    revision: revision),
                ledgers: try ledgers(derivation, "fresh", [bank, bank, bank]))
        }
        var state = DerivationState(derivation)
        #expect(try state.apply(row(510))[3...] == [0, 0])
        #expect(state.missingPeriods["fresh"] == [0, 1, 2, 3, 4])
        try state.publish(table(2, 4))
        #expect(try state.apply(row(520))[3...] == [6, 6])
        try state.publish(table(1, 4))
        #expect(try state.apply(row(530))[3...] == [6, 6])
        try state.publish(table(1, 4, revision: 2))
        #expect(try state.apply(row(540))[3...] == [3, 3])
        try state.publish(table(2, 1))
        #expect(try state.apply(row(550))[3...] == [3, 9])
        #expect(state.missingPeriods["fresh"] == [0, 2, 3])
        // Period 1 leaves the long window at 700, period 4 the short one at 600.
        #expect(try state.apply(row(600))[3...] == [0, 9])
        #expect(try state.apply(row(700))[3...] == [0, 3])
        #expect(try state.publish(table(2, 1, revision: 5)) == 0)
        // The most that one bank gives is cut off at 9.
        try state.publish(table(50, 6))
        #expect(try state.apply(row(710))[3...] == [27, 30])
    }

    @Test(arguments: 0..<3 as Range<UInt64>)
    func noFeatureDependsOnALabelYoungerThanTheDelay(seed: UInt64) throws {
        let derivation = try indicatorDerivation(index: index)
        let banks = (0..<4).map { shopRows(250, shops: 6, seed: seed * 10 + UInt64($0)) }
        func features(_ banks: [[RawRow]]) throws -> [[Double]] {
            var state = DerivationState(derivation)
            for table in try allTables(derivation, banks) { try state.publish(table) }
            return try state.batch(banks[0])
        }
        let plain = try features(banks)
        var random = SplitMix64(seed: seed)
        var changed = 0
        for _ in 0..<6 {
            let cut = banks[0][Int.random(in: 0..<250, using: &random)].time
            let other = banks.map { rows in
                rows.map { row in
                    var row = row
                    if row.time > cut - 150 { row.isFraud = Bool.random(using: &random) }
                    return row
                }
            }
            let later = try features(other)
            for index in banks[0].indices {
                if banks[0][index].time <= cut {
                    #expect(isSame([later[index]], [plain[index]]), "seed \(seed)")
                } else if !isSame([later[index]], [plain[index]]) {
                    changed += 1
                }
            }
        }
        #expect(changed > 0, "seed \(seed)")
    }

    @Test(arguments: [(1, 64), (4, 64), (3, 16)])
    func aSketchNeverCountsLessAndItsErrorKeepsItsBound(depth: Int, width: Int) throws {
        let shops: Int64 = 40
        let exact = try indicatorDerivation(index: .range(first: 0, count: Int(shops)))
        let sketch = try indicatorDerivation(index: .sketch(width: width, depth: depth))
        let banks = (0..<3).map { shopRows(700, shops: shops, seed: UInt64($0)) }
        let secrets = try sharedSecrets()
        var exactState = DerivationState(exact)
        var sketchState = DerivationState(sketch, secrets: secrets)
        for table in try allTables(exact, banks) { try exactState.publish(table) }
        for table in try allTables(sketch, banks, secrets: secrets) {
            try sketchState.publish(table)
        }
        let truth = try exactState.batch(banks[0])
        let estimates = try sketchState.batch(banks[0])
        var beyond = 0
        var rows = 0
        for (index, row) in banks[0].enumerated() where row.entities[1] != .missing {
            for feature in [0, 1, 3, 4] {
                #expect(estimates[index][feature] >= truth[index][feature])
            }
            // e / width of all rows in the window, missed with probability exp(-depth).
            let now = Double(row.time) / 100
            let total: Int = banks.joined().count { (other: RawRow) -> Bool in
                let age: Double = now.rounded(.down) - (Double(other.time) / 100).rounded(.down)
                return other.entities[1] != .missing && (1...5).contains(age)
            }
            rows += 1
            let error: Double = 2.718281828 / Double(width) * Double(total)
            let bound: Double = truth[index][4] + error
            if estimates[index][4] > bound { beyond += 1 }
        }
        let shares: [Int: Double] = [1: 0.37, 3: 0.05, 4: 0.02]
        let share = shares[depth] ?? 0
        #expect(Double(beyond) <= share * Double(rows), "\(beyond) of \(rows)")
    }

    @Test func cellsOfASketchDependOnTheKeyAndCannotBeReadWithoutIt() throws {
        let derivation = try indicatorDerivation(index: .sketch(width: 1 << 16, depth: 2))
        let indicator = derivation.indicators[0]
        var cells = try IndicatorCells(indicator, secrets: sharedSecrets(1))
        var others = try IndicatorCells(indicator, secrets: sharedSecrets(2))
        var otherIndicator = try IndicatorCells(derivation.indicators[1], secrets: sharedSecrets(1))
        let entities = (0..<200).map { EntityKey(Int64($0)) }
        let found = entities.map { cells.cells(of: $0) }
        #expect(found == entities.map { cells.cells(of: $0) })
        #expect(found.allSatisfy { $0[0] < 1 << 16 && $0[1] >= 1 << 16 && $0[1] < 1 << 17 })
        #expect(Set(found).count == 200)
        #expect(zip(found, entities).allSatisfy { $0 != others.cells(of: $1) })
        #expect(zip(found, entities).allSatisfy { $0 != otherIndicator.cells(of: $1) })
        #expect(cells.cells(of: .missing).isEmpty)
        #expect(throws: IndicatorError.keyMissing(indicator: "risk")) {
            _ = try IndicatorLedger(derivation, indicator: "risk")
        }
        let banks = (0..<3).map { shopRows(50, shops: 6, seed: UInt64($0)) }
        let tables = try allTables(derivation, banks, secrets: sharedSecrets())
        var blind = DerivationState(derivation)
        #expect(throws: DerivationError.indicator(.keyMissing(indicator: "risk"))) {
            try blind.publish(tables[0])
        }
    }

    @Test func anAgreedListGivesEachIdentifierItsOwnCell() throws {
        let names = ["north", "south", "east", "west"].map { EntityKey(name: Array($0.utf8)) }
        let list = IndicatorCells.sorted(names + names)
        #expect(list.count == 4)
        let digest = SHA256.hash(IndicatorCells.dictionaryBytes(list)).hexadecimal
        let derivation = try indicatorDerivation(index: .dictionary(count: 4, sha256: digest))
        let indicator = derivation.indicators[0]
        var cells = try IndicatorCells(
            indicator, secrets: IndicatorSecrets(dictionaries: ["risk": list]))
        #expect(Set(names.map { cells.cells(of: $0) }).count == 4)
        #expect(cells.cells(of: EntityKey(name: Array("other".utf8))).isEmpty)
        #expect(throws: IndicatorError.dictionaryMissing(indicator: "risk")) {
            _ = try IndicatorCells(indicator)
        }
        #expect(throws: IndicatorError.anotherDictionary(indicator: "risk")) {
            _ = try IndicatorCells(
                indicator, secrets: IndicatorSecrets(dictionaries: ["risk": list.reversed()]))
        }
    }
}
