import FedCore
import FedFiles
import Foundation
import Testing

/// A bank's cards: names of its own, a few columns that nobody asked for.
private let derivationText = """
    {
      "format": "fed-derivation/1", "name": "cards", "version": 1, "description": "Cards.",
      "standard": "cards", "label_delay": 600, "ties": "together",
      "columns": [
        {"name": "row", "role": "row", "type": "integer"},
        {"name": "time", "role": "time", "type": "integer"},
        {"name": "card", "role": "entity", "type": "text", "missing": "keep"},
        {"name": "amount", "role": "amount", "type": "number", "missing": "refuse"},
        {"name": "kind", "role": "category", "type": "text", "missing": "keep",
          "levels": ["chip", "net"]},
        {"name": "part", "role": "part", "type": "text"},
        {"name": "fraud", "role": "label", "type": "integer"}
      ],
      "features": [
        {"name": "amount", "value": {"op": "copy", "column": "amount"}},
        {"name": "net", "value": {"op": "one_hot", "column": "kind", "level": 1}},
        {"name": "rows", "value": {"op": "count", "by": ["card"],
          "window": {"far": 1000, "near": 0}}},
        {"name": "mean", "value": {"op": "mean", "column": "amount", "by": ["card"],
          "window": {"far": 1000, "near": 0}}},
        {"name": "risk", "value": {"op": "fraud_share", "by": ["card", "kind"],
          "window": {"far": 2000, "after_label_delay": true}}}
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
        {"name": "net", "type": "binary", "unit": "1", "range": {"min": 0, "max": 1},
          "missing": {"policy": "refuse"}, "transform": "identity", "sensitivity": "internal",
          "description": "Online."},
        {"name": "rows", "type": "integer", "unit": "1", "range": {"min": 0, "max": 1000},
          "missing": {"policy": "refuse"}, "transform": "signed_log", "sensitivity": "personal",
          "description": "Rows."},
        {"name": "mean", "type": "continuous", "unit": "EUR", "range": {"min": 0, "max": 500},
          "missing": {"policy": "refuse"}, "transform": "signed_log", "sensitivity": "personal",
          "description": "Mean."},
        {"name": "risk", "type": "continuous", "unit": "1", "range": {"min": 0, "max": 1},
          "missing": {"policy": "refuse"}, "transform": "signed_log", "sensitivity": "personal",
          "description": "Risk."}
      ]
    }
    """

struct FeatureBuilderTests {
    private let folder: TemporaryFolder
    private let derivation: Derivation
    private let standard: FeatureStandard

    init() throws {
        folder = try TemporaryFolder()
        derivation = try Derivation(json: Array(derivationText.utf8))
        standard = try FeatureStandard(json: Array(standardText.utf8))
    }

    private let mapping = ["time": "booked", "card": "Card No", "kind": "channel"]
    private let header = "channel,row,note,booked,Card No,amount,part,fraud\n"

    @discardableResult
    private func build(
        _ text: String, mapping: [String: String]? = nil, partColumn: String? = nil,
        output: FeatureBuilder.Output? = nil
    ) throws -> FeatureBuilder.Summary {
        let raw = try folder.write("raw.csv", text)
        return try FeatureBuilder.build(
            raw: raw, mapping: mapping ?? self.mapping, derivation: derivation,
            standard: standard, output: output ?? .folder(folder.path, bank: "A"),
            partColumn: partColumn)
    }

    private func read(_ name: String) throws -> String {
        let data = try #require(FileManager.default.contents(atPath: folder.path + "/" + name))
        return String(decoding: data, as: UTF8.self)
    }

    @Test func rowsGoToTheFilesOfTheirParts() throws {
        let summary = try build(
            header + """
                chip,1,x,0,K1,10,history,1
                net,2,,500,K1,20.5,fit,0
                "net",3,"a, ""b"", c",500,"K1",3,fit,1\r
                moon,4,,700,,1e2,valid,0
                chip,5,,700,K1,0.125,test,0
                """)
        let fit = """
            row,amount,net,rows,mean,risk,fraud
            2,20.5,1,3,11.16667,0,0
            3,3,1,3,11.16667,0,1

            """
        #expect(try read("bank_A_fit.csv") == fit)
        let valid = """
            row,amount,net,rows,mean,risk,fraud
            4,100,0,0,0,0,0

            """
        #expect(try read("bank_A_valid.csv") == valid)
        let test = """
            row,amount,net,rows,mean,risk,fraud
            5,0.125,0,4,8.40625,1,0

            """
        #expect(try read("bank_A_test.csv") == test)
        #expect(summary.rowsRead == 5)
        #expect(summary.rowsWritten.values.sorted() == [1, 1, 2])
        #expect(summary.fraudsWritten[folder.path + "/bank_A_fit.csv"] == 1)
    }

    @Test func allRowsGoToOneFileWhateverTheirPart() throws {
        let text = "row,time,card,amount,kind,fraud\n1,0,a,5,chip,\n2,3,a,7,net,1\n"
        let path = folder.path + "/live.csv"
        try build(text, mapping: [:], output: .file(path))
        #expect(
            try read("live.csv") == """
                row,amount,net,rows,mean,risk,fraud
                1,5,0,1,5,0,
                2,7,1,2,6,0,1

                """)
    }

    @Test func aLargeFileIsTheSameAsTheStateRowByRow() throws {
        var random = SystemlessRandom(state: 5)
        var text = header
        var rows: [RawRow] = []
        var time = 0
        while text.utf8.count < 2 * BlockReader.blockBytes + 1000 {
            time += random.next() % 4 == 0 ? 0 : Int(random.next() % 90)
            let card = "card \(random.next() % 40)"
            let amount = Double(random.next() % 50_000) / 100
            let kind = Int(random.next() % 2)
            let isFraud = random.next() % 10 == 0
            text += "\(kind == 0 ? "chip" : "net"),\(rows.count),,\(time),\(card),\(amount),"
            text += "\(rows.count % 3),\(isFraud ? 1 : 0)\n"
            rows.append(
                RawRow(
                    time: Int64(time), number: Int64(rows.count), isFraud: isFraud,
                    numbers: [amount, Double(kind)], entities: [EntityKey(name: Array(card.utf8))]))
        }
        try build(text)
        var state = DerivationState(derivation)
        var expected: [[Double]] = []
        var start = 0
        while start < rows.count {
            let end = rows[start...].firstIndex { $0.time != rows[start].time } ?? rows.count
            expected += try state.apply(together: Array(rows[start..<end]))
            start = end
        }
        var seen = 0
        var faults: [String] = []
        for part in ["fit", "valid", "test"] {
            let data = try DatasetLoader.load(
                path: folder.path + "/bank_A_\(part).csv", standard: standard)
            for (index, row) in data.rowNumbers.enumerated() {
                for feature in standard.features.indices {
                    let value = data.columns[feature][index]
                    let wanted = expected[Int(row)][feature]
                    let isClose = abs(value - wanted) <= 5.1e-7 * abs(wanted)
                    if !isClose { faults.append("row \(row), feature \(feature): \(value)") }
                }
                if (data.labels[index] == 1) != rows[Int(row)].isFraud {
                    faults.append("row \(row): label")
                }
            }
            seen += data.rowNumbers.count
        }
        #expect(seen == rows.count)
        #expect(faults.prefix(5) == [])
    }

    @Test(arguments: [
        (
            "chip,1,,0,K1,abc,fit,0",
            "raw.csv:2 column amount: expected a finite decimal number, got \"abc\""
        ),
        (
            "chip,1,,0,K1,nan,fit,0",
            "raw.csv:2 column amount: expected a finite decimal number, got \"nan\""
        ),
        (
            "chip,1,,0,K1,0x10,fit,0",
            "raw.csv:2 column amount: expected a finite decimal number, got \"0x10\""
        ),
        (
            "chip,1,,0,K1,1e999,fit,0",
            "raw.csv:2 column amount: expected a finite decimal number, got \"1e999\""
        ),
        ("chip,1,,0,K1,,fit,0", "raw.csv:2 column amount: expected a number, got \"\""),
        (
            "chip,1,,0.5,K1,1,fit,0",
            "raw.csv:2 column booked: expected whole seconds within ±2^52, got \"0.5\""
        ),
        ("chip,1,,1e300,K1,1,fit,0", "raw.csv:2 column booked: expected whole seconds"),
        (
            "chip,1,,9,K1,1,fit,0\nchip,2,,8,K1,1,fit,0",
            "raw.csv:3 column booked: expected rows in the order of time, got an older one"
        ),
        (
            "chip,1,,0,K1,1,train,0",
            "raw.csv:2 column part: expected fit, valid, test, history or 0, 1, 2, -1, got \"train\""
        ),
        ("chip,1,,0,K1,1,fit,2", "raw.csv:2 column fraud: expected 0, 1 or nothing, got \"2\""),
        (
            "chip,1,,0,K1,1,fit,",
            "raw.csv:2 column fraud: expected 0 or 1 in rows to be trained on or tested, got nothing"
        ),
        ("chip,x,,0,K1,1,fit,0", "raw.csv:2 column row: expected a whole number, got \"x\""),
        ("chip,1,,0,K1,1,fit", "raw.csv:2: expected 8 fields, got 7"),
        (
            "chip,1,\"x,0,K1,1,fit,0",
            "raw.csv:2: expected a closing quote, got the end of the line without one"
        ),
        (
            "chip,1,,0,K1,600,fit,0",
            "raw.csv:2 column amount: expected a number in 0...500, got 600.0"
        ),
        (
            "chip,1,,0,K1,2e13,history,0",
            "raw.csv:2: column amount: expected a number within 1000000000000"
        ),
        ("", "raw.csv: expected rows below the header, got none"),
    ])
    func aFaultIsNamedWithItsPlaceAndLeavesNoFile(rows: String, message: String) throws {
        let error = #expect(throws: FeatureBuilderError.self) { try build(header + rows) }
        let text = try #require(error).description
        #expect(text.contains(message), "\(text)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["raw.csv"])
    }

    @Test func aFaultAfterRowsWereWrittenLeavesEarlierFilesAsTheyWere() throws {
        let old = try folder.write("bank_A_fit.csv", "old")
        #expect(throws: FeatureBuilderError.self) {
            try build(header + "chip,1,,0,K1,1,fit,0\nchip,2,,9,K1,1,fit,0\nchip,3,,9,K1,x,fit,0\n")
        }
        #expect(try read("bank_A_fit.csv") == "old")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(names) == ["bank_A_fit.csv", "raw.csv"])
        _ = old
    }

    @Test func faultsOfTheCallAreNamed() throws {
        let rows = header + "chip,1,,0,K1,1,fit,0\n"
        func message(_ call: () throws -> Void) throws -> String {
            try #require(#expect(throws: FeatureBuilderError.self) { try call() }).description
        }
        #expect(
            try message { try build(rows, mapping: ["time": "booked", "kinds": "x"]) }
                == "mapping: the derivation has no raw column \"kinds\"")
        #expect(
            try message { try build(rows, mapping: [:]) }
                == "raw.csv:1 column time: expected the column, got no such column")
        #expect(
            try message { try build(rows, partColumn: "set") }
                == "raw.csv:1 column set: expected the column, got no such column")
        #expect(
            try message { try build("row," + rows) }
                == "raw.csv:1 column row: expected every column once, got it again")
        #expect(
            try message { try build(rows, output: .folder(folder.path, bank: "../A")) }
                .contains("bank: expected 1 to 63 letters"))
        #expect(
            try message { try build(rows, output: .folder(folder.path + "/none", bank: "A")) }
                .contains("cannot write"))
        #expect(
            try message { try build("") } == "raw.csv: expected a header line and rows, got 0 bytes"
        )
        #expect(
            try message {
                _ = try FeatureBuilder.build(
                    raw: folder.path + "/none.csv", derivation: derivation, standard: standard,
                    output: .file(folder.path + "/x.csv"))
            } == "none.csv: expected a file, got none")
        #expect(
            try message {
                _ = try FeatureBuilder.build(
                    raw: "", derivation: derivation, standard: try smallStandard(),
                    output: .file(""))
            } == "the derivation feeds standard cards, expected small")
    }

    @Test func numbersAreWrittenAsTheLibraryWritesThem() throws {
        var random = SystemlessRandom(state: 9)
        var amounts: [Double] = [
            0, 0.1, 1e-9, 0.00012345678, 99.999995, 2.5e-5, 499.99999999, 1.0000005,
        ]
        for index in 0..<4000 {
            let scale = pow(10, Double(index % 13) - 9)
            amounts.append(Double(random.next() % 1_000_000_007) / 1_000_000_007 * 4 * scale / 10)
        }
        var text = "row,time,card,amount,kind,fraud\n"
        for (index, amount) in amounts.enumerated() {
            text += "\(index),\(index),a,\(amount),net,0\n"
        }
        try build(text, mapping: [:], output: .file(folder.path + "/out.csv"))
        let lines = try read("out.csv").split(separator: "\n").dropFirst()
        #expect(lines.count == amounts.count)
        for (line, amount) in zip(lines, amounts) {
            let field = line.split(separator: ",")[1]
            #expect(field == String(format: "%.7g", amount))
        }
    }
}

/// A small seeded generator for test inputs.
private struct SystemlessRandom {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 33
    }
}
