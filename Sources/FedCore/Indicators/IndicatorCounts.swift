/// What a reviewer of the bank found on one of its transactions.
public struct RowFinding: Equatable, Sendable {
    /// Whether it is a fraud.
    public let isFraud: Bool
    /// When it was found, on the clock of the rows' times.
    public let time: Int64

    /// Wraps a finding.
    public init(isFraud: Bool, time: Int64) {
        self.isFraud = isFraud
        self.time = time
    }
}

/// A bank's own figures for all indicators of a derivation.
///
/// It must not leave the bank; ``LocalIndicatorLearner`` answers from it under masks.
public struct IndicatorCounts: Sendable {
    /// One ledger an indicator, in the order of the derivation.
    public private(set) var ledgers: [IndicatorLedger]
    /// Rows counted.
    public private(set) var rowCount = 0
    private var filters: IndicatorFilters

    /// Begins with nothing counted.
    ///
    /// - Throws: ``IndicatorError`` when the key or a list is missing.
    public init(
        _ derivation: Derivation, secrets: IndicatorSecrets = .none
    ) throws(IndicatorError) {
        var ledgers: [IndicatorLedger] = []
        for indicator in derivation.indicators {
            ledgers.append(
                try IndicatorLedger(derivation, indicator: indicator.name, secrets: secrets))
        }
        self.ledgers = ledgers
        filters = IndicatorFilters(derivation)
    }

    /// Counts all rows of one time in every indicator; with filters, in the order of time.
    ///
    /// - Parameter findings: what a reviewer found, by the rows' numbers. Where that was before the
    ///   figures of the row's period are known (``Indicator/dueTime(of:)``), it is the row's label,
    ///   and a fraud counts as confirmed. A later one counts nowhere: the period may be summed by
    ///   then.
    /// - Throws: ``DerivationError`` where a filter cannot take a row in; nothing is counted then.
    public mutating func add(
        together rows: [RawRow], findings: [Int64: RowFinding] = [:]
    ) throws(DerivationError) {
        let passing = try filters.passing(rows)
        rowCount += rows.count
        for (place, row) in rows.enumerated() {
            for index in ledgers.indices {
                let passes = filters.measures(of: index, passing[place])
                let indicator = ledgers[index].indicator
                guard let finding = findings[row.number],
                    finding.time < indicator.dueTime(of: indicator.period(of: row.time))
                else {
                    ledgers[index].add(row, passes: passes)
                    continue
                }
                var found = row
                found.isFraud = finding.isFraud
                ledgers[index].add(found, passes: passes)
                if finding.isFraud { ledgers[index].confirm(found, passes: passes) }
            }
        }
    }

    /// The ledger that answers a plan.
    ///
    /// - Throws: ``IndicatorError`` when the bank declares the indicator otherwise, holds another
    ///   key, or has not all figures of the plan yet.
    public func ledger(for plan: IndicatorPlan) throws(IndicatorError) -> IndicatorLedger {
        let name = plan.indicator.name
        guard let ledger = ledgers.first(where: { $0.indicator == plan.indicator }) else {
            throw .anotherDeclaration(indicator: name)
        }
        if case .sketch = plan.indicator.index {
            guard let check = plan.keyCheck, check == ledger.keyCheck else {
                throw .anotherKey(indicator: name)
            }
        }
        let latest = ledger.latestTime ?? .min
        guard latest >= plan.dueTime else {
            throw .rowsEndEarly(indicator: name, got: latest, expected: plan.dueTime)
        }
        return ledger
    }
}
