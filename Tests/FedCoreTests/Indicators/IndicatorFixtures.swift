import FedCore
import FedCrypto

/// A derivation whose features read two indicators, over windows of different lengths.
func indicatorDerivation(
    index: Indicator.Index, measures: [Indicator.Measure] = countAndFrauds,
    floorPeriods: Int64 = 3, ties: Derivation.Ties = .together
) throws -> Derivation {
    func figure(_ indicator: String, _ measure: String, _ far: Int64, _ near: Int64) -> Expression {
        .indicator(
            IndicatorFigure(
                indicator: indicator, measure: measure, window: TimeWindow(far: far, near: near)))
    }
    func indicator(_ name: String, delay: Int64, _ measures: [Indicator.Measure]) -> Indicator {
        Indicator(
            name: name, entity: "shop", period: 100, delay: delay, floorBanks: 3,
            floorWindow: floorPeriods * 100, index: index, measures: measures)
    }
    let values: [Expression] = [
        figure("risk", "count", 300, 200), figure("risk", "frauds", 300, 200),
        .ratio(figure("risk", "frauds", 700, 200), figure("risk", "count", 700, 200), empty: -1),
        figure("fresh", "count", 100, 0), figure("fresh", "count", 500, 0),
    ]
    return try Derivation(
        name: "shared", version: 1, description: "What banks count together.", standard: "shared",
        labelDelay: 150, ties: ties,
        columns: [
            RawColumn(name: "time", role: .time, kind: .integer),
            RawColumn(name: "card", role: .entity, kind: .integer),
            RawColumn(name: "shop", role: .entity, kind: .integer, missing: .keep),
            RawColumn(name: "amount", role: .amount, kind: .number),
            RawColumn(name: "fraud", role: .label, kind: .integer),
        ],
        indicators: [
            indicator("risk", delay: 150, measures),
            indicator("fresh", delay: 0, [Indicator.Measure(name: "count", kind: .count, most: 9)]),
        ],
        features: values.enumerated().map {
            Derivation.DerivedFeature(name: "f\($0)", value: $1)
        })
}

let countAndFrauds = [
    Indicator.Measure(name: "count", kind: .count, most: 1000),
    Indicator.Measure(name: "frauds", kind: .frauds, most: 1000),
]

/// Rows of one bank over some 20 periods; shops beyond `shops` are left out of a range index.
func shopRows(_ count: Int, shops: Int64, seed: UInt64) -> [RawRow] {
    var random = SplitMix64(seed: seed)
    var time = Int64(-450)
    return (0..<count).map { index in
        time += Int64.random(in: 0..<12, using: &random)
        let isMissing = Int.random(in: 0..<20, using: &random) == 0
        return RawRow(
            time: time, number: Int64(index),
            isFraud: Int.random(in: 0..<4, using: &random) == 0,
            numbers: [Double(Int.random(in: 0..<5000, using: &random)) / 100],
            entities: [
                EntityKey(Int64.random(in: 0..<30, using: &random)),
                isMissing ? .missing : EntityKey(Int64.random(in: 0..<shops, using: &random)),
            ])
    }
}

func sharedSecrets(_ seed: UInt8 = 1) throws -> IndicatorSecrets {
    try IndicatorSecrets(key: SecretBytes([UInt8](repeating: seed, count: 32)))
}

/// The ledgers of banks that have taken in all their rows.
func ledgers(
    _ derivation: Derivation, _ indicator: String, _ banks: [[RawRow]],
    secrets: IndicatorSecrets = .none
) throws -> [IndicatorLedger] {
    try banks.map { rows in
        var ledger = try IndicatorLedger(derivation, indicator: indicator, secrets: secrets)
        for row in rows { ledger.add(row) }
        return ledger
    }
}

/// The tables of all indicators over all periods.
func allTables(
    _ derivation: Derivation, _ banks: [[RawRow]], secrets: IndicatorSecrets = .none
) throws -> [IndicatorTable] {
    try derivation.indicators.map { indicator in
        let ledgers = try ledgers(derivation, indicator.name, banks, secrets: secrets)
        let periods = ledgers.flatMap(\.countedPeriods)
        let first = periods.min() ?? 0
        let plan = try IndicatorPlan(
            derivation, indicator: indicator.name, firstPeriod: first,
            periodCount: Int((periods.max() ?? 0) - first + 1))
        return try IndicatorTable.plaintext(plan, ledgers: ledgers)
    }
}

/// An indicator's figure by going over all rows of all banks: the definition, and no more.
struct NaiveIndicator {
    let indicator: Indicator
    let banks: [[RawRow]]
    /// Whether a row of a bank counts in a measure.
    var passes: (Indicator.Measure, Int, RawRow) -> Bool = { _, _, _ in true }

    private func period(_ row: RawRow) -> Int64 {
        Int64((Double(row.time) / Double(indicator.period)).rounded(.down))
    }

    private func rows(_ bank: Int, _ shop: EntityKey, _ periods: Range<Int64>) -> [RawRow] {
        banks[bank].filter { $0.entities[1] == shop && periods.contains(period($0)) }
    }

    /// The sum of a period, 0 below the floor.
    func figure(_ measure: Indicator.Measure, _ shop: EntityKey, period: Int64) -> Int64 {
        let window = indicator.floorWindow / indicator.period
        let active = banks.indices.filter {
            !rows($0, shop, (period - window + 1)..<(period + 1)).isEmpty
        }
        guard active.count >= indicator.floorBanks else { return 0 }
        return banks.indices.reduce(0) { sum, bank in
            let rows = rows(bank, shop, period..<(period + 1)).filter { passes(measure, bank, $0) }
            let value: Int64 =
                switch measure.kind {
                case .count: Int64(rows.count)
                case .frauds: Int64(rows.count { $0.isFraud == true })
                case .confirmed: 0
                case .sum(_, let unit):
                    rows.reduce(0) { $0 + Int64(($1.numbers[0] / unit).rounded()) }
                case .distinct: Int64(Set(rows.map { $0.entities[0] }).count)
                }
            return sum + min(max(value, -measure.most), measure.most)
        }
    }

    /// The figure that a feature of a row reads.
    func value(_ figure: IndicatorFigure, of row: RawRow) -> Double {
        guard let measure = indicator.measures.first(where: { $0.name == figure.measure }),
            row.entities[1] != .missing
        else { return 0 }
        let now = period(row)
        let far = now - figure.window.far / indicator.period
        let near = now - figure.window.near / indicator.period
        return Double(
            (far..<near).reduce(0) { $0 + self.figure(measure, row.entities[1], period: $1) })
    }
}
