internal import FedCrypto

/// What one bank counts for an indicator: figures by period and cell, from its own rows.
///
/// A value type without clock. It holds the bank's own figures and must not leave the bank: only
/// masked sums do. Rows may come in any order of time; labels and verdicts with the row or later.
public struct IndicatorLedger: Sendable {
    /// The figures of one period: the cells that are active, and values one row a cell.
    private struct Figures: Sendable {
        var slots: [Int32: Int] = [:]
        var values: [Int64] = []
        var seen: Set<DistinctValue> = []
    }

    private struct DistinctValue: Hashable, Sendable {
        let cell: Int32
        let measure: Int32
        let entity: UInt64
        let value: UInt64
    }

    /// The indicator.
    public let indicator: Indicator
    private var cells: IndicatorCells
    private let entityColumn: Int
    /// The column of each measure that has one, among numbers or entities.
    private let columns: [Int]
    private var periods: [Int64: Figures] = [:]
    /// The time of the latest row, also of one that is not in the index; `nil` before the first.
    public private(set) var latestTime: Int64?
    /// The key's check, to be held against a plan's.
    let keyCheck: [UInt8]?

    /// Begins with nothing counted.
    ///
    /// - Parameters:
    ///   - name: an indicator of the derivation.
    ///   - secrets: the shared key or list, where the index needs one.
    /// - Throws: ``IndicatorError``.
    public init(
        _ derivation: Derivation, indicator name: String, secrets: IndicatorSecrets = .none
    ) throws(IndicatorError) {
        guard let indicator = derivation.indicators.first(where: { $0.name == name }),
            let column = derivation.entityColumns.firstIndex(where: { $0.name == indicator.entity })
        else { throw .unknownIndicator(name) }
        self.indicator = indicator
        cells = try IndicatorCells(indicator, secrets: secrets)
        if case .sketch = indicator.index { keyCheck = secrets.keyCheck } else { keyCheck = nil }
        entityColumn = column
        columns = indicator.measures.map { measure in
            switch measure.kind {
            case .count, .frauds, .confirmed: 0
            case .sum(let column, _):
                derivation.numberColumns.firstIndex { $0.name == column } ?? 0
            case .distinct(let column):
                derivation.entityColumns.firstIndex { $0.name == column } ?? 0
            }
        }
    }

    /// Periods with rows, ascending.
    public var countedPeriods: [Int64] { periods.keys.sorted() }

    /// Counts a row; its label, where it has one already, counts as a fraud or not.
    ///
    /// - Parameter passes: for each measure, whether its filter lets the row count; may be left out
    ///   where no measure has a filter. The bank is active in the row's cells in any case.
    /// - Returns: whether the row's entity is in the index.
    @discardableResult
    public mutating func add(_ row: RawRow, passes: [Bool]? = nil) -> Bool {
        let passes = checked(passes)
        latestTime = max(latestTime ?? row.time, row.time)
        let entity = row.entities[entityColumn]
        let found = cells.cells(of: entity)
        guard !found.isEmpty else { return false }
        let period = indicator.period(of: row.time)
        var figures = periods.removeValue(forKey: period) ?? Figures()
        for cell in found {
            let base = slot(of: cell, in: &figures)
            for (index, measure) in indicator.measures.enumerated() where passes[index] {
                switch measure.kind {
                case .count: figures.values[base + index] += 1
                case .frauds: if row.isFraud == true { figures.values[base + index] += 1 }
                case .confirmed: break
                case .sum(_, let unit):
                    let units = (row.numbers[columns[index]] / unit).rounded()
                    guard units.magnitude < 0x1p62 else { break }
                    let (sum, overflow) = figures.values[base + index].addingReportingOverflow(
                        Int64(units))
                    if !overflow { figures.values[base + index] = sum }
                case .distinct:
                    let value = DistinctValue(
                        cell: cell, measure: Int32(index), entity: entity.bits,
                        value: row.entities[columns[index]].bits)
                    guard row.entities[columns[index]] != .missing,
                        figures.seen.insert(value).inserted
                    else { break }
                    figures.values[base + index] += 1
                }
            }
        }
        periods[period] = figures
        return true
    }

    /// Counts a row, given before without its label, as a fraud: its label has come.
    ///
    /// - Parameter passes: as the row was given with.
    public mutating func learnFraud(_ row: RawRow, passes: [Bool]? = nil) {
        raise(.frauds, row, checked(passes))
    }

    /// Counts a row, given before, as confirmed by a reviewer.
    ///
    /// - Parameter passes: as the row was given with.
    public mutating func confirm(_ row: RawRow, passes: [Bool]? = nil) {
        raise(.confirmed, row, checked(passes))
    }

    /// What is left out where nothing is filtered; a filter that nobody applied is a mistake of
    /// the caller.
    private func checked(_ passes: [Bool]?) -> [Bool] {
        guard let passes else {
            precondition(
                indicator.measures.allSatisfy { $0.filter == nil },
                "indicator \(indicator.name) has filters and nobody applied them")
            return indicator.measures.map { _ in true }
        }
        precondition(passes.count == indicator.measures.count, "\(passes.count) answers")
        return passes
    }

    private mutating func raise(
        _ kind: Indicator.Measure.Kind, _ row: RawRow, _ passes: [Bool]
    ) {
        let found = cells.cells(of: row.entities[entityColumn])
        let period = indicator.period(of: row.time)
        guard !found.isEmpty, var figures = periods.removeValue(forKey: period) else { return }
        for cell in found {
            let base = slot(of: cell, in: &figures)
            for (index, measure) in indicator.measures.enumerated()
            where measure.kind == kind && passes[index] {
                figures.values[base + index] += 1
            }
        }
        periods[period] = figures
    }

    private func slot(of cell: Int32, in figures: inout Figures) -> Int {
        if let slot = figures.slots[cell] { return slot }
        let slot = figures.values.count
        figures.slots[cell] = slot
        figures.values.append(contentsOf: repeatElement(0, count: indicator.measures.count))
        return slot
    }

    /// Forgets what no later sum can ask for, once the sums of all periods before one are made.
    public mutating func forget(before period: Int64) {
        let window = indicator.floorWindow / indicator.period
        periods = periods.filter { $0.key > period - window }
    }

    /// SHA-256 over all that this bank answers to a plan, 32 bytes.
    public func digest(of plan: IndicatorPlan) -> [UInt8] {
        let end = plan.firstPeriod + Int64(plan.periodCount)
        let window = indicator.floorWindow / indicator.period
        var writer = ByteWriter()
        for number in periods.keys.sorted()
        where number > plan.firstPeriod - window && number < end {
            guard let figures = periods[number] else { continue }
            writer.write(number)
            for (cell, slot) in figures.slots.sorted(by: { $0.key < $1.key }) {
                writer.write(UInt32(bitPattern: cell))
                guard number >= plan.firstPeriod else { continue }
                for index in indicator.measures.indices {
                    writer.write(figures.values[slot + index])
                }
            }
        }
        return SHA256.hash(writer.bytes)
    }

    // MARK: - Answers

    /// For each period from `first` on, 1 for the cells with rows in the floor's window up to the
    /// period's end, else 0: period after period.
    func presence(first: Int64, count: Int) -> [Int64] {
        let window = indicator.floorWindow / indicator.period
        let cellCount = indicator.cellCount
        var latest = [Int64](repeating: .min, count: cellCount)
        func take(_ period: Int64) {
            guard let figures = periods[period] else { return }
            for cell in figures.slots.keys { latest[Int(cell)] = period }
        }
        for period in (first - window + 1)..<first { take(period) }
        var lanes: [Int64] = []
        lanes.reserveCapacity(cellCount * count)
        for period in first..<(first + Int64(count)) {
            take(period)
            for cell in 0..<cellCount { lanes.append(latest[cell] > period - window ? 1 : 0) }
        }
        return lanes
    }

    /// The figures of one cell and period, each within its bound.
    func values(cell: Int32, period: Int64, into lanes: inout [Int64]) {
        guard let figures = periods[period], let slot = figures.slots[cell] else {
            lanes.append(contentsOf: repeatElement(0, count: indicator.measures.count))
            return
        }
        for (index, measure) in indicator.measures.enumerated() {
            lanes.append(min(max(figures.values[slot + index], -measure.most), measure.most))
        }
    }
}
