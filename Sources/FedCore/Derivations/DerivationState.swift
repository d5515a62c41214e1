/// Computes features row by row, in the order of time: the same for a file and for live payments.
///
/// A value type without clock or randomness: what it gives depends on the derivation and on the
/// rows and labels so far, to the last bit. Its memory is bounded by the rows within the farthest
/// ends of the windows.
public struct DerivationState: Sendable {
    /// Times are within ± this many seconds.
    public static let timeMax: Int64 = 1 << 52

    /// What is computed.
    public let derivation: Derivation
    /// The latest time of a row or label; `nil` before the first.
    public var latestTime: Int64? { now == Int64.min ? nil : now }

    var now = Int64.min
    var groups: [WindowGroup]
    var boards: [IndicatorBoard]
    private let program: DerivationProgram
    private let numberColumns: [RawColumn]
    private let entityColumns: [RawColumn]
    /// The entity column of each indicator.
    private let indicatorEntities: [Int]
    // Room for one call, kept to be used again.
    private var results: [Double]
    private var slots: [Int32] = []
    /// Whether the row of a slot entered, or was left out by the filter.
    private var hasEntered: [Bool] = []
    private var kept: [UInt64] = []

    /// Begins without rows.
    ///
    /// - Parameter secrets: the key or lists of the derivation's indicators; without those that an
    ///   indicator needs, ``publish(_:)`` refuses its tables.
    public init(_ derivation: Derivation, secrets: IndicatorSecrets = .none) {
        self.derivation = derivation
        let program = DerivationProgram(derivation)
        self.program = program
        boards = derivation.indicators.indices.map {
            IndicatorBoard(
                derivation.indicators[$0], readings: program.indicatorReadings[$0],
                secrets: secrets)
        }
        indicatorEntities = derivation.indicators.map { indicator in
            derivation.entityColumns.firstIndex { $0.name == indicator.entity } ?? 0
        }
        groups = program.plans.map(WindowGroup.init)
        numberColumns = derivation.numberColumns
        entityColumns = derivation.entityColumns
        results = [Double](repeating: 0, count: program.steps.count)
    }

    /// Events in the windows of all groups, expired ones of idle keys included.
    public var eventCount: Int { groups.reduce(0) { $0 + $1.pool.liveCount } }

    /// Keys of all groups.
    public var keyCount: Int { groups.reduce(0) { $0 + $1.keyCount } }

    /// Takes a row in and computes its features.
    ///
    /// Other rows of the row's time are seen if they were given before.
    ///
    /// - Returns: one value for each feature of the derivation, in its order; NaN for a missing one.
    /// - Throws: ``DerivationError`` about the row; the state is then as before.
    public mutating func apply(_ row: RawRow) throws(DerivationError) -> [Double] {
        var features: [Double] = []
        try apply([row], to: &features)
        return features
    }

    /// Takes all rows of one time in and computes their features.
    ///
    /// Where the derivation says ``Derivation/Ties/together``, each sees all of them; else this is
    /// the same as giving one after the other.
    ///
    /// - Returns: features as ``apply(_:)`` gives them, row after row.
    /// - Throws: ``DerivationError`` about the first row that is wrong; the state is then as before.
    public mutating func apply(together rows: [RawRow]) throws(DerivationError) -> [[Double]] {
        var features: [Double] = []
        try apply(rows[...], to: &features)
        let width = program.features.count
        return rows.indices.map { Array(features[($0 * width)..<(($0 + 1) * width)]) }
    }

    /// Appends the features of rows of one time to a list, row after row.
    package mutating func apply(
        _ rows: ArraySlice<RawRow>, to features: inout [Double]
    ) throws(DerivationError) {
        guard let first = rows.first else { return }
        for index in rows.indices {
            try check(rows[index])
            guard rows[index].time == first.time else {
                throw .timesDiffer(first: first.time, other: rows[index].time)
            }
        }
        try checkNumbers(rows)
        now = first.time
        for board in boards.indices { boards[board].advance(to: now) }
        slots.removeAll(keepingCapacity: true)
        hasEntered.removeAll(keepingCapacity: true)
        for group in groups.indices { groups[group].sweep(at: now, rows: rows.count) }
        switch derivation.ties {
        case .together:
            for row in rows { enter(row) }
            for (index, row) in rows.enumerated() {
                visit(row, slotsFrom: index * groups.count)
                compute(row, slotsFrom: index * groups.count, to: &features)
            }
        case .arrival:
            for row in rows {
                slots.removeAll(keepingCapacity: true)
                hasEntered.removeAll(keepingCapacity: true)
                enter(row)
                visit(row, slotsFrom: 0)
                compute(row, slotsFrom: 0, to: &features)
            }
        }
    }

    /// Learns whether an earlier row was a fraud.
    ///
    /// Windows use it from the row's label delay on, or from now on where that is over. A row that
    /// came with a label keeps it; a label learnt twice is the later one.
    ///
    /// - Returns: whether the row is in a window or will be; `false` for a row that is too old,
    ///   unknown, or came with its label.
    /// - Throws: ``DerivationError/timeGoesBack(got:latest:)`` or
    ///   ``DerivationError/timeOutOfRange``.
    @discardableResult
    public mutating func learn(
        row: Int64, isFraud: Bool, at time: Int64
    ) throws(DerivationError) -> Bool {
        try check(time: time)
        now = time
        for board in boards.indices { boards[board].advance(to: now) }
        var isOfUse = false
        for group in groups.indices where groups[group].plan.hasLabels {
            if groups[group].learn(row: row, isFraud: isFraud, at: now) { isOfUse = true }
        }
        return isOfUse
    }

    /// Takes in the sums that all banks made of an indicator.
    ///
    /// They count from now on, for rows to whose windows their periods belong. A period that was
    /// given before is replaced by one of a greater revision.
    ///
    /// - Returns: how many of the table's periods were taken: those too old, or of no greater
    ///   revision, are not.
    /// - Throws: ``DerivationError/indicator(_:)`` for a table of another indicator, or where the
    ///   key or list of the indicator is missing.
    @discardableResult
    public mutating func publish(_ table: IndicatorTable) throws(DerivationError) -> Int {
        guard
            let board = derivation.indicators.firstIndex(where: { $0.name == table.indicator }),
            table.indicatorSHA256 == derivation.indicators[board].sha256
        else { throw .indicator(.tableOfAnotherIndicator(expected: table.indicator)) }
        do {
            return try boards[board].publish(table)
        } catch {
            throw .indicator(error)
        }
    }

    /// Periods within the windows of the latest row for which no table has come, by indicator.
    public var missingPeriods: [String: [Int64]] {
        var missing: [String: [Int64]] = [:]
        for board in boards {
            let periods = board.missingPeriods()
            if !periods.isEmpty { missing[board.indicator.name] = periods }
        }
        return missing
    }

    // MARK: - Checks

    private func check(time: Int64) throws(DerivationError) {
        guard time.magnitude <= UInt64(Self.timeMax) else { throw .timeOutOfRange }
        guard time >= now else { throw .timeGoesBack(got: time, latest: now) }
    }

    private func check(_ row: RawRow) throws(DerivationError) {
        try check(time: row.time)
        guard row.numbers.count == numberColumns.count, row.entities.count == entityColumns.count
        else {
            throw .rowShape(
                gotNumbers: row.numbers.count, expectedNumbers: numberColumns.count,
                gotEntities: row.entities.count, expectedEntities: entityColumns.count)
        }
        for index in numberColumns.indices {
            let value = row.numbers[index]
            let most =
                program.isSummed[index] ? ExactSum.magnitudeMax : FeatureStandard.magnitudeMax
            if abs(value) <= most { continue }
            guard value.isNaN else {
                throw .valueOutOfRange(column: numberColumns[index].name, magnitudeMax: most)
            }
            guard numberColumns[index].missing == .keep else {
                throw .missingValue(column: numberColumns[index].name)
            }
        }
        for index in entityColumns.indices where row.entities[index] == .missing {
            guard entityColumns[index].missing == .keep else {
                throw .missingValue(column: entityColumns[index].name)
            }
        }
    }

    /// The numbers of unlabelled rows lead to them, so each is used once.
    private func checkNumbers(_ rows: ArraySlice<RawRow>) throws(DerivationError) {
        var seen: Set<Int64> = []
        for row in rows where row.isFraud == nil {
            let isKnown = groups.contains { $0.isUnlabelled(row: row.number, at: row.time) }
            guard !isKnown, seen.insert(row.number).inserted else { throw .repeatedRow }
        }
    }

    // MARK: - Rows

    private mutating func enter(_ row: RawRow) {
        let label: UInt8 =
            switch row.isFraud {
            case nil: EventPool.Label.unknown | EventPool.Label.isIndexed
            case true?: EventPool.Label.fraud
            case false?: EventPool.Label.genuine
            }
        computeFilters(row)
        for group in groups.indices {
            if let filter = groups[group].plan.filter, !Self.holds(results[filter]) {
                slots.append(EventPool.none)
                hasEntered.append(false)
                continue
            }
            hasEntered.append(true)
            guard let key = Self.key(groups[group].plan.keys, row) else {
                slots.append(EventPool.none)
                continue
            }
            kept.removeAll(keepingCapacity: true)
            for source in groups[group].plan.values { kept.append(Self.bits(source, row)) }
            slots.append(
                groups[group].enter(
                    key, time: row.time, label: label, row: row.number, values: kept))
        }
    }

    private mutating func computeFilters(_ row: RawRow) {
        guard !program.filterSteps.isEmpty else { return }
        let day = row.time.flooredQuotient(by: 86_400)
        for step in program.filterSteps {
            results[step] = value(of: program.steps[step], row, day: day)
        }
    }

    private static func holds(_ value: Double) -> Bool { !value.isNaN && value != 0 }

    /// Finds the windows that a row reads although a filter leaves it out of them.
    private mutating func visit(_ row: RawRow, slotsFrom base: Int) {
        guard !program.filterSteps.isEmpty else { return }
        for group in groups.indices where !hasEntered[base + group] {
            guard let key = Self.key(groups[group].plan.keys, row) else { continue }
            slots[base + group] = groups[group].visit(key, time: row.time)
        }
    }

    /// The key of a row's group, `nil` where a column is missing.
    private static func key(_ sources: [WindowPlan.Source], _ row: RawRow) -> WindowGroup.Key? {
        var parts: (UInt64, UInt64) = (0, 0)
        for (index, source) in sources.enumerated() {
            let bits = Self.bits(source, row)
            switch source {
            case .entity: if bits == EntityKey.missing.bits { return nil }
            case .number: if Double(bitPattern: bits).isNaN { return nil }
            }
            if index == 0 { parts.0 = bits } else if index == 1 { parts.1 = bits }
        }
        if sources.count > 2 { parts = hash(sources.map { Self.bits($0, row) }) }
        return WindowGroup.Key(first: parts.0, second: parts.1)
    }

    private static func bits(_ source: WindowPlan.Source, _ row: RawRow) -> UInt64 {
        switch source {
        case .entity(let index): row.entities[index].bits
        // Zero has one sign and missing values one pattern, in keys and in saved states.
        case .number(let index):
            row.numbers[index].isNaN ? Double.nan.bitPattern : (row.numbers[index] + 0).bitPattern
        }
    }

    private mutating func compute(
        _ row: RawRow, slotsFrom base: Int, to features: inout [Double]
    ) {
        let day = row.time.flooredQuotient(by: 86_400)
        for (index, step) in program.steps.enumerated() {
            switch step {
            case .window(let reading):
                results[index] = groups[reading.group].figure(
                    reading, slot: slots[base + reading.group], time: row.time,
                    hasEntered: hasEntered[base + reading.group])
            case .indicator(let board, let reading):
                let entity = row.entities[indicatorEntities[board]]
                results[index] = boards[board].value(reading, of: entity)
            default: results[index] = value(of: step, row, day: day)
            }
        }
        for step in program.features { features.append(results[step]) }
    }

    /// The value of a step that needs the row and the steps before it, and no windows.
    @inline(__always)
    private func value(
        of step: DerivationProgram.Step, _ row: RawRow, day: Int64
    ) -> Double {
        switch step {
        case .number(let column): return row.numbers[column]
        case .constant(let constant): return constant
        case .hour: return Double((row.time - day * 86_400) / 3_600)
        case .day: return Double(day)
        case .weekday(let offset):
            let shifted = day + offset
            return Double(shifted - 7 * shifted.flooredQuotient(by: 7))
        case .compare(let operand, let relation, let other):
            let operand = results[operand]
            return operand.isNaN ? .nan : relation.holds(operand, other) ? 1 : 0
        case .isIn(let operand, let set):
            let operand = results[operand]
            return operand.isNaN ? .nan : program.sets[set].contains(operand) ? 1 : 0
        case .oneHot(let column, let level): return row.numbers[column] == level ? 1 : 0
        case .ratio(let numerator, let denominator, let empty):
            let (numerator, denominator) = (results[numerator], results[denominator])
            return denominator == 0 ? empty : numerator / denominator
        case .product(let first, let second): return results[first] * results[second]
        case .sum(let first, let second): return results[first] + results[second]
        case .difference(let first, let second): return results[first] - results[second]
        case .window, .indicator: return .nan
        }
    }
}

extension Expression.Relation {
    fileprivate func holds(_ first: Double, _ second: Double) -> Bool {
        switch self {
        case .less: first < second
        case .atMost: first <= second
        case .equal: first == second
        case .unequal: first != second
        case .atLeast: first >= second
        case .greater: first > second
        }
    }
}
