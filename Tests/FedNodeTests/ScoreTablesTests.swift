import FedCore
import FedCrypto
import FedNode
import FedRuntime
import FedService
import Foundation
import Testing

/// Where the scoring service finds tables of shared indicators.
struct ScoreTablesTests {
    private let folder: String
    private let derivation: Derivation

    init() throws {
        folder = NSTemporaryDirectory() + "fed-score-tables-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        derivation = try Derivation(
            name: "live", version: 1, description: "Live.", standard: "live", labelDelay: 50,
            ties: .arrival,
            columns: [
                RawColumn(name: "time", role: .time, kind: .integer),
                RawColumn(name: "card", role: .entity, kind: .integer),
                RawColumn(name: "fraud", role: .label, kind: .integer),
            ],
            indicators: [
                Indicator(
                    name: "risk", entity: "card", period: 100, delay: 0, floorBanks: 3,
                    floorWindow: 100, index: .range(first: 0, count: 4),
                    measures: [Indicator.Measure(name: "count", kind: .count, most: 9)])
            ],
            features: [
                Derivation.DerivedFeature(
                    name: "count",
                    value: .indicator(
                        IndicatorFigure(
                            indicator: "risk", measure: "count",
                            window: TimeWindow(far: 300, near: 0))))
            ])
    }

    private func table(_ period: Int64) throws -> IndicatorTable {
        let ledger = try IndicatorLedger(derivation, indicator: "risk")
        return try IndicatorTable.plaintext(
            try IndicatorPlan(derivation, indicator: "risk", firstPeriod: period, periodCount: 1),
            ledgers: [ledger, ledger, ledger])
    }

    @Test func `tables come from folders, files and the node, each under a key of its own`() throws
    {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let tables = try (0..<3).map { try table(Int64($0)) }
        try FileManager.default.createDirectory(
            atPath: folder + "/tables", withIntermediateDirectories: false)
        func write(_ table: IndicatorTable, _ name: String) throws {
            try AtomicFile.write(table.document.bytes, to: folder + "/" + name)
        }
        try write(tables[0], "tables/a.json")
        try write(tables[1], "b.json")
        let store = try NodeStore(path: folder + "/node.sqlite")
        let source = ScoreTables(paths: [folder + "/tables", folder + "/b.json"], node: store)
        #expect(try source.keys().count == 2)
        var record = RunRecord(
            run: try #require(RunID(bytes: [UInt8](repeating: 1, count: 16))),
            algorithm: AlgorithmConfiguration.indicatorsName, manifest: [],
            startedUnixMilliseconds: 1)
        record.modelSHA256 = SHA256.hash(tables[2].document.bytes).hexadecimal
        try store.runs.save(record)
        try store.runs.saveModel(
            tables[2].document.bytes, sha256: record.modelSHA256, run: record.run, at: 2)
        let keys = try source.keys()
        #expect(Set(keys).count == 3)
        #expect(try keys.map { try source.table($0, of: derivation) } == tables)

        try AtomicFile.write(Array("{}".utf8), to: folder + "/b.json")
        let changed = try source.keys()
        #expect(changed[0] == keys[0] && changed[1] != keys[1] && changed[2] == keys[2])
        #expect(throws: ServiceError.self) { try source.table(changed[1], of: derivation) }
        try FileManager.default.removeItem(atPath: folder + "/b.json")
        #expect(throws: ServiceError.self) { try source.keys() }
    }
}
