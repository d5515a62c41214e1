internal import FedCrypto

/// What one run sums: an indicator of a derivation, over periods that follow each other.
///
/// All banks of the roster are bound to it as to any manifest. A period is summed once: a second
/// sum over another roster would give away, by the difference, what the banks that came or went
/// had contributed. ``SummedPeriods`` holds a bank to it.
public struct IndicatorPlan: Equatable, Sendable {
    /// The most periods of one run.
    public static let periodCountMax = 4096
    /// Lanes of one masked sum at most: a plan of many periods is cut into several.
    static let lanesMax = 1 << 20

    /// The indicator.
    public let indicator: Indicator
    /// SHA-256 of its declaration.
    public let indicatorSHA256: [UInt8]
    /// The first period.
    public let firstPeriod: Int64
    /// Periods.
    public let periodCount: Int
    /// The version of the figures, from 1.
    public let revision: Int
    /// ``IndicatorSecrets/keyCheck`` of the key that all banks must hold, 32 bytes; a sketch
    /// summed under different keys would be noise.
    public let keyCheck: [UInt8]?
    /// SHA-256 of the plan's canonical form, 32 bytes.
    public let digest: [UInt8]

    /// Checks and wraps a plan for an indicator of a derivation.
    ///
    /// - Throws: ``IndicatorError/unknownIndicator(_:)`` or
    ///   ``IndicatorError/invalidPlan(field:got:expected:)``.
    public init(
        _ derivation: Derivation, indicator name: String, firstPeriod: Int64, periodCount: Int,
        revision: Int = 1, keyCheck: [UInt8]? = nil
    ) throws(IndicatorError) {
        guard let indicator = derivation.indicators.first(where: { $0.name == name }) else {
            throw .unknownIndicator(name)
        }
        try self.init(
            indicator, firstPeriod: firstPeriod, periodCount: periodCount, revision: revision,
            keyCheck: keyCheck)
    }

    /// Checks and wraps a plan.
    ///
    /// - Throws: ``IndicatorError/invalidPlan(field:got:expected:)``.
    public init(
        _ indicator: Indicator, firstPeriod: Int64, periodCount: Int, revision: Int = 1,
        keyCheck: [UInt8]? = nil
    ) throws(IndicatorError) {
        do {
            try IndicatorRules.checkBounds(of: indicator, place: "indicator")
        } catch {
            throw .invalidPlan(field: "indicator", got: "\(error)", expected: "a sound one")
        }
        let most = (1 << 53) / indicator.period
        guard firstPeriod.magnitude <= UInt64(most) else {
            throw .invalidPlan(
                field: "first_period", got: "\(firstPeriod)", expected: "within ±\(most)")
        }
        guard (1...Self.periodCountMax).contains(periodCount) else {
            throw .invalidPlan(
                field: "period_count", got: "\(periodCount)",
                expected: "1...\(Self.periodCountMax)")
        }
        guard (1...1_000_000).contains(revision) else {
            throw .invalidPlan(field: "revision", got: "\(revision)", expected: "1...1000000")
        }
        if let keyCheck, keyCheck.count != 32 {
            throw .invalidPlan(
                field: "key_check", got: "\(keyCheck.count) bytes", expected: "32")
        }
        self.indicator = indicator
        indicatorSHA256 = indicator.sha256
        self.firstPeriod = firstPeriod
        self.periodCount = periodCount
        self.revision = revision
        self.keyCheck = keyCheck
        digest = SHA256.hash(
            IndicatorPlanMembers.json(
                indicator, firstPeriod: firstPeriod, periodCount: periodCount,
                revision: revision, keyCheck: keyCheck
            ).bytes)
    }

    /// The plan as it stands in a manifest.
    public var canonical: CanonicalJSON {
        IndicatorPlanMembers.json(
            indicator, firstPeriod: firstPeriod, periodCount: periodCount, revision: revision,
            keyCheck: keyCheck)
    }

    /// The seconds that the periods cover.
    var seconds: Range<Int64> {
        firstPeriod * indicator.period..<(firstPeriod + Int64(periodCount)) * indicator.period
    }

    /// The earliest time at which banks can be asked: the last period's figures are known.
    public var dueTime: Int64 {
        indicator.dueTime(of: firstPeriod + Int64(periodCount) - 1)
    }

    /// The parts in which periods are summed, in their order.
    var parts: [Range<Int64>] {
        let size = Int64(max(1, Self.lanesMax / indicator.cellCount))
        let end = firstPeriod + Int64(periodCount)
        return stride(from: firstPeriod, to: end, by: Int(size)).map {
            $0..<min($0 + size, end)
        }
    }
}

/// What is asked of the banks, in its byte form.
enum IndicatorQuery: Equatable {
    static let presenceKind = "indicator-presence"
    static let figuresKind = "indicator-figures"

    /// One lane a period and cell: is the bank active there?
    case presence(part: Range<Int64>)
    /// The measures of the permitted cells, in the order of periods and cells; one bit a period
    /// and cell says which.
    case figures(part: Range<Int64>, permitted: [UInt8])

    func bytes(_ plan: IndicatorPlan) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeFixed(plan.digest)
        switch self {
        case .presence(let part):
            writer.write(part.lowerBound)
            writer.write(UInt32(part.count))
        case .figures(let part, let permitted):
            writer.write(part.lowerBound)
            writer.write(UInt32(part.count))
            writer.write(permitted)
        }
        return writer.bytes
    }

    var kind: String {
        switch self {
        case .presence: Self.presenceKind
        case .figures: Self.figuresKind
        }
    }

    /// Reads a query that fits a plan.
    init(_ query: Query, _ plan: IndicatorPlan) throws(LearningError) {
        func refused(_ reason: String) -> LearningError {
            .unexpectedQuery(kind: String(query.kind.prefix(40)), reason: reason)
        }
        var reader = ByteReader(query.body)
        do throws(DecodingFailure) {
            guard try reader.readFixed(plan.digest.count) == plan.digest else {
                throw DecodingFailure.invalidValue(field: "plan", at: 0)
            }
            let first = try reader.readInt64()
            let count = Int64(try reader.read(UInt32.self))
            let (end, overflow) = first.addingReportingOverflow(count)
            guard !overflow, count > 0, plan.parts.contains(first..<end) else {
                throw DecodingFailure.invalidValue(field: "periods", at: plan.digest.count)
            }
            switch query.kind {
            case Self.presenceKind: self = .presence(part: first..<end)
            case Self.figuresKind:
                let bits = plan.indicator.cellCount * Int(count)
                let permitted = try reader.readBytes(limit: (bits + 7) / 8)
                guard permitted.count == (bits + 7) / 8,
                    bits % 8 == 0 || permitted[permitted.count - 1] >> UInt8(bits % 8) == 0
                else { throw DecodingFailure.invalidValue(field: "permitted", at: 0) }
                self = .figures(part: first..<end, permitted: permitted)
            default: throw DecodingFailure.invalidValue(field: "kind", at: 0)
            }
            try reader.finish()
        } catch {
            throw refused("it does not fit the plan: \(error)")
        }
    }

    /// The shape of the answer; `nil` when nothing is asked for.
    func layout(_ plan: IndicatorPlan, contributors: Int) -> VectorLayout? {
        switch self {
        case .presence(let part):
            return VectorLayout(
                laneCount: part.count * plan.indicator.cellCount, ringBits: 16)
        case .figures(_, let permitted):
            guard let ring = plan.indicator.ring(contributors: contributors) else { return nil }
            let cells = permitted.reduce(0) { $0 + $1.nonzeroBitCount }
            return VectorLayout(
                laneCount: cells * plan.indicator.measures.count, ringBits: ring.bits)
        }
    }
}
