import FedCore
import FedCrypto
import FedService
import Foundation
import Logging
import Synchronization
import Testing

/// Shared indicators at a service that is running: tables come as the banks publish them.
@Suite("Live transactions are scored with the tables of now")
struct TableTests {
    /// Tables that a test hands over one by one.
    private final class Published: TableSource {
        private let tables = Mutex<[TableKey: Result<IndicatorTable, ServiceError>]>([:])

        func keys() -> [TableKey] { tables.withLock { Array($0.keys) } }

        func table(
            _ key: TableKey, of derivation: Derivation
        ) throws(ServiceError) -> IndicatorTable {
            guard let found = tables.withLock({ $0[key] }) else {
                throw .unreadable(path: key.place, reason: "it is gone")
            }
            return try found.get()
        }

        func add(_ table: Result<IndicatorTable, ServiceError>) {
            tables.withLock { $0[TableKey(place: "\($0.count)", version: "1")] = table }
        }
    }

    private let derivation: Derivation
    private let folder: ScratchFolder
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    private let secrets: IndicatorSecrets
    private let published = Published()

    init() throws {
        derivation = try Derivation(
            name: "live", version: 1, description: "Live.", standard: "live", labelDelay: 50,
            ties: .arrival,
            columns: [
                RawColumn(name: "time", role: .time, kind: .integer),
                RawColumn(name: "payee", role: .entity, kind: .integer),
                RawColumn(name: "fraud", role: .label, kind: .integer),
            ],
            indicators: [
                Indicator(
                    name: "risk", entity: "payee", period: 100, delay: 0, floorBanks: 3,
                    floorWindow: 100, index: .sketch(width: 64, depth: 2),
                    measures: [Indicator.Measure(name: "count", kind: .count, most: 9)])
            ],
            features: [
                Derivation.DerivedFeature(
                    name: "payments",
                    value: .indicator(
                        IndicatorFigure(
                            indicator: "risk", measure: "count",
                            window: TimeWindow(far: 300, near: 0))))
            ])
        folder = try ScratchFolder()
        var key = [UInt8](repeating: 7, count: IndicatorSecrets.keyByteCount)
        secrets = try IndicatorSecrets(key: SecretBytes(wiping: &key))
    }

    private func deriver(_ secrets: IndicatorSecrets) throws -> RawDeriver {
        try RawDeriver(
            derivation, path: folder.file("raw.sqlite"), tables: published, secrets: secrets,
            logger: logger)
    }

    /// What three banks with one payment each to payee 5 sum in a period.
    private func table(_ period: Int64, payments: Int = 1) throws -> IndicatorTable {
        let plan = try IndicatorPlan(
            derivation, indicator: "risk", firstPeriod: period, periodCount: 1,
            keyCheck: secrets.keyCheck)
        var ledger = try IndicatorLedger(derivation, indicator: "risk", secrets: secrets)
        for index in 0..<payments {
            ledger.add(
                RawRow(
                    time: period * 100 + Int64(index), number: Int64(index), isFraud: nil,
                    numbers: [], entities: [EntityKey(5)]))
        }
        return try IndicatorTable.plaintext(plan, ledgers: [ledger, ledger, ledger])
    }

    private func payments(_ deriver: RawDeriver, _ id: String, _ time: Int64) async throws -> Double
    {
        let rows = try await deriver.derive([
            RawDeriver.Asked(
                id: id, document: .object(["time": .integer(time), "payee": .integer(5)]),
                place: "")
        ])
        return try #require(rows.first?.first)
    }

    @Test func tablesCountFromWhenTheyCome() async throws {
        published.add(.success(try table(9)))
        let first = try deriver(secrets)
        #expect(try await payments(first, "a", 1000) == 3)
        published.add(.success(try table(8, payments: 2)))
        #expect(try await payments(first, "b", 1001) == 3, "nobody has looked yet")
        await first.takeTables()
        #expect(try await payments(first, "c", 1002) == 9)
        await first.takeTables()
        #expect(try await payments(first, "d", 1003) == 9, "a table counts once")
        #expect(try await payments(try deriver(secrets), "e", 1004) == 9, "after a restart")
    }

    @Test func aTableOfNoUseIsPassedOver() async throws {
        let deriver = try deriver(secrets)
        published.add(.failure(.invalid(path: "x", reason: "no table")))
        published.add(.success(try table(9)))
        await deriver.takeTables()
        #expect(try await payments(deriver, "a", 1000) == 3)
    }

    @Test func cellsOfASketchAreFoundWithTheKeyOnly() async throws {
        published.add(.success(try table(9)))
        #expect(throws: ServiceError.self) { try deriver(.none) }
        var key = [UInt8](repeating: 8, count: IndicatorSecrets.keyByteCount)
        let other = try IndicatorSecrets(key: SecretBytes(wiping: &key))
        #expect(try await payments(try deriver(other), "a", 1000) == 0)
    }
}
