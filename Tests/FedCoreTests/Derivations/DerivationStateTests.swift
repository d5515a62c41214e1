import FedCore
import Testing

struct DerivationStateTests {
    @Test(arguments: Derivation.Ties.allCases, 0..<3 as Range<UInt64>)
    func everyFeatureIsWhatItsDefinitionSays(ties: Derivation.Ties, seed: UInt64) throws {
        let derivation = try everyOperator(ties: ties)
        let rows = randomRows(220, seed: seed)
        var state = DerivationState(derivation)
        let features = try state.batch(rows)
        let expected = NaiveDerivation(derivation: derivation, rows: rows).features()
        for row in rows.indices {
            for (index, value) in features[row].enumerated() {
                let wanted = expected[row][index]
                let isClose =
                    value == wanted || (value.isNaN && wanted.isNaN)
                    || abs(value - wanted) <= 1e-12 * max(abs(wanted), 1)
                #expect(isClose, "seed \(seed), row \(row), f\(index): \(value), not \(wanted)")
            }
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func oneRowAtATimeGivesTheNumbersOfTheWholeFile(seed: UInt64) throws {
        let derivation = try everyOperator(ties: .arrival)
        let rows = randomRows(600, seed: seed)
        var batch = DerivationState(derivation)
        var online = DerivationState(derivation)
        let expected = try batch.batch(rows)
        var features: [[Double]] = []
        for row in rows { features.append(try online.apply(row)) }
        #expect(isSame(features, expected), "seed \(seed)")
        #expect(online.canonicalBytes == batch.canonicalBytes, "seed \(seed)")
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func labelsThatComeLaterGiveTheNumbersOfLabelsInTheFile(seed: UInt64) throws {
        let delay: Int64 = 50
        let derivation = try everyOperator(ties: .arrival, labelDelay: delay)
        let rows = randomRows(600, seed: seed)
        var batch = DerivationState(derivation)
        let expected = try batch.batch(rows)
        var online = DerivationState(derivation)
        var random = SplitMix64(seed: seed)
        // Labels are learnt at random times within the delay, its last second included.
        var labels: [(at: Int64, row: Int)] = rows.indices.map {
            (rows[$0].time + Int64.random(in: 0...delay, using: &random), $0)
        }
        labels.sort { ($0.at, $0.row) < ($1.at, $1.row) }
        var known = 0
        for (index, row) in rows.enumerated() {
            while known < labels.count, labels[known].at <= row.time, labels[known].row < index {
                let label = labels[known]
                let isFraud = try #require(rows[label.row].isFraud as Bool?)
                try online.learn(
                    row: rows[label.row].number, isFraud: isFraud,
                    at: max(label.at, online.latestTime ?? label.at))
                known += 1
            }
            var unlabelled = row
            unlabelled.isFraud = nil
            let features = try online.apply(unlabelled)
            #expect(isSame([features], [expected[index]]), "seed \(seed), row \(index)")
        }
    }

    @Test func aLabelCountsFromTheTimeItIsLearntOrTheDelayIsOver() throws {
        let derivation = try fraudCounter()
        var state = DerivationState(derivation)
        func row(_ time: Int64, _ number: Int64) -> RawRow {
            RawRow(
                time: time, number: number, isFraud: nil, numbers: [],
                entities: [EntityKey(Int64(1))])
        }
        #expect(try state.apply(row(0, 0)) == [0, 0])
        #expect(try state.apply(row(1, 1)) == [0, 0])
        #expect(try state.learn(row: 0, isFraud: true, at: 2))
        #expect(try state.apply(row(9, 2)) == [0, 0])
        // Ten seconds after row 0 its label is known; row 1 waits for its own.
        #expect(try state.apply(row(10, 3)) == [1, 1])
        #expect(try state.apply(row(11, 4)) == [2, 1])
        #expect(try state.learn(row: 1, isFraud: true, at: 12))
        #expect(try state.apply(row(12, 5)) == [2, 2])
        #expect(try state.learn(row: 1, isFraud: false, at: 13))
        #expect(try state.apply(row(13, 6)) == [2, 1])
        // At 30 row 0 leaves, at 31 row 1.
        #expect(try state.apply(row(30, 7)) == [6, 0])
        #expect(try !state.learn(row: 0, isFraud: false, at: 31))
        #expect(try !state.learn(row: 99, isFraud: true, at: 31))
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func noLabelIsUsedBeforeItsDelayIsOver(seed: UInt64) throws {
        let delay: Int64 = 50
        let derivation = try everyOperator(ties: .together, labelDelay: delay)
        let rows = randomRows(500, seed: seed)
        var plain = DerivationState(derivation)
        let expected = try plain.batch(rows)
        var random = SplitMix64(seed: seed &+ 1000)
        var changedRows = 0
        for _ in 0..<8 {
            let cut = rows[Int.random(in: 0..<rows.count, using: &random)].time
            // Labels of rows younger than the delay at that time change hands.
            let young = rows.indices.filter { rows[$0].time > cut - delay }
            let labels = young.map { rows[$0].isFraud }.shuffled(using: &random)
            var shuffled = rows
            for (index, label) in zip(young, labels) { shuffled[index].isFraud = label }
            var state = DerivationState(derivation)
            let features = try state.batch(shuffled)
            let past = rows.indices.filter { rows[$0].time <= cut }
            #expect(
                isSame(past.map { features[$0] }, past.map { expected[$0] }), "seed \(seed)")
            changedRows += rows.indices.count { !isSame([features[$0]], [expected[$0]]) }
        }
        // Later features do change, or the test would prove nothing.
        #expect(changedRows > 0, "seed \(seed)")
    }

    @Test(arguments: Derivation.Ties.allCases, 0..<4 as Range<UInt64>)
    func aSavedStateGoesOnWithTheSameNumbers(ties: Derivation.Ties, seed: UInt64) throws {
        let derivation = try everyOperator(ties: ties)
        let rows = randomRows(500, seed: seed, labelled: seed % 2 == 0)
        for cut in [0, 1, 133, 420, 500] {
            var whole = DerivationState(derivation)
            _ = try whole.batch(Array(rows[..<cut]))
            let bytes = whole.canonicalBytes
            var restored = try DerivationState(derivation, canonicalBytes: bytes)
            #expect(restored.canonicalBytes == bytes)
            if seed % 2 == 1, cut > 0 {
                let time = rows[cut - 1].time
                for row in rows[max(0, cut - 60)..<cut] {
                    let known = try whole.learn(row: row.number, isFraud: true, at: time)
                    #expect(
                        try restored.learn(row: row.number, isFraud: true, at: time) == known)
                }
            }
            let rest = Array(rows[cut...])
            let expected = try whole.batch(rest)
            #expect(try isSame(restored.batch(rest), expected), "seed \(seed), cut \(cut)")
            #expect(restored.canonicalBytes == whole.canonicalBytes)
        }
    }

    @Test func bytesThatAreNoStateAreRefused() throws {
        let derivation = try everyOperator(ties: .together)
        var state = DerivationState(derivation)
        _ = try state.batch(randomRows(40, seed: 3))
        let bytes = state.canonicalBytes
        for count in bytes.indices {
            #expect(throws: DerivationError.self) {
                _ = try DerivationState(derivation, canonicalBytes: Array(bytes[..<count]))
            }
        }
        #expect(throws: DerivationError.notAState(.trailingBytes(count: 1))) {
            _ = try DerivationState(derivation, canonicalBytes: bytes + [0])
        }
        #expect(throws: DerivationError.stateOfAnotherDerivation) {
            _ = try DerivationState(try everyOperator(ties: .arrival), canonicalBytes: bytes)
        }
        // A bit that changed gives an error or another state, never a trap.
        for index in bytes.indices {
            for bit in [0, 5, 7] {
                var damaged = bytes
                damaged[index] ^= 1 << UInt8(bit)
                guard var other = try? DerivationState(derivation, canonicalBytes: damaged)
                else { continue }
                #expect(other.canonicalBytes == damaged)
                var late = randomRows(1, seed: 3)[0]
                late.time = (other.latestTime ?? 0) + 60
                late.number = 1 << 40
                _ = try? other.apply(late)
            }
        }
    }

    @Test func sumsDoNotDriftOverManyRows() throws {
        let derivation = try amountSummer()
        var state = DerivationState(derivation)
        var random = SplitMix64(seed: 11)
        var last: [Double] = []
        for index in 0..<300_000 {
            // Ten powers of ten apart, so that plain sums would keep the error of the large ones.
            let isLarge = index % 2 == 0 && index < 299_990
            let amount = Double(Int.random(in: 1..<1000, using: &random)) / 100
            last = try state.apply(
                RawRow(
                    time: Int64(index), number: Int64(index), isFraud: false,
                    numbers: [isLarge ? amount * 1e10 : amount],
                    entities: [EntityKey(Int64(1))]))
            if index == 299_999 { #expect(last == [amount, amount]) }
        }
    }

    @Test func memoryIsThatOfTheWindowsAndNotOfTheFile() throws {
        let derivation = try amountSummer()
        var state = DerivationState(derivation)
        var most = (events: 0, keys: 0)
        for index in 0..<50_000 {
            // Every key is seen once only and never again.
            _ = try state.apply(
                RawRow(
                    time: Int64(index), number: Int64(index), isFraud: false, numbers: [1],
                    entities: [EntityKey(Int64(index))]))
            most = (max(most.events, state.eventCount), max(most.keys, state.keyCount))
        }
        #expect(most.events <= 20)
        #expect(most.keys <= 20)
        // Many rows of one time bring many keys at once; they go as fast.
        for second in 0..<100 {
            let rows = (0..<500).map { index in
                RawRow(
                    time: Int64(60_000 + second), number: 0, isFraud: false, numbers: [1],
                    entities: [EntityKey(Int64(second * 500 + index))])
            }
            _ = try state.apply(together: rows)
            most = (max(most.events, state.eventCount), max(most.keys, state.keyCount))
        }
        #expect(most.events <= 2000)
        #expect(most.keys <= 2000)
    }

    @Test func rowsThatCannotBeTakenInAreRefusedAndChangeNothing() throws {
        let derivation = try amountSummer()
        var state = DerivationState(derivation)
        let key = EntityKey(Int64(1))
        func row(_ time: Int64, _ amount: Double, _ key: EntityKey) -> RawRow {
            RawRow(time: time, number: 7, isFraud: nil, numbers: [amount], entities: [key])
        }
        _ = try state.apply(row(100, 5, key))
        let bytes = state.canonicalBytes
        let cases: [(RawRow, DerivationError)] = [
            (row(99, 5, key), .timeGoesBack(got: 99, latest: 100)),
            (row(.max, 5, key), .timeOutOfRange), (row(.min, 5, key), .timeOutOfRange),
            (row(101, .nan, key), .missingValue(column: "amount")),
            (row(101, 5, .missing), .missingValue(column: "card")),
            (row(101, 2e12, key), .valueOutOfRange(column: "amount", magnitudeMax: 1e12)),
            (row(101, .infinity, key), .valueOutOfRange(column: "amount", magnitudeMax: 1e12)),
            (
                RawRow(time: 101, number: 8, isFraud: nil, numbers: [], entities: [key]),
                .rowShape(
                    gotNumbers: 0, expectedNumbers: 1, gotEntities: 1, expectedEntities: 1)
            ),
        ]
        for (row, error) in cases {
            #expect(throws: error) { _ = try state.apply(row) }
        }
        #expect(throws: DerivationError.timesDiffer(first: 101, other: 102)) {
            _ = try state.apply(together: [row(101, 1, key), row(102, 1, key)])
        }
        #expect(throws: DerivationError.timeGoesBack(got: 4, latest: 100)) {
            try state.learn(row: 7, isFraud: true, at: 4)
        }
        #expect(state.canonicalBytes == bytes)

        var counter = DerivationState(try fraudCounter())
        let unlabelled = RawRow(time: 1, number: 7, isFraud: nil, numbers: [], entities: [key])
        _ = try counter.apply(unlabelled)
        #expect(throws: DerivationError.repeatedRow) { _ = try counter.apply(unlabelled) }
    }

    /// Rows and frauds of a card in (30, 10].
    private func fraudCounter() throws -> Derivation {
        let window = TimeWindow(far: 30, near: 10)
        return try Derivation(
            name: "frauds", version: 1, description: "Frauds of a card.", standard: "frauds",
            labelDelay: 10, ties: .arrival,
            columns: [
                RawColumn(name: "time", role: .time, kind: .integer),
                RawColumn(name: "card", role: .entity, kind: .integer),
                RawColumn(name: "fraud", role: .label, kind: .integer),
            ],
            features: [
                .init(
                    name: "rows",
                    value: .window(WindowFigure(.count, by: ["card"], window: window))),
                .init(
                    name: "frauds",
                    value: .window(WindowFigure(.frauds, by: ["card"], window: window))),
            ])
    }

    /// The sum and the mean of a card's amounts in (1, 0]: the row alone.
    private func amountSummer() throws -> Derivation {
        func feature(_ name: String, _ measure: WindowFigure.Measure) -> Derivation.DerivedFeature {
            .init(
                name: name,
                value: .window(
                    WindowFigure(measure, by: ["card"], window: TimeWindow(far: 1, near: 0))))
        }
        return try Derivation(
            name: "sums", version: 1, description: "Sums of a card.", standard: "sums",
            labelDelay: 0, ties: .arrival,
            columns: [
                RawColumn(name: "time", role: .time, kind: .integer),
                RawColumn(name: "card", role: .entity, kind: .integer),
                RawColumn(name: "amount", role: .amount, kind: .number),
            ],
            features: [
                feature("sum", .sum(column: "amount")), feature("mean", .mean(column: "amount")),
            ])
    }
}
