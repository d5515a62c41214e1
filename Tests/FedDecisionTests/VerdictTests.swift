import FedCore
import FedCrypto
import FedDecision
import Testing

@Suite("Verdicts")
struct VerdictTests {
    private func list(_ count: Int, capacity: Int, share: Double = 0) -> RiskList {
        RiskList(
            RiskList.Request(
                capacity: capacity, explorationShare: share, id: "l", madeAt: 1000),
            entities: (0..<count).map {
                EntityRisk(
                    entity: "acc\($0)", probability: 0.5, expectedLoss: Double(count - $0))
            }, drawKey: SecretBytes([UInt8](repeating: 1, count: 32)))
    }

    private func verdict(
        _ rank: Int, _ outcome: VerdictOutcome, at time: Int64 = 2000, kept: Int64 = 0,
        reviewer: String = "r"
    ) throws -> Verdict {
        try Verdict(
            caseID: "l/\(rank)", entity: "acc\(rank - 1)", outcome: outcome, amountKept: kept,
            decidedAt: time, reviewer: reviewer)
    }

    @Test func filesReadBackAndFaultsNameTheirLine() throws {
        let verdicts = [
            try verdict(1, .confirmedFraud, kept: 12_345), try verdict(2, .falseAlarm),
            try verdict(3, .unclear, reviewer: "Li, \"Wei\" 王"),
        ]
        #expect(try VerdictFile.read(VerdictFile.bytes(verdicts)) == verdicts)
        let header = "case,entity,verdict,amount_kept,decided_at,reviewer\n"
        #expect(
            try VerdictFile.read(Array((header + "\nc,e,false_alarm,,5,\"r\"\n\n").utf8)).count == 1
        )
        let wrong: [(String, VerdictError)] = [
            ("", .header(expected: String(header.dropLast()))),
            ("case,entity\n", .header(expected: String(header.dropLast()))),
            (header + "c,e,false_alarm,0,5\n", .fieldCount(line: 2, got: 5, expected: 6)),
            (
                header + "c,e,false_alarm,0,5,r\nc,e,maybe,0,5,r\n",
                .invalidField(
                    line: 3, field: "verdict", expected: "confirmed_fraud | false_alarm | unclear")
            ),
            (
                header + "c,e,false_alarm,7,5,r\n",
                .invalidField(
                    line: 2, field: "amount_kept", expected: "0 unless the fraud is confirmed")
            ),
            (
                header + "c,e,confirmed_fraud,1.5,5,r\n",
                .invalidField(line: 2, field: "amount_kept", expected: "minor units")
            ),
            (
                header + "c,e,unclear,0,soon,r\n",
                .invalidField(line: 2, field: "decided_at", expected: "seconds since 1970")
            ),
            (header + "\"c,e,unclear,0,5,r\n", .quotation(line: 2)),
            (header + "\"c\"x,e,unclear,0,5,r\n", .quotation(line: 2)),
        ]
        for (text, error) in wrong {
            #expect(throws: error, "\(text)") { try VerdictFile.read(Array(text.utf8)) }
        }
        #expect(throws: VerdictError.notText) { try VerdictFile.read([0xFF]) }
    }

    @Test func everyReceptionIsNamed() throws {
        var ledger = VerdictLedger()
        ledger.list(list(5, capacity: 5))
        #expect(ledger.take(try verdict(1, .falseAlarm)) == .stands)
        #expect(ledger.take(try verdict(1, .falseAlarm)) == .known)
        #expect(ledger.take(try verdict(1, .confirmedFraud, at: 3000, kept: 9)) == .contradicts)
        #expect(ledger.take(try verdict(1, .falseAlarm, at: 2500)) == .superseded)
        #expect(ledger.take(try verdict(1, .falseAlarm, at: 3000)) == .disputed)
        let standing = try #require(ledger.standing(of: "l/1"))
        #expect(standing.outcome == .unclear && standing.isDisputed && standing.amountKept == 0)
        #expect(ledger.take(try verdict(1, .confirmedFraud, at: 4000, kept: 9)) == .contradicts)
        #expect(ledger.standing(of: "l/1")?.amountKept == 9)
        #expect(ledger.take(try verdict(9, .falseAlarm)) == .unknownCase)
        #expect(ledger.take(try verdict(2, .falseAlarm, at: 999)) == .beforeListing)
        #expect(ledger.standing(of: "l/2") == nil)
        #expect(ledger.caseStates["acc0"] == .closed(at: 4000))
        #expect(ledger.caseStates["acc1"] == .open)
    }

    @Test func whatStandsDoesNotDependOnTheOrderOfArrival() throws {
        for seed in 1...40 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let outcomes = VerdictOutcome.allCases
            var all: [Verdict] = []
            for _ in 0..<30 {
                let outcome = outcomes[Int(random.unit() * 3)]
                all.append(
                    try verdict(
                        1 + Int(random.unit() * 4), outcome,
                        at: 2000 + Int64(random.unit() * 4),
                        kept: outcome == .confirmedFraud ? Int64(random.unit() * 100) : 0))
            }
            func standings(_ verdicts: [Verdict]) -> [VerdictLedger.Standing?] {
                var ledger = VerdictLedger()
                ledger.list(list(4, capacity: 4))
                for verdict in verdicts { _ = ledger.take(verdict) }
                return (1...4).map { ledger.standing(of: "l/\($0)") }
            }
            let expected = standings(all)
            #expect(standings(all.shuffled(using: &random)) == expected, "seed \(seed)")
            #expect(standings(all + all) == expected, "seed \(seed)")
        }
    }

    @Test func labelsWeighByTheChanceOfTheirListingAndCutsAreKept() throws {
        var ledger = VerdictLedger()
        let made = list(100, capacity: 20, share: 0.5)
        ledger.list(made)
        for entry in made.entries {
            let fraud = entry.slice == .ranked
            _ = ledger.take(
                try Verdict(
                    caseID: made.caseID(entry), entity: entry.risk.entity,
                    outcome: entry.rank == 20 ? .unclear : fraud ? .confirmedFraud : .falseAlarm,
                    decidedAt: entry.rank == 1 ? 5000 : 2000, reviewer: "r"))
        }
        let labels = ledger.labels(until: 3000)
        #expect(labels.count == 18)
        #expect(labels.filter { $0.label == 1 }.allSatisfy { $0.weight == 1 })
        #expect(labels.filter { $0.label == 0 }.allSatisfy { ($0.weight - 9).magnitude < 1e-12 })
        #expect(ledger.labels(until: 3000, weightMax: 4).map(\.weight).max() == 4)
        #expect(ledger.labels(after: 3000, until: 6000).map(\.caseID) == ["l/1"])
        let late = ledger.labels(after: 3000, until: 6000, receivedLate: ["l/2"])
        #expect(late.map(\.caseID) == ["l/1", "l/2"] && late.map(\.isLate) == [false, true])
        let weighted = try #require(VerdictLedger.fraudShare(labels))
        #expect((weighted - 9.0 / (9 + 81)).magnitude < 1e-12)
    }

    @Test func theWeightedShareIsThatOfAllEntities() throws {
        // The truth: one in twenty of 400; the model ranks frauds first only by half.
        var sum = 0.0
        for day in 0..<400 {
            var random = SeededRandom(seed: UInt64(day))
            let risks = (0..<400).map {
                EntityRisk(
                    entity: "acc\($0)", probability: 0.5,
                    expectedLoss: random.unit() + ($0 % 40 == 0 ? 1 : 0))
            }
            let made = RiskList(
                RiskList.Request(capacity: 60, explorationShare: 0.5, id: "d\(day)", madeAt: 1),
                entities: risks, drawKey: SecretBytes([UInt8](repeating: 1, count: 32)))
            var ledger = VerdictLedger()
            ledger.list(made)
            for entry in made.entries {
                let isFraud = (Int(entry.risk.entity.dropFirst(3)) ?? 1) % 20 == 0
                _ = ledger.take(
                    try Verdict(
                        caseID: made.caseID(entry), entity: entry.risk.entity,
                        outcome: isFraud ? .confirmedFraud : .falseAlarm, decidedAt: 2,
                        reviewer: "r"))
            }
            let labels = ledger.labels(until: 9)
            sum += VerdictLedger.fraudShare(labels) ?? 0
            let plain = labels.reduce(0) { $0 + Int($1.label) }
            if day == 0 { #expect(Double(plain) / Double(labels.count) > 0.1) }
        }
        #expect((sum / 400 - 0.05).magnitude < 0.005)
    }

    @Test func copiesAverageToTheWeight() throws {
        var total = 0
        for index in 0..<4000 {
            let label = VerdictLabel(
                caseID: "c\(index)", entity: "e", label: 1, weight: 2.3, isLate: false)
            let copies = label.copies(seed: 5)
            #expect(copies == 2 || copies == 3)
            total += copies
        }
        #expect((Double(total) / 4000 - 2.3).magnitude < 0.04)
    }
}

@Suite("The effect report")
struct EffectTests {
    @Test func wilsonIntervalsAreThePublishedOnes() throws {
        // Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        let known: [(Int, Int, Double, Double)] = [
            (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ]
        for (count, total, low, high) in known {
            let found = try #require(ShareInterval(count, of: total))
            #expect((found.low - low).magnitude < 5e-5, "\(count) of \(total)")
            #expect((found.high - high).magnitude < 5e-5, "\(count) of \(total)")
        }
        #expect(ShareInterval(0, of: 0) == nil && ShareInterval(3, of: 2) == nil)
    }

    private func counts() -> EffectCounts {
        var counts = EffectCounts()
        counts.listed = 1000
        counts.confirmed = 300
        counts.falseAlarms = 500
        counts.unclear = 50
        counts.amountKept = 123_456_789
        counts.byBoth = 240
        counts.byListOnly = 60
        counts.byLocalOnly = 14
        counts.byNeither = 100
        return counts
    }

    @Test func lanesSumAndReadBack() throws {
        let one = counts()
        #expect(try EffectCounts(lanes: one.lanes) == one)
        let sum = try EffectCounts(lanes: zip(one.lanes, one.lanes).map { $0 + $1 })
        #expect(sum.banks == 2 && sum.intercepted == 600 && sum.open == 300)
        #expect(sum.gain?.gain == one.gain?.gain)
        let (wide, narrow) = (try #require(one.gain), try #require(sum.gain))
        #expect(narrow.high - narrow.low < wide.high - wide.low)
        var lanes = one.lanes
        lanes[2] = 2000
        #expect(throws: LearningError.self) { try EffectCounts(lanes: lanes) }
        #expect(throws: LearningError.self) { try EffectCounts(lanes: [1, 2]) }
    }

    @Test func theGainsIntervalCoversTheTruthAsOftenAsItSays() {
        var covered = 0
        let truth = (0.55 + 0.2) / (0.55 + 0.1) - 1
        for seed in 1...600 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            var counts = EffectCounts()
            for _ in 0..<250 {
                switch random.unit() {
                case ..<0.55: counts.byBoth += 1
                case ..<0.75: counts.byListOnly += 1
                case ..<0.85: counts.byLocalOnly += 1
                default: counts.byNeither += 1
                }
            }
            if let gain = counts.gain, gain.low <= truth, truth <= gain.high { covered += 1 }
        }
        #expect((555...585).contains(covered), "\(covered) of 600")
    }

    @Test func countsComeFromListsVerdictsAndLaterLabels() throws {
        let list = RiskList(
            RiskList.Request(capacity: 4, explorationShare: 0, id: "l", madeAt: 1),
            entities: (0..<8).map {
                EntityRisk(entity: "acc\($0)", probability: 0.5, expectedLoss: Double(9 - $0))
            }, drawKey: SecretBytes([UInt8](repeating: 1, count: 32)))
        var ledger = VerdictLedger()
        ledger.list(list)
        _ = ledger.take(
            try Verdict(
                caseID: "l/1", entity: "acc0", outcome: .confirmedFraud, amountKept: 77,
                decidedAt: 2, reviewer: "r"))
        _ = ledger.take(
            try Verdict(
                caseID: "l/2", entity: "acc1", outcome: .falseAlarm, decidedAt: 2, reviewer: "r"))
        let counts = EffectCounts(
            lists: [list], ledger: ledger, localLists: ["acc0", "acc6"],
            knownFrauds: ["acc3", "acc6", "acc7"])
        #expect(counts.listed == 4 && counts.confirmed == 1 && counts.falseAlarms == 1)
        #expect(counts.open == 2 && counts.amountKept == 77)
        #expect(counts.byBoth == 1 && counts.byListOnly == 1)
        #expect(counts.byLocalOnly == 1 && counts.byNeither == 1)
    }

    @Test func theDocumentAndTheTableSayTheSame() throws {
        let report = EffectReport(
            subject: "bank A", period: 0..<604_800, currency: "CNY", counts: counts())
        let value = try StrictJSON.parse(report.bytes)
        let members = try DocumentObject(
            document: value, format: EffectReport.format,
            allowed: [
                "subject", "from", "until", "banks", "listed", "confirmed", "false_alarms",
                "unclear", "open", "precision", "amount_kept", "currency", "minor_units", "frauds",
                "gain_over_local",
            ])
        #expect(try members.integer("listed", in: 0...9999) == 1000)
        #expect(value.bytes == report.bytes)
        let table = report.table
        #expect(table.contains("balance kept                   1,234,567 CNY"))
        #expect(table.contains("interception over local alone  +18.1 % (+11.1 % to +25.5 %)"))
        #expect(table.contains("precision of decided cases     37.5 % (34.2 % to 40.9 %)"))
    }
}

@Suite("Verdicts over rows to train on")
struct VerdictOverlayTests {
    private func row(
        _ transaction: String, label: UInt8, weight: Double = 1, value: Double = 9
    ) -> VerdictRow {
        VerdictRow(
            transaction: transaction,
            label: VerdictLabel(
                caseID: "case \(transaction)", entity: "e", label: label, weight: weight,
                isLate: false), features: [value, -value])
    }

    @Test func aRowOfTheFileTakesTheVerdictAndOthersAreAppendedByTheirWeight() {
        let rows = Dataset(
            columns: [[1, 2, 3], [4, 5, 6]], labels: [0, 1, 0], rowNumbers: [10, 11, 12])
        let overlay = VerdictOverlay(
            [
                row("10", label: 1, weight: 30), row("11", label: 1), row("x", label: 0, weight: 4),
                row("y", label: 1),
            ], over: rows)
        #expect(overlay.overlaid == 2 && overlay.changed == 1 && overlay.appended == 5)
        #expect(overlay.rows.labels == [1, 1, 0, 0, 0, 0, 0, 1])
        #expect(overlay.rows.columns[0] == [1, 2, 3, 9, 9, 9, 9, 9])
        #expect(overlay.rows.columns[1] == [4, 5, 6, -9, -9, -9, -9, -9])
        #expect(Set(overlay.rows.rowNumbers).count == 8)
    }

    @Test func copiesOfManyCasesComeToTheirWeights() {
        let rows = Dataset(columns: [[], []], labels: [])
        let verdicts = (0..<2000).map { row("t\($0)", label: 0, weight: 2.5) }
        let overlay = VerdictOverlay(verdicts, over: rows, seed: 3)
        #expect((4850...5150).contains(overlay.appended), "\(overlay.appended)")
        #expect(overlay.rows.rowNumbers.isEmpty)
    }

    @Test func rowsOfAnotherShapeAreLeftOut() {
        let rows = Dataset(columns: [[1]], labels: [0])
        let overlay = VerdictOverlay([row("z", label: 1)], over: rows)
        #expect(overlay.rows.rowCount == 1 && overlay.appended == 0)
    }

    @Test func whatStandsIsCountedByEntityAndDay() throws {
        var ledger = VerdictLedger()
        for (id, entity) in [("1", "a"), ("2", "a"), ("3", "a"), ("4", "b")] {
            ledger.restore(
                VerdictLedger.ListedCase(id: id, entity: entity, inclusion: 1, listedAt: 0))
        }
        func take(_ id: String, _ entity: String, _ outcome: VerdictOutcome, _ time: Int64) throws {
            _ = ledger.take(
                try Verdict(
                    caseID: id, entity: entity, outcome: outcome, decidedAt: time, reviewer: "r"))
        }
        try take("1", "a", .confirmedFraud, 86_400)
        try take("2", "a", .falseAlarm, 86_401)
        try take("3", "a", .falseAlarm, 10)
        // A later verdict contradicts: the day and the count are those of what stands.
        try take("3", "a", .confirmedFraud, 3 * 86_400)
        try take("4", "b", .unclear, 5)
        let counts = ledger.dailyCounts()
        #expect(counts.map(\.entity) == ["a", "a"])
        #expect(counts.map(\.day) == [1, 3])
        #expect(counts.map(\.confirmed) == [1, 1])
        #expect(counts.map(\.cleared) == [1, 0])
    }
}
