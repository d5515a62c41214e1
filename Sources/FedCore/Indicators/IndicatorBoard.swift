/// The published tables of one indicator as features read them, moved along in time.
///
/// Sums over windows of whole periods are kept for every cell, so a row reads them in O(depth). A
/// table counts from when it is given; one that is late counts from then on, one that is missing
/// counts nothing.
struct IndicatorBoard: Sendable {
    /// A measure over a window.
    struct Reading: Hashable, Sendable {
        let measure: Int
        let window: TimeWindow
    }

    struct Entry: Sendable {
        let revision: Int
        let cells: [Int32]
        let values: [[Int64]]
    }

    let indicator: Indicator
    let readings: [Reading]
    private(set) var entries: [Int64: Entry] = [:]
    /// The cells, once an index is known; without it no table is taken.
    private var index: IndicatorCells?
    let indexFailure: IndicatorError?
    /// One list a reading, one sum a cell; empty until a table comes.
    private var sums: [[Int64]]
    /// The period of the latest row.
    private var now: Int64?
    private let farthest: Int64

    init(_ indicator: Indicator, readings: [Reading], secrets: IndicatorSecrets) {
        self.indicator = indicator
        self.readings = readings
        do throws(IndicatorError) {
            index = try IndicatorCells(indicator, secrets: secrets)
            indexFailure = nil
        } catch {
            index = nil
            indexFailure = error
        }
        sums = readings.map { _ in [] }
        farthest = (readings.map(\.window.far).max() ?? 0) / indicator.period
    }

    /// Periods within the farthest window for which no table has come.
    func missingPeriods() -> [Int64] {
        guard let now, let near = readings.map(\.window.near).min() else { return [] }
        let end = now - near / indicator.period
        guard now - farthest < end else { return [] }
        return ((now - farthest)..<end).filter { entries[$0] == nil }
    }

    /// Takes the periods of a table that are still of use.
    ///
    /// - Returns: how many.
    mutating func publish(_ table: IndicatorTable) throws(IndicatorError) -> Int {
        if let indexFailure { throw indexFailure }
        var taken = 0
        for period in table.periods {
            let entry = Entry(
                revision: table.revision, cells: period.cells, values: period.values)
            if take(entry, period: period.number) { taken += 1 }
        }
        return taken
    }

    /// Takes one period; `false` for one that is too old or of no later revision.
    mutating func take(_ entry: Entry, period: Int64) -> Bool {
        if let now, period < now - farthest { return false }
        if let old = entries[period] {
            guard old.revision < entry.revision else { return false }
            count(old, period: period, sign: -1)
        }
        entries[period] = entry
        count(entry, period: period, sign: 1)
        return true
    }

    /// Moves the windows to the period of a time, which is not before the one before.
    mutating func advance(to time: Int64) {
        let period = indicator.period(of: time)
        guard period != now else { return }
        let earlier = now
        now = period
        for (number, entry) in entries {
            for (reading, position) in zip(readings, sums.indices) {
                let was = earlier.map { contains(number, reading.window, at: $0) } ?? false
                let isIn = contains(number, reading.window, at: period)
                if was != isIn { add(entry, to: position, sign: isIn ? 1 : -1) }
            }
        }
        entries = entries.filter { $0.key >= period - farthest }
    }

    /// A reading of an entity: the sum, or the least of a sketch's rows; 0 without any table.
    mutating func value(_ reading: Int, of entity: EntityKey) -> Double {
        guard !sums[reading].isEmpty, let cells = index?.cells(of: entity) else { return 0 }
        var least: Int64?
        for cell in cells { least = min(least ?? .max, sums[reading][Int(cell)]) }
        return Double(least ?? 0)
    }

    private func contains(_ number: Int64, _ window: TimeWindow, at period: Int64) -> Bool {
        number >= period - window.far / indicator.period
            && number < period - window.near / indicator.period
    }

    private mutating func count(_ entry: Entry, period: Int64, sign: Int64) {
        guard let now else { return }
        for (position, reading) in readings.enumerated()
        where contains(period, reading.window, at: now) {
            add(entry, to: position, sign: sign)
        }
    }

    private mutating func add(_ entry: Entry, to reading: Int, sign: Int64) {
        if sums[reading].isEmpty {
            sums[reading] = [Int64](repeating: 0, count: indicator.cellCount)
        }
        let values = entry.values[readings[reading].measure]
        for (cell, value) in zip(entry.cells, values) {
            sums[reading][Int(cell)] &+= sign * value
        }
    }
}
