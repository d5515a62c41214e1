import FedCore
import FedRuntime
import Foundation
import Testing

/// Windows of live transactions that survive the end of the process.
struct OnlineFeaturesTests {
    private let derivation: Derivation
    private let folder: String

    init() throws {
        func window(_ measure: WindowFigure.Measure, _ far: Int64, _ near: Int64 = 0)
            -> FedCore.Expression
        {
            .window(
                WindowFigure(measure, by: ["card"], window: TimeWindow(far: far, near: near)))
        }
        let values: [FedCore.Expression] = [
            window(.count, 60), window(.sum(column: "amount"), 300), window(.frauds, 200, 50),
            .indicator(
                IndicatorFigure(
                    indicator: "risk", measure: "count", window: TimeWindow(far: 600, near: 0))),
        ]
        derivation = try Derivation(
            name: "live", version: 1, description: "Live.", standard: "live", labelDelay: 50,
            ties: .arrival,
            columns: [
                RawColumn(name: "time", role: .time, kind: .integer),
                RawColumn(name: "card", role: .entity, kind: .integer),
                RawColumn(name: "amount", role: .amount, kind: .number),
                RawColumn(name: "fraud", role: .label, kind: .integer),
            ],
            indicators: [
                Indicator(
                    name: "risk", entity: "card", period: 100, delay: 0, floorBanks: 3,
                    floorWindow: 100, index: .range(first: 0, count: 4),
                    measures: [Indicator.Measure(name: "count", kind: .count, most: 9)])
            ],
            features: values.enumerated().map {
                Derivation.DerivedFeature(name: "f\($0)", value: $1)
            })
        folder = NSTemporaryDirectory() + "fed-online-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    private func row(_ index: Int) -> RawRow {
        RawRow(
            time: Int64(index * 7), number: Int64(index), isFraud: nil,
            numbers: [Double(index % 11)], entities: [EntityKey(Int64(index % 3))])
    }

    private func table(_ period: Int64) throws -> IndicatorTable {
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: period, periodCount: 1)
        var ledger = try IndicatorLedger(derivation, indicator: "risk")
        var row = row(1)
        row.time = period * 100
        ledger.add(row)
        return try IndicatorTable.plaintext(plan, ledgers: [ledger, ledger, ledger])
    }

    @Test func featuresAreTheSameWhereverTheProcessEnds() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var whole = DerivationState(derivation)
        let path = folder + "/online.sqlite"
        var online = try OnlineFeatures(path: path, derivation: derivation)
        var different = false
        for index in 0..<300 {
            let expected = try whole.apply(row(index))
            #expect(try online.apply(row(index)) == expected, "row \(index)")
            if expected[3] > 0 { different = true }
            if index % 5 == 4 {
                let time = Int64(index * 7)
                try whole.learn(row: Int64(index - 2), isFraud: true, at: time)
                try online.learn(row: Int64(index - 2), isFraud: true, at: time)
            }
            if index % 40 == 30 {
                let table = try table(Int64(index * 7 / 100))
                _ = try whole.publish(table)
                try online.publish(table)
            }
            if index % 23 == 11 {
                try online.flush()
                online = try OnlineFeatures(path: path, derivation: derivation)
            }
            if index == 150 { try online.snapshot() }
        }
        #expect(different, "the tables count")
        #expect(online.latestTime == whole.latestTime)
    }

    @Test func aCrashLosesWhatWasNotFlushedAndNoMore() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/online.sqlite"
        var online = try OnlineFeatures(path: path, derivation: derivation)
        for index in 0..<20 { _ = try online.apply(row(index)) }
        try online.flush()
        for index in 20..<30 { _ = try online.apply(row(index)) }
        let restarted = try OnlineFeatures(path: path, derivation: derivation)
        #expect(restarted.latestTime == row(19).time)
    }

    @Test func aRefusedRowIsNotRemembered() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/online.sqlite"
        var online = try OnlineFeatures(path: path, derivation: derivation)
        _ = try online.apply(row(5))
        #expect(throws: OnlineFeaturesError.self) { _ = try online.apply(row(4)) }
        try online.flush()
        var again = try OnlineFeatures(path: path, derivation: derivation)
        #expect(again.latestTime == row(5).time)
        _ = try again.apply(row(6))
    }

    @Test func theFileOfAnotherDerivationIsRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/online.sqlite"
        _ = try OnlineFeatures(path: path, derivation: derivation)
        let other = try Derivation(
            name: "live", version: 2, description: "Live.", standard: "live", labelDelay: 50,
            ties: .arrival, columns: derivation.columns,
            features: [Derivation.DerivedFeature(name: "hour", value: .hour)])
        #expect(throws: OnlineFeaturesError.derivation(.stateOfAnotherDerivation)) {
            _ = try OnlineFeatures(path: path, derivation: other)
        }
    }
}
