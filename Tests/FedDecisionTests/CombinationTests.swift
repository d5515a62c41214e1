import FedCore
import FedDecision
import Testing

@Suite("The choice of a bank's combination")
struct CombinationTests {
    /// Rows of a bank with two kinds of fraud, of which a blind local model sees one.
    private struct Bank {
        var local: [Double] = []
        var federated: [Double] = []
        var labels: [UInt8] = []
        var kinds: [Int] = []

        /// - Parameter alarms: share of normal rows that look like the second kind.
        init(
            rows: Int, seed: UInt64, first: Double = 0.005, second: Double, alarms: Double,
            localSees: Bool = false
        ) {
            var random = SeededRandom(seed: seed)
            for _ in 0..<rows {
                let unit = random.unit()
                let kind = unit < first ? 1 : unit < first + second ? 2 : 0
                let alarm = kind == 0 && random.unit() < alarms
                let base = -6 + random.normal()
                federated.append(
                    kind == 1
                        ? 1 + random.normal()
                        : kind == 2 || alarm
                            ? 1 + random.normal() : base)
                local.append(
                    kind == 1
                        ? 2 + random.normal()
                        : kind == 2 && localSees
                            ? 2 + random.normal() : base + random.normal() * 0.3)
                labels.append(kind > 0 ? 1 : 0)
                kinds.append(kind)
            }
        }

        func caught(_ scores: [Double], share: Double) throws -> Int {
            try RankedScores(scores: scores, labels: labels).review(share: share).caught
        }
    }

    private var options: CombinationChoice.Options {
        var options = CombinationChoice.Options()
        options.reviewShare = 0.01
        options.resamples = 200
        return options
    }

    @Test func aBankThatNeverMetAKindOfFraudStillCatchesItWithTheFederation() throws {
        var plainlyStacked = 0
        for seed in 1...6 as ClosedRange<UInt64> {
            let valid = Bank(rows: 20_000, seed: seed, second: 0, alarms: 0.001)
            let test = Bank(rows: 20_000, seed: seed + 100, second: 0.004, alarms: 0.001)
            let choice = try CombinationChoice.choose(
                local: valid.local, federated: valid.federated, labels: valid.labels,
                options: options)
            #expect(choice.evidence?.bearsOut == false, "seed \(seed)")
            let combined = choice.rule.logOdds(local: test.local, federated: test.federated)
            let caught = try test.caught(combined, share: 0.01)
            let federated = try test.caught(test.federated, share: 0.01)
            #expect(Double(caught) >= 0.95 * Double(federated), "seed \(seed) \(choice.rule)")
            let stack = try CombinedModel.fit(
                local: valid.local, federated: valid.federated, labels: valid.labels)
            let stacked = try test.caught(
                stack.logOdds(local: test.local, federated: test.federated), share: 0.01)
            if Double(stacked) < 0.95 * Double(federated) { plainlyStacked += 1 }
        }
        // Else the test shows nothing.
        #expect(plainlyStacked >= 4)
    }

    @Test func whereOwnFraudsBearTheFederationOutTheFloorGivesWay() throws {
        let valid = Bank(rows: 20_000, seed: 5, second: 0.004, alarms: 0)
        let choice = try CombinationChoice.choose(
            local: valid.local, federated: valid.federated, labels: valid.labels, options: options)
        #expect(choice.evidence?.bearsOut == true)
        #expect(choice.rule.lenience == options.leniencePossible)
    }

    @Test func aFederatedModelThatFloodsTheListIsNotTrusted() throws {
        var valid = Bank(rows: 20_000, seed: 7, second: 0, alarms: 0)
        for row in stride(from: 0, to: 20_000, by: 20) where valid.labels[row] == 0 {
            valid.federated[row] = 12
        }
        let choice = try CombinationChoice.choose(
            local: valid.local, federated: valid.federated, labels: valid.labels,
            options: options)
        #expect(choice.rule.kind == .local)
        #expect(choice.reason == .guarded)
        let caught = choice.measured.first { $0.name == .local }?.caught ?? 0
        #expect(choice.measured.allSatisfy { $0.passesGuard == ($0.name == .local) })
        #expect(caught > 0)
    }

    @Test func theChosenRuleIsNeverFarBelowLocalAloneOnTheRowsItWasChosenOn() throws {
        var random = SeededRandom(seed: 77)
        for seed in 1...30 as ClosedRange<UInt64> {
            let valid = Bank(
                rows: 3000, seed: seed, second: random.unit() * 0.01, alarms: random.unit() * 0.02,
                localSees: random.unit() < 0.5)
            let choice = try CombinationChoice.choose(
                local: valid.local, federated: valid.federated, labels: valid.labels,
                options: options)
            let combined = choice.rule.logOdds(local: valid.local, federated: valid.federated)
            let caught = try valid.caught(combined, share: 0.01)
            let local = try valid.caught(valid.local, share: 0.01)
            let premium =
                choice.evidence?.bearsOut == true ? 0 : max(0.2 * Double(local), 2)
            #expect(Double(caught) >= Double(local) - premium, "seed \(seed) \(choice.rule)")
        }
    }

    @Test func whereOnlyTheLocalScorePassesTheGuardTheStackedOneIsDrawnTowardsIt() throws {
        /// Rows of two scores of the same truth, the federated one with the smaller error.
        func rows(_ seed: UInt64) -> (local: [Double], federated: [Double], labels: [UInt8]) {
            var random = SeededRandom(seed: seed)
            var rows: (local: [Double], federated: [Double], labels: [UInt8]) = ([], [], [])
            for _ in 0..<1500 {
                let truth = -4 + 1.5 * random.normal()
                rows.local.append(truth + 0.9 * random.normal())
                rows.federated.append(truth + 0.6 * random.normal())
                rows.labels.append(
                    random.unit() < Calibration.identity.probability(truth) ? 1 : 0)
            }
            return rows
        }
        func caught(_ scores: [Double], _ labels: [UInt8]) throws -> Int {
            try RankedScores(scores: scores, labels: labels).review(share: 0.01).caught
        }
        var (drawn, byDrawn, byLocal) = (0, 0, 0)
        for seed in 1...120 as ClosedRange<UInt64> {
            let valid = rows(seed)
            let choice = try CombinationChoice.choose(
                local: valid.local, federated: valid.federated, labels: valid.labels,
                options: options)
            guard choice.reason == .guarded, choice.rule.kind.name == .stacked else { continue }
            drawn += 1
            let measured = try #require(choice.measured.first { $0.name == .stacked })
            #expect(measured.passesGuard, "seed \(seed)")
            #expect(choice.measured.allSatisfy { $0.passesGuard == ($0.name != .federated) })
            let combined = choice.rule.logOdds(local: valid.local, federated: valid.federated)
            #expect(try caught(combined, valid.labels) == measured.caught, "seed \(seed)")
            let test = rows(seed + 1000)
            byDrawn += try caught(
                choice.rule.logOdds(local: test.local, federated: test.federated), test.labels)
            byLocal += try caught(test.local, test.labels)
        }
        #expect(drawn > 0)
        #expect(byDrawn > byLocal, "on other rows what the others know is worth more")
    }

    @Test func scoresThatStackingCannotTellApartAreHedgedByTheirMean() throws {
        var hedged = 0
        for seed in 1...60 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            var local: [Double] = []
            var federated: [Double] = []
            var labels: [UInt8] = []
            for _ in 0..<1500 {
                let truth = -4 + 1.5 * random.normal()
                // One error, half as large in the federated score: 2 · federated - local is best.
                let error = random.normal()
                local.append(truth + 0.5 * error)
                federated.append(truth + 0.25 * error)
                labels.append(random.unit() < Calibration.identity.probability(truth) ? 1 : 0)
            }
            let choice = try CombinationChoice.choose(
                local: local, federated: federated, labels: labels, options: options)
            guard case .stacked(0, 0.5, 0.5) = choice.rule.kind else { continue }
            hedged += 1
            let stack = try CombinedModel.fit(local: local, federated: federated, labels: labels)
            guard case .stacked(_, let localWeight, _) = stack.rule else { continue }
            #expect(localWeight <= 0, "seed \(seed)")
            let lenience = choice.evidence?.bearsOut == true ? CombinationRule.noFloor : 0
            #expect(choice.rule.lenience == lenience, "seed \(seed)")
        }
        #expect(hedged > 0)
    }

    @Test func fewFraudsLeanOnTheFederation() throws {
        let scores = (0..<50).map { Double($0) / 10 - 4 }
        func choice(_ frauds: Int, local: [Double]?) throws -> CombinationChoice {
            try CombinationChoice.choose(
                local: local, federated: scores,
                labels: (0..<50).map { $0 < frauds ? 1 : 0 }, options: options)
        }
        for frauds in 0...4 {
            let choice = try choice(frauds, local: scores)
            #expect(choice.rule.kind == .federated)
            #expect(choice.reason == .fewFrauds)
            #expect(choice.calibration == .identity)
        }
        #expect(try choice(5, local: scores).reason != .fewFrauds)
        #expect(try choice(9, local: nil).reason == .noLocalModel)
        #expect(try choice(50, local: scores).reason == .noNormalRows)
        #expect(throws: LearningError.self) {
            try CombinationChoice.choose(
                local: nil, federated: [.nan], labels: [1], options: options)
        }
    }

    @Test func theSameRowsGiveTheSameChoice() throws {
        let valid = Bank(rows: 4000, seed: 3, second: 0.004, alarms: 0.01)
        func choose() throws -> CombinationChoice {
            try CombinationChoice.choose(
                local: valid.local, federated: valid.federated, labels: valid.labels,
                options: options)
        }
        #expect(try choose() == choose())
    }

    @Test func calibrationFindsTheScaleAndShiftOfTheTruth() throws {
        var random = SeededRandom(seed: 8)
        var scores: [Double] = []
        var labels: [UInt8] = []
        for _ in 0..<40_000 {
            let score = random.normal() * 2
            scores.append(score)
            let truth = Calibration(intercept: -1.5, slope: 0.6).probability(score)
            labels.append(random.unit() < truth ? 1 : 0)
        }
        let found = Calibration(scores: scores, labels: labels)
        #expect((found.intercept + 1.5).magnitude < 0.06)
        #expect((found.slope - 0.6).magnitude < 0.03)
        let expected = scores.reduce(0) { $0 + found.probability($1) }
        let frauds = labels.reduce(0) { $0 + Int($1) }
        #expect((expected / Double(frauds) - 1).magnitude < 0.01)
        #expect(Calibration(scores: scores, labels: scores.map { _ in 0 }) == .identity)
    }

    @Test func theBootstrapSeesWhatIsBetterAndWhatIsNoise() {
        let labels = (0..<2000).map { UInt8($0 < 40 ? 1 : 0) }
        let good = Array(0..<2000)
        let bad = Array((0..<2000).reversed())
        let bootstrap = PairedBootstrap(
            orders: [good, bad, good], labels: labels, reviewed: 60, resamples: 300, seed: 4)
        let over = bootstrap.difference(of: 0, over: 1)
        #expect(over.betterShare == 1)
        #expect(over.low > 25 && over.high < 56 && (over.mean - 40).magnitude < 1.5)
        let same = bootstrap.difference(of: 0, over: 2)
        #expect(same.mean == 0 && same.betterShare == 0.5 && same.low == 0 && same.high == 0)
    }

    @Test func treesOnTheMarginAddWhatTheFederatedModelLacks() throws {
        let table = try SmallTable(rows: 4000, seed: 12, fraudShare: 0.2)
        let flat = [Double](repeating: -3, count: table.rows.rowCount)
        let configuration = try GradientBoostingConfiguration([
            .treesMax: 30, .depthMax: 3, .contributorsMin: 1, .gridCells: 512,
        ])
        let trees = try GradientBoostingTrainer.trainResidual(
            on: table.standard.imputed(table.rows), margins: flat,
            schema: try TreeSchema(table.standard), configuration: configuration)
        let base = Double(trees.baseMargin) / Double(1 << 20)
        let margins = try TreeScorer(trees)
            .margins(of: table.standard.imputed(table.rows).columns).map { -3 + $0 - base }
        let expected = margins.reduce(0) { $0 + Calibration.identity.probability($1) }
        // Starting far too low, the trees must have made up for it.
        #expect((expected / Double(table.rows.fraudCount) - 1).magnitude < 0.05)
        let ranked = try RankedScores(scores: margins, labels: table.rows.labels)
        #expect(try #require(ranked.areaUnderROC) > 0.75)
    }
}

@Suite("The document of a bank's model")
struct BankModelTests {
    private func model(_ kind: CombinationRule.Kind) throws -> (BankModel, SmallTable) {
        let table = try SmallTable(rows: 1200, seed: 2, fraudShare: 0.2)
        let residual: GradientBoostingModel? =
            if case .boosting(let trees) = try table.trees(3) { trees } else { nil }
        let choice = CombinationChoice(
            rule: CombinationRule(kind: kind, lenience: 0.5), reason: .better,
            calibration: Calibration(intercept: 0.25, slope: 0.5),
            measured: [
                CombinationChoice.Measured(
                    name: .local, caught: 3, betterShare: 0.5, overLocalLow: -1, overLocalHigh: 2,
                    passesGuard: true)
            ],
            evidence: CombinationChoice.Evidence(rows: 4, expected: 1.5, observed: 2))
        return (
            try BankModel(
                version: 7, local: try table.trees(4), federated: try table.linear(),
                residual: kind == .boosted ? residual : nil, choice: choice, reviewShare: 0.005),
            table
        )
    }

    @Test func readsBackAsItWasWritten() throws {
        let kinds: [CombinationRule.Kind] = [
            .federated, .local, .boosted,
            .stacked(intercept: 0.1, localWeight: 0.2, federatedWeight: 0.3),
        ]
        for kind in kinds {
            let (model, _) = try model(kind)
            let again = try BankModel(bytes: model.bytes)
            #expect(again == model)
            #expect(again.digest == model.digest)
        }
    }

    @Test func everyChangedByteIsNoticed() throws {
        let (model, _) = try model(.stacked(intercept: 0.1, localWeight: 0.2, federatedWeight: 0.3))
        var random = SeededRandom(seed: 6)
        for _ in 0..<150 {
            var bytes = model.bytes
            let at = Int(random.next() % UInt64(bytes.count))
            bytes[at] ^= UInt8(1 + random.next() % 255)
            if let other = try? BankModel(bytes: bytes) {
                // A changed number may be another allowed model; it has another digest then.
                #expect(other.digest != model.digest)
                #expect(other.federated == model.federated && other.local == model.local)
            }
        }
        #expect(throws: BankModelError.document(.notCanonical)) {
            try BankModel(bytes: model.bytes + [0x20])
        }
        for length in stride(from: 0, to: model.bytes.count, by: 997) {
            #expect(throws: BankModelError.self) {
                try BankModel(bytes: Array(model.bytes.prefix(length)))
            }
        }
    }

    @Test func partsOfOtherStandardsAndMissingPartsAreRefused() throws {
        let (model, table) = try model(.federated)
        let local = CombinationChoice(
            rule: CombinationRule(kind: .local), reason: .guarded, calibration: .identity)
        #expect(throws: LearningError.self) {
            try BankModel(
                version: 1, local: nil, federated: model.federated, residual: nil, choice: local,
                reviewShare: 0.01)
        }
        let other = try FeatureStandard(
            name: "other", version: 1, description: "Another.", features: table.standard.features)
        #expect(throws: LearningError.self) { try BankScorer(model, standard: other) }
    }

    @Test func fittingGrowsChoosesAndScores() throws {
        let table = try SmallTable(rows: 3000, seed: 21, fraudShare: 0.2)
        let federated = try table.linear()
        let model = try BankModel.fit(
            local: try table.trees(10), federated: federated, fit: table.rows, valid: table.rows,
            standard: table.standard)
        #expect(model.choice.measured.count == 4)
        #expect(model.standardDigest == table.standard.sha256)
        let scorer = try BankScorer(model, standard: table.standard)
        let all = try scorer.logOdds(of: table.rows)
        for index in 0..<50 {
            let parts = scorer.parts(of: table.row(index))
            #expect((parts.combined - all.combined[index]).magnitude < 1e-9)
            #expect((parts.federated - all.federated[index]).magnitude < 1e-9)
            #expect((0...1).contains(parts.probability))
        }
        let alone = try BankModel.fit(
            local: nil, federated: federated, fit: table.rows,
            valid: Dataset(columns: table.rows.columns.map { _ in [] }, labels: []),
            standard: table.standard)
        #expect(alone.choice.rule.kind == .federated)
    }
}
