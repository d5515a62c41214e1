internal import FedCrypto

/// The published sums of an indicator: which cells, which figures, of which periods.
///
/// A document that every bank gets: canonical JSON, named by its SHA-256. Cells below the floor are
/// not in it.
public struct IndicatorTable: Equatable, Sendable {
    /// The format of the document and its version.
    public static let format = "fed-indicator-table/1"

    /// The sums of one period.
    public struct Period: Equatable, Sendable {
        /// The number of the period.
        public let number: Int64
        /// Cells that reached the floor, those without any figure included.
        public internal(set) var permittedCount: Int
        /// Cells with a figure other than 0, ascending.
        public internal(set) var cells: [Int32]
        /// One list a measure, each as long as ``cells``.
        public internal(set) var values: [[Int64]]

        static func empty(_ number: Int64, _ indicator: Indicator) -> Period {
            Period(
                number: number, permittedCount: 0, cells: [],
                values: indicator.measures.map { _ in [] })
        }
    }

    /// The indicator's name.
    public let indicator: String
    /// The names of the measures, in the order of ``Period/values``.
    public let measures: [String]
    /// SHA-256 of the indicator's declaration, 32 bytes.
    public let indicatorSHA256: [UInt8]
    /// The version of these figures, from 1; a greater one replaces a lesser.
    public let revision: Int
    /// Banks in the roster of the run.
    public let banks: Int
    /// SHA-256 of the manifest of the run, 32 bytes.
    public let manifestHash: [UInt8]?
    /// The periods, ascending.
    public let periods: [Period]

    init(_ plan: IndicatorPlan, banks: Int, periods: [Period], manifestHash: [UInt8]?) {
        indicator = plan.indicator.name
        measures = plan.indicator.measures.map(\.name)
        indicatorSHA256 = plan.indicatorSHA256
        revision = plan.revision
        self.banks = banks
        self.manifestHash = manifestHash
        self.periods = periods
    }

    /// The canonical file.
    public var document: ModelDocument {
        func list(_ values: [Int64]) -> CanonicalJSON { .array(values.map { .integer($0) }) }
        var members: [String: CanonicalJSON] = [
            "format": .string(Self.format),
            "indicator": .string(indicator),
            "measures": .array(measures.map { .string($0) }),
            "indicator_sha256": .string(indicatorSHA256.hexadecimal),
            "revision": .integer(Int64(revision)),
            "banks": .integer(Int64(banks)),
            "periods": .array(
                periods.map {
                    .object([
                        "period": .integer($0.number),
                        "permitted": .integer(Int64($0.permittedCount)),
                        "cells": list($0.cells.map(Int64.init)),
                        "values": .array($0.values.map(list)),
                    ])
                }),
        ]
        if let manifestHash { members["manifest_sha256"] = .string(manifestHash.hexadecimal) }
        return ModelDocument(bytes: CanonicalJSON.object(members).bytes)
    }

    /// Reads a table of an indicator of a derivation.
    ///
    /// - Throws: ``IndicatorError/notATable(reason:)`` for anything that is not exactly the
    ///   canonical file; ``IndicatorError/tableOfAnotherIndicator(expected:)`` for one that does
    ///   not belong to the derivation.
    public init(bytes: [UInt8], derivation: Derivation) throws(IndicatorError) {
        try self.init(bytes: bytes, of: derivation.indicators)
    }

    /// Reads the table that a run of a plan has given.
    ///
    /// - Throws: as ``init(bytes:derivation:)``; also for other periods than the plan's.
    public init(bytes: [UInt8], plan: IndicatorPlan) throws(IndicatorError) {
        try self.init(bytes: bytes, of: [plan.indicator])
        guard periods.first?.number == plan.firstPeriod, periods.count == plan.periodCount,
            revision == plan.revision
        else { throw .tableOfAnotherIndicator(expected: plan.indicator.name) }
    }

    private init(bytes: [UInt8], of indicators: [Indicator]) throws(IndicatorError) {
        let file = try IndicatorTableScanner.file(bytes)
        guard file.format == Self.format else {
            throw .notATable(reason: "its format is not \(Self.format)")
        }
        indicator = file.indicator
        measures = file.measures
        indicatorSHA256 = file.indicatorSHA256
        revision = file.revision
        banks = file.banks
        manifestHash = file.manifestSHA256
        periods = file.periods
        guard let declared = indicators.first(where: { $0.name == file.indicator }),
            indicatorSHA256 == declared.sha256, declared.measures.map(\.name) == file.measures
        else { throw .tableOfAnotherIndicator(expected: String(file.indicator.prefix(40))) }
        try check(declared)
        guard document.bytes == bytes else {
            throw .notATable(reason: "the bytes are not the canonical form of what they say")
        }
    }

    private func check(_ declared: Indicator) throws(IndicatorError) {
        guard (1...1_000_000).contains(revision), (declared.floorBanks...(1 << 15)).contains(banks)
        else { throw .notATable(reason: "its revision or number of banks is out of bounds") }
        guard (1...IndicatorPlan.periodCountMax).contains(periods.count) else {
            throw .notATable(reason: "\(periods.count) periods")
        }
        for (index, period) in periods.enumerated() {
            guard period.number.magnitude <= 1 << 41,
                index == 0 || period.number == periods[index - 1].number + 1
            else { throw .notATable(reason: "its periods do not follow each other") }
            guard isSound(period, declared) else {
                throw .notATable(reason: "cells or values of period \(period.number)")
            }
        }
    }

    private func isSound(_ period: Period, _ declared: Indicator) -> Bool {
        let cells = period.cells
        guard (cells.count...declared.cellCount).contains(period.permittedCount),
            cells.allSatisfy({ (0..<declared.cellCount).contains(Int($0)) }),
            zip(cells, cells.dropFirst()).allSatisfy({ $0 < $1 }),
            period.values.count == declared.measures.count,
            period.values.allSatisfy({ $0.count == cells.count })
        else { return false }
        return zip(period.values, declared.measures).allSatisfy { values, measure in
            let most = measure.most * Int64(banks)
            return values.allSatisfy { (measure.isSigned ? -most...most : 0...most).contains($0) }
        }
    }
}
