internal import FedCrypto

/// What a bank remembers for ever of the periods that it let be summed: with whom, and on which
/// figures.
///
/// Two sums of one period over different banks give away, by their difference, what the banks that
/// came or went had contributed; two sums of other figures give away what has changed. So a period
/// is summed once. The same sum, of the same plan over the same banks and figures, may be asked for
/// again: a run that was cut short is repeated, and gives what the first would have given.
public struct SummedPeriods: Equatable, Sendable {
    /// In what a sum differs from an earlier one of the same period.
    public enum Difference: String, Equatable, Sendable {
        /// Other banks take part.
        case roster = "over another roster"
        /// Other periods are summed beside it.
        case plan = "together with other periods"
        /// This bank's figures have changed since.
        case figures = "with other figures of this bank"
        /// The figures are corrected, and this bank has not agreed to that.
        case revision = "in another revision"
    }

    private struct Entry: Equatable {
        let entity: String
        let indicator: [UInt8]
        let from: Int64
        let until: Int64
        let revision: UInt32
        let plan: [UInt8]
        let roster: [UInt8]
        let figures: [UInt8]
    }

    private var entries: [Entry] = []

    /// Nothing was summed.
    public init() {}

    /// Admits a plan, or says what stands against it.
    ///
    /// The result must be on disk before anything of the plan is answered.
    ///
    /// - Parameters:
    ///   - banks: the banks of the run, all of which every sum is over.
    ///   - figures: ``IndicatorLedger/digest(of:)`` of this bank.
    ///   - permitsCorrections: whether a greater revision may replace figures, over the same banks.
    /// - Throws: ``IndicatorError/summedBefore(entity:from:until:difference:)``.
    public mutating func admit(
        _ plan: IndicatorPlan, banks: [NodeID], figures: [UInt8], permitsCorrections: Bool = false
    ) throws(IndicatorError) {
        var writer = ByteWriter()
        writer.writeEach(banks.sorted()) { $0.write($1.name) }
        let seconds = plan.seconds
        let new = Entry(
            entity: plan.indicator.entity, indicator: plan.indicatorSHA256,
            from: seconds.lowerBound, until: seconds.upperBound,
            revision: UInt32(plan.revision), plan: plan.digest,
            roster: SHA256.hash(writer.bytes), figures: figures)
        for old in entries
        where old.entity == new.entity && old.from < new.until && new.from < old.until {
            guard let difference = Self.difference(new, old, permitsCorrections) else { continue }
            throw .summedBefore(
                entity: old.entity, from: max(old.from, new.from),
                until: min(old.until, new.until), difference: difference)
        }
        if !entries.contains(new) { entries.append(new) }
    }

    private static func difference(
        _ new: Entry, _ old: Entry, _ permitsCorrections: Bool
    ) -> Difference? {
        // Whatever is counted of an entity, other banks would show by the difference.
        guard new.roster == old.roster else { return .roster }
        guard new.indicator == old.indicator else { return nil }
        guard new.revision == old.revision else {
            return new.revision > old.revision && permitsCorrections ? nil : .revision
        }
        guard new.plan == old.plan else { return .plan }
        return new.figures == old.figures ? nil : .figures
    }

    /// The canonical bytes.
    public var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt8(1))
        writer.writeEach(entries) { writer, entry in
            writer.write(entry.entity)
            writer.write(entry.indicator)
            writer.write(entry.from)
            writer.write(entry.until)
            writer.write(entry.revision)
            writer.write(entry.plan)
            writer.write(entry.roster)
            writer.write(entry.figures)
        }
        return writer.bytes
    }

    /// Reads what ``bytes`` wrote.
    ///
    /// - Throws: ``DecodingFailure`` for anything else.
    public init(bytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        guard try reader.read(UInt8.self) == 1 else {
            throw .invalidValue(field: "format", at: 0)
        }
        entries = try reader.readEach(limit: 1 << 22) {
            (reader: inout ByteReader) throws(DecodingFailure) in
            Entry(
                entity: try reader.readString(limit: 256),
                indicator: try reader.readBytes(limit: 32), from: try reader.readInt64(),
                until: try reader.readInt64(), revision: try reader.read(UInt32.self),
                plan: try reader.readBytes(limit: 32), roster: try reader.readBytes(limit: 32),
                figures: try reader.readBytes(limit: 32))
        }
        try reader.finish()
    }
}
