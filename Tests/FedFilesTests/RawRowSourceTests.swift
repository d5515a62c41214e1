import FedCore
import FedFiles
import Foundation
import GRDB
import Testing

private let derivationText = """
    {
      "format": "fed-derivation/1", "name": "cards", "version": 1, "description": "Cards.",
      "standard": "cards", "label_delay": 600, "ties": "together",
      "columns": [
        {"name": "row", "role": "row", "type": "integer"},
        {"name": "time", "role": "time", "type": "integer"},
        {"name": "card", "role": "entity", "type": "text", "missing": "keep"},
        {"name": "amount", "role": "amount", "type": "number", "missing": "refuse"},
        {"name": "fraud", "role": "label", "type": "integer"}
      ],
      "features": [
        {"name": "amount", "value": {"op": "copy", "column": "amount"}},
        {"name": "rows", "value": {"op": "count", "by": ["card"],
          "window": {"far": 100, "near": 0}}}
      ]
    }
    """

private let standardText = """
    {
      "format": "fed-feature-standard/1", "name": "cards", "version": 1, "description": "Cards.",
      "row": "row", "label": "fraud",
      "features": [
        {"name": "amount", "type": "continuous", "unit": "EUR", "range": {"min": 0, "max": 500},
          "missing": {"policy": "refuse"}, "transform": "signed_log",
          "sensitivity": "confidential", "description": "Amount."},
        {"name": "rows", "type": "integer", "unit": "1", "range": {"min": 0, "max": 1000},
          "missing": {"policy": "refuse"}, "transform": "signed_log", "sensitivity": "personal",
          "description": "Rows."}
      ]
    }
    """

/// A table in memory.
private struct ListSource: RawRowSource {
    let name = "payments"
    let rows: [[RawValue]]
    var failsAtEnd = false

    func columnNames() -> [String] { ["id", "note", "time", "card", "amount", "fraud", "part"] }

    func forEachRow(
        _ body: ([RawValue]) throws(FeatureBuilderError) -> Bool
    ) throws(FeatureBuilderError) {
        for row in rows { guard try body(row) else { return } }
        if failsAtEnd { throw .sourceFailed(name: name, reason: "the disk is gone") }
    }
}

struct RawRowSourceTests {
    private let folder: TemporaryFolder
    private let derivation: Derivation
    private let standard: FeatureStandard

    init() throws {
        folder = try TemporaryFolder()
        derivation = try Derivation(json: Array(derivationText.utf8))
        standard = try FeatureStandard(json: Array(standardText.utf8))
    }

    private let rows: [[RawValue]] = (0..<200).map(RawRowSourceTests.row)

    private static func row(_ index: Int) -> [RawValue] {
        let card: RawValue = index % 11 == 0 ? .null : .text("K\(index % 5)")
        let fraud: Int64 = index % 9 == 0 ? 1 : 0
        let part = index < 100 ? "fit" : "test"
        return [
            .integer(Int64(index)), .text("a, \"b\"\n"), .integer(Int64(index / 3)), card,
            .real(Double(index) / 7), .integer(fraud), .text(part),
        ]
    }

    private func build(_ source: ListSource, _ folder: String) throws {
        try FeatureBuilder.build(
            source: source, mapping: ["row": "id"], derivation: derivation, standard: standard,
            output: .folder(folder, bank: "A"))
    }

    @Test func aTableGivesTheFilesThatItsExportGives() throws {
        func field(_ value: RawValue) -> String {
            switch value {
            case .null: ""
            case .integer(let number): "\(number)"
            case .real(let number): "\(number)"
            case .text(let text): text.hasPrefix("a") ? "x" : text
            }
        }
        let text = rows.map { $0.map(field).joined(separator: ",") }
        let csv = try folder.write(
            "raw.csv", "id,note,time,card,amount,fraud,part\n" + text.joined(separator: "\n"))
        for name in ["file", "table"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + name, withIntermediateDirectories: true)
        }
        try FeatureBuilder.build(
            raw: csv, mapping: ["row": "id"], derivation: derivation, standard: standard,
            output: .folder(folder.path + "/file", bank: "A"))
        try build(ListSource(rows: rows), folder.path + "/table")
        for part in ["fit", "test"] {
            func read(_ name: String) throws -> Data {
                try #require(
                    FileManager.default.contents(
                        atPath: folder.path + "/\(name)/bank_A_\(part).csv"))
            }
            #expect(try read("file") == read("table"))
            #expect(try read("file").count > 500)
        }
    }

    @Test func aFaultNamesTheTableTheRowAndTheColumn() throws {
        var faulty = rows
        faulty[7][4] = .text("much")
        let fault = #expect(throws: FeatureBuilderError.self) {
            try build(ListSource(rows: faulty), folder.path)
        }
        #expect(try #require(fault).description.contains("payments:9"))
        #expect(try #require(fault).description.contains("amount"))
        faulty = rows
        faulty[50][2] = .integer(1)
        #expect(
            throws: FeatureBuilderError.notInTimeOrder(file: "payments", line: 52, column: "time")
        ) { try build(ListSource(rows: faulty), folder.path) }
        #expect(
            throws: FeatureBuilderError.sourceFailed(name: "payments", reason: "the disk is gone")
        ) { try build(ListSource(rows: rows, failsAtEnd: true), folder.path) }
        #expect(throws: FeatureBuilderError.self) {
            try build(ListSource(rows: []), folder.path)
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/bank_A_fit.csv"))
    }

    // MARK: - Tables of a database

    /// Writes rows into a table, in another order than that of time.
    private func database(_ name: String, _ rows: [[RawValue]]) throws -> String {
        let path = folder.path + "/" + name
        let queue = try DatabaseQueue(path: path)
        try queue.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE "card payments" (
                        id INTEGER, note TEXT, time INTEGER, card TEXT, amount REAL, fraud INTEGER,
                        part TEXT)
                    """)
            for row in rows.reversed() {
                let values: [(any DatabaseValueConvertible)?] = row.map { value in
                    switch value {
                    case .null: nil
                    case .integer(let number): number
                    case .real(let number): number
                    case .text(let text): text
                    }
                }
                try database.execute(
                    sql: "INSERT INTO \"card payments\" VALUES (?, ?, ?, ?, ?, ?, ?)",
                    arguments: StatementArguments(values))
            }
        }
        return path
    }

    @Test func aTableOfADatabaseGivesTheBytesOfItsRowsInTheOrderOfTime() throws {
        for name in ["list", "table"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + name, withIntermediateDirectories: true)
        }
        try build(ListSource(rows: rows), folder.path + "/list")
        let path = try database("payments.sqlite", rows)
        let summary = try FeatureBuilder.build(
            raw: path + "?table=card payments", mapping: ["row": "id"], derivation: derivation,
            standard: standard, output: .folder(folder.path + "/table", bank: "A"))
        #expect(summary.rowsRead == rows.count)
        for part in ["fit", "test"] {
            let name = "bank_A_\(part).csv"
            #expect(
                FileManager.default.contents(atPath: folder.path + "/table/" + name)
                    == FileManager.default.contents(atPath: folder.path + "/list/" + name),
                "\(part)")
        }
    }

    @Test func whatCannotBeReadOfADatabaseIsNamed() throws {
        var faulty = rows
        faulty[7][4] = .text("much")
        let path = try database("faulty.sqlite", faulty)
        func failure(_ raw: String) -> String {
            do {
                try RawTransactions.forEach(
                    in: raw, mapping: ["row": "id"], derivation: derivation
                ) { _, _, _ in true }
                return "none"
            } catch {
                return error.description
            }
        }
        #expect(
            failure(path + "?table=card payments")
                == "faulty.sqlite?table=card payments:9 column amount: "
                + "expected a finite decimal number, got \"much\"")
        #expect(
            failure(path + "?table=cards")
                == "cannot read faulty.sqlite?table=cards: the database has no such table")
        #expect(
            failure(folder.path + "/none.sqlite?table=x").contains(
                "cannot read none.sqlite?table=x"))
    }

    @Test func readingEndsWhenTheTakerHasEnough() throws {
        let path = try database("payments.sqlite", rows)
        var taken = 0
        try RawTransactions.forEach(
            in: path + "?table=card payments", mapping: ["row": "id"], derivation: derivation
        ) { row, part, line in
            #expect(part == .history)
            #expect(line == taken + 2)
            #expect(row.number == Int64(taken))
            taken += 1
            return taken < 5
        }
        #expect(taken == 5)
    }

    @Test func aSingleTransactionIsReadByTheRulesOfFiles() throws {
        let reader = try RawRecordReader(derivation, mapping: ["row": "id"])
        #expect(reader.columnNames == ["id", "time", "card", "amount", "fraud"])
        let row = try reader.row([
            "id": .integer(7), "time": .integer(90), "card": .text("K1"), "amount": .real(2.5),
            "note": .text("passed over"),
        ])
        #expect(row.time == 90 && row.number == 7 && row.isFraud == nil)
        #expect(row.numbers == [2.5] && row.entities == [EntityKey(name: Array("K1".utf8))])
        for (values, words) in [
            (["id": .integer(1), "time": .integer(1)], "column amount: expected"),
            (["id": .integer(1), "amount": .real(1)], "column time: expected whole seconds"),
            (
                ["id": .integer(1), "time": .integer(1), "amount": .text("1,5")],
                "column amount: expected a finite decimal number, got \"1,5\""
            ),
        ] as [([String: RawValue], String)] {
            do {
                _ = try reader.row(values)
                Issue.record("\(words): nothing was thrown")
            } catch {
                #expect(error.description.contains(words), "\(error)")
            }
        }
    }
}
