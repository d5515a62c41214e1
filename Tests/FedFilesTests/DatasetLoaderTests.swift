import FedCore
import FedFiles
import Foundation
import Testing

struct DatasetLoaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func failure(_ path: String) throws -> DataFileError? {
        let standard = try smallStandard()
        return #expect(throws: DataFileError.self) {
            _ = try DatasetLoader.load(path: path, standard: standard)
        }
    }

    @Test func aFileOfSeveralBlocksIsReadWhole() throws {
        var text = "hour,row,amount,fraud\n"
        let rows = 200_000
        for row in 0..<rows {
            text += "\(row % 11 == 0 ? "" : String(row % 24)),\(row),\(row % 1000).25,"
            text += "\(row % 100 == 7 ? 1 : 0)\n"
        }
        #expect(text.utf8.count > 3 * BlockReader.blockBytes)
        let path = try folder.write("bank_A_fit.csv", text)
        let data = try DatasetLoader.load(path: path, standard: try smallStandard())
        #expect(data.rowCount == rows)
        #expect(data.fraudCount == rows / 100)
        #expect(data.rowNumbers == (0..<rows).map { Int64($0) })
        let amounts = (0..<rows).map { Double($0 % 1000) + 0.25 }
        #expect(data.columns[0] == amounts)
        var wrong: Int?
        for row in 0..<rows where wrong == nil {
            let hour = data.columns[1][row]
            let isRight = row % 11 == 0 ? hour.isNaN : hour == Double(row % 24)
            let label: UInt8 = row % 100 == 7 ? 1 : 0
            if !isRight || data.labels[row] != label { wrong = row }
        }
        #expect(wrong == nil)
    }

    @Test func aMissingFileIsSaid() throws {
        let error = try failure(folder.path + "/none.csv")
        #expect(error?.description == "none.csv: expected a file, got none")
    }

    @Test func aFolderIsNoFile() throws {
        let error = try failure(folder.path)
        guard case .violations(let first, 1) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(first.map(\.kind) == [.unreadableFile])
        #expect(first[0].got == "is a directory")
    }

    @Test func anEmptyFileIsSaid() throws {
        let error = try failure(try folder.write("a.csv", ""))
        #expect(error?.description == "a.csv: expected a header line and rows, got 0 bytes")
        let header = try failure(try folder.write("b.csv", "row,amount,hour,fraud\n"))
        #expect(header?.description == "b.csv: expected rows below the header, got none")
    }

    @Test func theErrorCarriesTheFirstFaultsAndTheirNumber() throws {
        var text = "row,amount,hour,fraud\n"
        for row in 0..<100 { text += "\(row),\(row < 50 ? "x" : "1"),1,\(row % 2)\n" }
        let path = try folder.write("c.csv", text)
        var options = DatasetLoader.Options()
        options.violationLimit = 3
        let standard = try smallStandard()
        let error = #expect(throws: DataFileError.self) {
            _ = try DatasetLoader.load(path: path, standard: standard, options: options)
        }
        #expect(
            error?.description == """
                c.csv:2 column amount: expected a number in 0...1000, got "x"
                c.csv:3 column amount: expected a number in 0...1000, got "x"
                c.csv:4 column amount: expected a number in 0...1000, got "x"
                and 47 more
                """)
    }

    @Test func aWrongHeaderEndsTheReading() throws {
        var text = "row,amount,minute,fraud\n"
        for row in 0..<200_000 { text += "\(row),1,1,0\n" }
        let error = try failure(try folder.write("d.csv", text))
        #expect(
            error?.description == """
                d.csv:1 column minute: expected columns of standard small only, got another column
                d.csv:1 column hour: expected the column, got no such column
                """)
    }

    @Test func warningsDoNotStopTheLoader() throws {
        let path = try folder.write("e.csv", "row,amount,hour,fraud\n1,2,3,0\n2,2,3,0\n")
        let data = try DatasetLoader.load(path: path, standard: try smallStandard())
        #expect(data.rowCount == 2)
        #expect(data.fraudCount == 0)
    }
}

struct DataCheckTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func check(_ text: String, limit: Int = 10) throws -> CheckReport {
        let path = try folder.write("bank.csv", text)
        return DataCheck.check(path: path, standard: try smallStandard(), limit: limit)
    }

    @Test func figuresOfColumnsAreThoseOfTheFile() throws {
        let report = try check("row,amount,hour,fraud\n1,2,3,0\n2,4.5,,1\n3,\"7\",5,0\n4,0.5,6,0\n")
        #expect(report.rowCount == 4)
        #expect(report.fraudCount == 1)
        #expect(report.exitKind == .clean)
        let amount = report.columns[0].summary
        #expect(amount.min == 0.5 && amount.max == 7 && amount.mean == 3.5)
        #expect(amount.missingShare == 0 && !amount.isWhole)
        let hour = report.columns[1].summary
        #expect(hour.min == 3 && hour.max == 6 && hour.mean == 14.0 / 3)
        #expect(hour.missingShare == 0.25 && hour.isWhole)
    }

    @Test func theExitKindIsTheWorstFinding() throws {
        #expect(try check("row,amount,hour,fraud\n1,2,3,0\n2,3,4,0\n").exitKind == .warnings)
        #expect(try check("row,amount,hour,fraud\n1,2,3,0\n2,x,4,0\n").exitKind == .violations)
        #expect(try check("").exitKind == .violations)
        let none = DataCheck.check(
            path: folder.path + "/none.csv", standard: try smallStandard())
        #expect(none.exitKind == .unreadable)
        #expect(CheckReport.ExitKind.clean < .warnings && .warnings < .violations)
    }

    @Test func theReportIsJSONWithEveryFinding() throws {
        let report = try check("row,amount,hour,fraud\n1,2,3,0\n77,x,4,1\n78,y,24,1\n", limit: 2)
        #expect(report.violations.counts == [.notANumber: 2, .outOfRange: 1])
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(report.jsonBytes)) as? [String: Any])
        #expect(json["result"] as? String == "violations")
        #expect(json["rows"] as? Int == 3)
        #expect(json["counts"] as? [String: Int] == ["not_a_number": 2, "out_of_range": 1])
        let violations = try #require(json["violations"] as? [[String: Any]])
        #expect(violations.count == 2)
        #expect(violations[0]["line"] as? Int == 3)
        #expect(violations[0]["row"] as? String == "77")
        #expect(violations[0]["column"] as? String == "amount")
        #expect(violations[0]["got"] as? String == "\"x\"")
        let columns = try #require(json["columns"] as? [[String: Any]])
        #expect(columns.map { $0["name"] as? String } == ["amount", "hour"])
        #expect(columns[1]["max"] as? Double == 24)
    }
}
