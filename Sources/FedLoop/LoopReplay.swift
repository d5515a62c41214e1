internal import FedCore

/// Replays time: every morning what has become known enters the indicators, models are trained
/// where a period begins, the day's rows are scored and the most suspicious are reviewed; the
/// verdicts are known on the next morning, all other labels after the delay.
///
/// A pure function of stream, plan and variant. The joint model is trained in this process, which
/// gives the same bytes as the protocol between banks does.
public enum LoopReplay {
    /// Replays one variant.
    ///
    /// - Parameter observe: called with each finished day.
    /// - Throws: ``LoopError``.
    public static func run(
        _ stream: LoopStream, plan: LoopPlan, variant: LoopVariant,
        observe: (Int) -> Void = { _ in }
    ) throws(LoopError) -> LoopOutcome {
        try plan.check(days: stream.days)
        do {
            var state = try ReplayState(stream, plan, variant)
            for day in stream.days.lowerBound..<plan.endDay {
                try state.live(day)
                observe(day)
            }
            return state.outcome
        } catch {
            throw .learning(error)
        }
    }
}

/// A replay on its way.
struct ReplayState {
    /// What is kept of a bank's day for trainings to come.
    private struct KeptDay {
        /// Indicators, row after row.
        var indicators: [Float] = []
        /// Scores as they were given on the day; empty before the first training.
        var local: [Double] = []
        var federated: [Double] = []
        /// Positions within the day of the rows that were reviewed.
        var reviewed: Set<Int> = []
    }

    private let stream: LoopStream
    private let plan: LoopPlan
    private let variant: LoopVariant
    private let indexes: [DayIndex]
    private let trainer: LoopTrainer
    private let indicatorCount: Int
    private var books: [IndicatorBook]
    private var kept: [Int: [KeptDay]] = [:]
    private var models: LoopModels?
    private(set) var outcome: LoopOutcome

    init(
        _ stream: LoopStream, _ plan: LoopPlan, _ variant: LoopVariant
    ) throws(LearningError) {
        self.stream = stream
        self.plan = plan
        self.variant = variant
        indexes = stream.banks.map { DayIndex(days: $0.days, end: plan.endDay) }
        books = stream.entities.map {
            IndicatorBook(
                entity: $0, bankCount: stream.banks.count, variant: variant, plan: plan)
        }
        var features = stream.features
        for book in books { features += try book.features }
        indicatorCount = features.count - stream.features.count
        trainer = LoopTrainer(
            schema: try TreeSchema(
                features: features, standardHash: [UInt8](repeating: 0, count: 32)),
            plan: plan, variant: variant)
        outcome = LoopOutcome(variant: variant)
    }

    mutating func live(_ day: Int) throws(LearningError) {
        for book in books.indices { books[book].advance(to: day) }
        passThrough(day)
        kept[day - plan.trainingDays - plan.combinationDays - plan.labelDelayDays] = nil
        if plan.trains(on: day, variant: variant) { try train(on: day) }
        if day >= plan.firstDay { try review(day) }
        enterRows(of: day)
    }

    // MARK: - Facts

    /// Computes the indicators of a day's rows; labels come in hour by hour, when their delay is
    /// over, and are used from the next refresh on.
    private mutating func passThrough(_ day: Int) {
        let isKept = day >= plan.firstDay - plan.trainingDays
        if isKept { kept[day] = stream.banks.map { _ in KeptDay() } }
        let labelled = day - plan.labelDelayDays
        var hour = 0
        while hour < 24 {
            let next = hour + 24 / plan.refreshesPerDay
            if isKept { keepIndicators(of: day, hours: hour..<next) }
            learnLabels(of: labelled, hours: hour..<next)
            hour = next
        }
    }

    private mutating func learnLabels(of day: Int, hours: Range<Int>) {
        for (number, bank) in stream.banks.enumerated() {
            let rows = indexes[number].rows(day..<(day + 1))
            let reviewed = variant.usesVerdicts ? kept[day]?[number].reviewed ?? [] : []
            for row in rows where hours.contains(Int(bank.hours[row])) {
                let isUsual = isUsualFraud(row, of: number, on: day)
                for book in books.indices {
                    let key = bank.keys[book][row]
                    guard key >= 0 else { continue }
                    books[book].enterLabel(
                        key: Int(key), bank: number, day: day, isFraud: bank.labels[row] == 1,
                        amount: bank.amounts[row], isUsual: isUsual,
                        isNews: !reviewed.contains(row - rows.lowerBound))
                }
            }
        }
    }

    /// Whether a row is a fraud of an amount that was usual for its payers.
    private func isUsualFraud(_ row: Int, of number: Int, on day: Int) -> Bool {
        let bank = stream.banks[number]
        guard bank.labels[row] == 1 else { return false }
        return stream.entities.indices.allSatisfy { book in
            let key = bank.keys[book][row]
            guard !stream.entities[book].isShared, key >= 0 else { return true }
            return books[book].isUsual(
                bank.amounts[row], key: Int(key), bank: number, on: day)
        }
    }

    private mutating func keepIndicators(of day: Int, hours: Range<Int>) {
        for (number, bank) in stream.banks.enumerated() {
            var indicators: [Float] = []
            for row in indexes[number].rows(day..<(day + 1))
            where hours.contains(Int(bank.hours[row])) {
                for book in books.indices {
                    books[book].append(
                        bank: number, key: bank.keys[book][row], amount: bank.amounts[row],
                        on: day, to: &indicators)
                }
            }
            kept[day]?[number].indicators += indicators
        }
    }

    private mutating func enterRows(of day: Int) {
        for (number, bank) in stream.banks.enumerated() {
            for row in indexes[number].rows(day..<(day + 1)) {
                for book in books.indices {
                    let key = bank.keys[book][row]
                    guard key >= 0 else { continue }
                    books[book].enterRow(
                        key: Int(key), bank: number, day: day, amount: bank.amounts[row])
                }
            }
        }
    }

    // MARK: - Training

    private mutating func train(on day: Int) throws(LearningError) {
        var samples: [LoopTrainer.Sample] = []
        for number in stream.banks.indices { samples.append(sample(of: number, on: day)) }
        var fresh = try trainer.train(samples)
        if variant.isFederated {
            for number in stream.banks.indices {
                fresh.combinations.append(try combination(of: number, on: day))
            }
        }
        outcome.featureGains = Dictionary(
            uniqueKeysWithValues: zip(trainer.schema.features.map(\.name), fresh.gains))
        models = fresh
    }

    /// The rows whose labels are known: all that are older than the delay, and the reviewed ones.
    private func sample(of number: Int, on day: Int) -> LoopTrainer.Sample {
        var rows: [(day: Int, row: Int)] = []
        let bank = stream.banks[number]
        let labelled = day - plan.labelDelayDays
        for past in (day - plan.trainingDays)..<day {
            let range = indexes[number].rows(past..<(past + 1))
            let isReviewed = kept[past]?[number].reviewed ?? []
            for row in range {
                if past >= labelled {
                    let isKnown =
                        variant.trainsOnVerdicts && isReviewed.contains(row - range.lowerBound)
                    guard isKnown else { continue }
                } else if bank.labels[row] == 0, !isDrawn(row, of: number) {
                    continue
                }
                rows.append((past, row))
            }
        }
        return gather(rows, of: number)
    }

    /// Whether a normal row is trained on, the same on all days.
    private func isDrawn(_ row: Int, of bank: Int) -> Bool {
        guard plan.normalShare < 1 else { return true }
        return Self.unit(plan.seed, UInt64(bank), UInt64(row)) < plan.normalShare
    }

    private func gather(_ rows: [(day: Int, row: Int)], of number: Int) -> LoopTrainer.Sample {
        let bank = stream.banks[number]
        var columns = bank.columns.map { column in rows.map { column[$0.row] } }
        for index in 0..<indicatorCount {
            var column: [Double] = []
            column.reserveCapacity(rows.count)
            var day = -1
            var start = 0
            var indicators: [Float] = []
            for row in rows {
                if row.day != day {
                    day = row.day
                    start = indexes[number].rows(day..<(day + 1)).lowerBound
                    indicators = kept[day]?[number].indicators ?? []
                }
                column.append(Double(indicators[(row.row - start) * indicatorCount + index]))
            }
            columns.append(column)
        }
        return LoopTrainer.Sample(columns: columns, labels: rows.map { bank.labels[$0.row] })
    }

    /// Fitted on rows that were scored before their labels were known.
    private func combination(of number: Int, on day: Int) throws(LearningError) -> CombinedModel {
        var local: [Double] = []
        var federated: [Double] = []
        var labels: [UInt8] = []
        let end = day - plan.labelDelayDays
        for past in (end - plan.combinationDays)..<end {
            guard let scores = kept[past]?[number], !scores.federated.isEmpty else { continue }
            local += scores.local
            federated += scores.federated
            for row in indexes[number].rows(past..<(past + 1)) {
                labels.append(stream.banks[number].labels[row])
            }
        }
        return try CombinedModel.fit(local: local, federated: federated, labels: labels)
            .trustingFederatedFirst
    }

    // MARK: - Days

    private mutating func review(_ day: Int) throws(LearningError) {
        guard let models else { return }
        var results: [LoopOutcome.BankDay] = []
        for number in stream.banks.indices {
            let rows = indexes[number].rows(day..<(day + 1))
            let scores = try score(rows, of: number, on: day, models)
            let ranking = rows.indices.map { $0 - rows.lowerBound }.sorted {
                scores[$0] > scores[$1] || (scores[$0] == scores[$1] && $0 < $1)
            }
            let list = list(ranking, of: number, from: rows.lowerBound)
            kept[day]?[number].reviewed = Set(list)
            results.append(result(ranking, list, rows, of: number))
            outcome.lists.append(
                LoopOutcome.List(day: day, bank: number, rows: list.map { rows.lowerBound + $0 }))
            guard variant.usesVerdicts else { continue }
            for place in list { enterVerdict(rows.lowerBound + place, of: number, on: day) }
        }
        if plan.period(of: day) != nil { outcome.days.append(results) }
    }

    private mutating func score(
        _ rows: Range<Int>, of number: Int, on day: Int, _ models: LoopModels
    ) throws(LearningError) -> [Double] {
        guard !rows.isEmpty else { return [] }
        let columns = gather(rows.map { (day, $0) }, of: number).columns
        let federated = try models.federated?.margins(of: columns)
        var local = federated ?? [Double](repeating: 0, count: rows.count)
        if let own = models.local[number] { local = try own.margins(of: columns) }
        guard let federated else { return local }
        kept[day]?[number].local = local
        kept[day]?[number].federated = federated
        return models.combinations[number].logOdds(local: local, federated: federated)
    }

    /// The places within the day of the rows that are reviewed.
    private func list(_ ranking: [Int], of number: Int, from start: Int) -> [Int] {
        let count = Self.budget(plan.reviewShare, of: ranking.count)
        let explored = Int(variant.exploration * Double(count))
        guard explored > 0 else { return Array(ranking.prefix(count)) }
        let drawn = ranking.dropFirst(count - explored).map { place in
            (place, Self.unit(plan.seed ^ 0x5EED, UInt64(number), UInt64(start + place)))
        }.sorted { $0.1 < $1.1 }
        return ranking.prefix(count - explored) + drawn.prefix(explored).map(\.0)
    }

    private func result(
        _ ranking: [Int], _ list: [Int], _ rows: Range<Int>, of number: Int
    ) -> LoopOutcome.BankDay {
        let bank = stream.banks[number]
        func frauds(_ places: some Sequence<Int>) -> Int {
            places.reduce(0) { $0 + Int(bank.labels[rows.lowerBound + $1]) }
        }
        var result = LoopOutcome.BankDay()
        result.rows = rows.count
        result.frauds = frauds(ranking)
        result.reviewed = list.count
        result.caught = plan.reportShares.map { share in
            share == plan.reviewShare
                ? frauds(list) : frauds(ranking.prefix(Self.budget(share, of: ranking.count)))
        }
        for place in list where bank.labels[rows.lowerBound + place] == 1 {
            result.amountCaught += Double(bank.amounts[rows.lowerBound + place])
        }
        return result
    }

    private mutating func enterVerdict(_ row: Int, of number: Int, on day: Int) {
        let bank = stream.banks[number]
        let isUsual = isUsualFraud(row, of: number, on: day)
        for book in books.indices {
            let key = bank.keys[book][row]
            guard key >= 0 else { continue }
            books[book].enterVerdict(
                key: Int(key), bank: number, day: day, isFraud: bank.labels[row] == 1,
                amount: bank.amounts[row], isUsual: isUsual)
        }
    }

    /// Rows that a share of a day is; at least one where there is a row.
    private static func budget(_ share: Double, of rows: Int) -> Int {
        min(max(Int((share * Double(rows)).rounded(.down)), 1), rows)
    }

    /// A number in [0, 1) that depends on nothing but its arguments (splitmix64).
    private static func unit(_ seed: UInt64, _ bank: UInt64, _ row: UInt64) -> Double {
        func mix(_ word: UInt64) -> UInt64 {
            var word = word &+ 0x9E37_79B9_7F4A_7C15
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
        return Double(mix(mix(mix(seed) ^ bank) ^ row) >> 11) * 0x1p-53
    }
}

extension CombinedModel {
    /// The combination with no more weight on the local than on the federated score.
    ///
    /// A bank that has not met a kind of fraud yet has no rows that tell how blind its own model
    /// is there; a fit on its rows alone would trust it too much.
    var trustingFederatedFirst: CombinedModel {
        guard case .stacked(let intercept, let local, let federated) = rule, local > federated
        else { return self }
        let weight = (local + federated) / 2
        return CombinedModel(
            rule: .stacked(intercept: intercept, localWeight: weight, federatedWeight: weight))
    }
}
