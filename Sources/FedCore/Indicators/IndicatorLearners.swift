/// The coordinator's side of an indicator: first how many banks are active in each cell, then the
/// figures of those cells in which enough are.
///
/// It sees sums of cells. Where the index is a sketch, it does not know which entities they are.
public struct JointIndicatorLearner: JointLearner {
    private enum Stage: Sendable {
        case presence(part: Int)
        case figures(part: Int, permitted: [UInt8])
        case finished
    }

    private let plan: IndicatorPlan
    private let contributors: Int
    private let manifestHash: [UInt8]?
    private var stage = Stage.presence(part: 0)
    private var periods: [IndicatorTable.Period] = []

    /// Prepares a run.
    ///
    /// - Parameters:
    ///   - contributors: banks in the roster.
    ///   - manifestHash: SHA-256 of the run's manifest, 32 bytes.
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)`` for fewer banks than
    ///   the floor, or more than the widest ring holds.
    public init(
        plan: IndicatorPlan, contributors: Int, manifestHash: [UInt8]? = nil
    ) throws(LearningError) {
        precondition(manifestHash.map { $0.count == 32 } ?? true, "a manifest hash of 32 bytes")
        try plan.check(contributors: contributors)
        self.plan = plan
        self.contributors = contributors
        self.manifestHash = manifestHash
    }

    /// Periods done, and how many cells of the last one were permitted.
    public var progress: LearnerProgress {
        LearnerProgress(
            roundsDone: periods.count, roundsMax: plan.periodCount,
            note: periods.last.map {
                "\($0.permittedCount) of \(plan.indicator.cellCount) cells permitted"
            } ?? "presence")
    }

    /// The table, once all sums are in.
    public var table: IndicatorTable? {
        guard case .finished = stage else { return nil }
        return IndicatorTable(
            plan, banks: contributors, periods: periods, manifestHash: manifestHash)
    }

    /// The query for the present stage, or the table.
    public mutating func next() throws(LearningError) -> JointStep {
        let parts = plan.parts
        let query: IndicatorQuery
        switch stage {
        case .presence(let part): query = .presence(part: parts[part])
        case .figures(let part, let permitted):
            query = .figures(part: parts[part], permitted: permitted)
        case .finished:
            guard let table else { throw .numericalFailure(reason: "no table") }
            return .finished(table.document)
        }
        guard let layout = query.layout(plan, contributors: contributors) else {
            throw .invalidConfiguration(
                field: "cells", got: "\(plan.indicator.cellCount)", expected: "fewer lanes")
        }
        return .query(
            Query(
                round: periods.count + 1, kind: query.kind, body: query.bytes(plan),
                layout: layout))
    }

    /// Takes a sum in.
    ///
    /// - Throws: ``LearningError/laneCount(got:expected:)``;
    ///   ``LearningError/numericalFailure(reason:)`` for impossible sums.
    public mutating func absorb(_ aggregate: Aggregate) throws(LearningError) {
        switch stage {
        case .presence(let part): try absorbPresence(aggregate.integers, part)
        case .figures(let part, let permitted):
            try absorbFigures(aggregate.integers, part, permitted)
        case .finished:
            throw .unexpectedQuery(kind: "sum", reason: "the table is finished")
        }
    }

    private mutating func absorbPresence(
        _ sums: [Int64], _ part: Int
    ) throws(LearningError) {
        let range = plan.parts[part]
        let bits = range.count * plan.indicator.cellCount
        guard sums.count == bits else { throw .laneCount(got: sums.count, expected: bits) }
        var permitted = [UInt8](repeating: 0, count: (bits + 7) / 8)
        var isAny = false
        for (index, banks) in sums.enumerated() {
            guard (0...Int64(contributors)).contains(banks) else {
                throw .numericalFailure(reason: "\(banks) active banks of \(contributors)")
            }
            guard banks >= Int64(plan.indicator.floorBanks) else { continue }
            permitted[index / 8] |= 1 << UInt8(index % 8)
            isAny = true
        }
        if isAny {
            stage = .figures(part: part, permitted: permitted)
        } else {
            for number in range { periods.append(.empty(number, plan.indicator)) }
            advance(after: part)
        }
    }

    private mutating func absorbFigures(
        _ sums: [Int64], _ part: Int, _ permitted: [UInt8]
    ) throws(LearningError) {
        let measures = plan.indicator.measures
        let cells = permitted.reduce(0) { $0 + $1.nonzeroBitCount }
        guard sums.count == cells * measures.count else {
            throw .laneCount(got: sums.count, expected: cells * measures.count)
        }
        var lane = 0
        for (offset, number) in plan.parts[part].enumerated() {
            var period = IndicatorTable.Period.empty(number, plan.indicator)
            for cell in 0..<plan.indicator.cellCount {
                let bit = offset * plan.indicator.cellCount + cell
                guard permitted[bit / 8] >> UInt8(bit % 8) & 1 == 1 else { continue }
                let values = sums[lane..<(lane + measures.count)]
                lane += measures.count
                period.permittedCount += 1
                for (measure, value) in zip(measures, values) {
                    // A sum beyond what all banks may give is a fault of a bank or of a mask.
                    let most = measure.most * Int64(contributors)
                    guard (measure.isSigned ? -most...most : 0...most).contains(value) else {
                        throw .numericalFailure(reason: "a sum of \(measure.name) beyond \(most)")
                    }
                }
                guard values.contains(where: { $0 != 0 }) else { continue }
                period.cells.append(Int32(cell))
                for (index, value) in values.enumerated() { period.values[index].append(value) }
            }
            periods.append(period)
        }
        advance(after: part)
    }

    private mutating func advance(after part: Int) {
        stage = part + 1 < plan.parts.count ? .presence(part: part + 1) : .finished
    }
}

/// A bank's side of an indicator: answers from its ledger.
///
/// It answers each part once, presence first, and only a plan whose roster reaches the floor.
public struct LocalIndicatorLearner: LocalLearner {
    private let plan: IndicatorPlan
    private let ledger: IndicatorLedger
    /// The part whose presence was answered last, and whether its figures may be asked for.
    private var part = -1
    private var awaitsFigures = false

    /// Prepares a bank's answers.
    ///
    /// - Throws: ``LearningError/invalidConfiguration(field:got:expected:)`` when the ledger is of
    ///   another indicator, or under another key than the plan names.
    public init(plan: IndicatorPlan, ledger: IndicatorLedger) throws(LearningError) {
        guard plan.indicator == ledger.indicator else {
            throw .invalidConfiguration(
                field: "indicator", got: ledger.indicator.name, expected: plan.indicator.name)
        }
        guard plan.keyCheck == nil || plan.keyCheck == ledger.keyCheck else {
            throw .invalidConfiguration(
                field: "indicator key", got: "this bank's", expected: "the one that the run names")
        }
        self.plan = plan
        self.ledger = ledger
    }

    /// Answers a query of the plan in its turn.
    ///
    /// - Throws: ``LearningError/unexpectedQuery(kind:reason:)`` for any other.
    public mutating func answer(
        _ query: Query, contributors: Int
    ) throws(LearningError) -> EncodedVector {
        try plan.check(contributors: contributors)
        let asked = try IndicatorQuery(query, plan)
        guard asked.layout(plan, contributors: contributors) == query.layout else {
            throw .unexpectedQuery(kind: query.kind, reason: "it asks for another shape")
        }
        let lanes: [Int64]
        switch asked {
        case .presence(let range):
            guard part + 1 < plan.parts.count, plan.parts[part + 1] == range else {
                throw .unexpectedQuery(kind: query.kind, reason: "its periods are not next")
            }
            part += 1
            awaitsFigures = true
            lanes = ledger.presence(first: range.lowerBound, count: range.count)
        case .figures(let range, let permitted):
            guard awaitsFigures, plan.parts[part] == range else {
                throw .unexpectedQuery(kind: query.kind, reason: "presence comes first, and once")
            }
            awaitsFigures = false
            lanes = figures(range, permitted, laneCount: query.layout.laneCount)
        }
        return try EncodedVector(
            lanesOf: lanes, layout: query.layout, contributors: contributors)
    }

    /// Passes over a query that was answered before a restart.
    public mutating func replay(_ query: Query) throws(LearningError) {
        switch try IndicatorQuery(query, plan) {
        case .presence(let range):
            part = plan.parts.firstIndex(of: range) ?? part
            awaitsFigures = true
        case .figures: awaitsFigures = false
        }
    }

    private func figures(
        _ range: Range<Int64>, _ permitted: [UInt8], laneCount: Int
    ) -> [Int64] {
        var lanes: [Int64] = []
        lanes.reserveCapacity(laneCount)
        let cells = plan.indicator.cellCount
        for (offset, number) in range.enumerated() {
            for cell in 0..<cells {
                let bit = offset * cells + cell
                guard permitted[bit / 8] >> UInt8(bit % 8) & 1 == 1 else { continue }
                ledger.values(cell: Int32(cell), period: number, into: &lanes)
            }
        }
        return lanes
    }
}

extension IndicatorPlan {
    /// Refuses rosters below the floor and above what the ring holds.
    fileprivate func check(contributors: Int) throws(LearningError) {
        guard contributors >= indicator.floorBanks, contributors < 1 << 15,
            indicator.ring(contributors: contributors) != nil
        else {
            throw .invalidConfiguration(
                field: "roster", got: "\(contributors) banks",
                expected: "at least \(indicator.floorBanks)")
        }
    }
}

extension Indicator.Measure {
    /// Whether sums may be below 0.
    var isSigned: Bool {
        if case .sum = kind { true } else { false }
    }
}

extension IndicatorTable {
    /// The sums of banks' ledgers without masks: the plaintext twin of a run, for tests and for
    /// measurements inside one process.
    ///
    /// - Throws: ``LearningError``, as a run would.
    public static func plaintext(
        _ plan: IndicatorPlan, ledgers: [IndicatorLedger]
    ) throws(LearningError) -> IndicatorTable {
        var joint = try JointIndicatorLearner(plan: plan, contributors: ledgers.count)
        var banks: [LocalIndicatorLearner] = []
        for ledger in ledgers {
            banks.append(try LocalIndicatorLearner(plan: plan, ledger: ledger))
        }
        while case .query(let query) = try joint.next() {
            var answers: [EncodedVector] = []
            for bank in banks.indices {
                answers.append(try banks[bank].answer(query, contributors: ledgers.count))
            }
            try joint.absorb(EncodedVector.plainSum(answers))
        }
        guard let table = joint.table else { throw .numericalFailure(reason: "no table") }
        return table
    }
}
