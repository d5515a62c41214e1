import FedCore
import Testing

/// Every kind of fault and its one line.
struct DataViolationTests {
    private static let header = "row,amount,hour,night,kind,fraud"
    private static let good = "1,2,3,0,1,0\n2,3,4,1,2,1\n"

    private func reading(
        _ text: String, options: CSVTableParser.Options = CSVTableParser.Options()
    ) throws -> Reading {
        Reading(Array(text.utf8), try exampleStandard(), options: options)
    }

    @Test(arguments: [
        ("3,abc,3,0,1,0", "bank.csv:4 column amount: expected a number in 0...50000, got \"abc\""),
        ("3,nan,3,0,1,0", "bank.csv:4 column amount: expected a number in 0...50000, got \"nan\""),
        (
            "3,1e999,3,0,1,0",
            "bank.csv:4 column amount: expected a number in 0...50000, got \"1e999\""
        ),
        (
            "3,50000.010,3,0,1,0",
            "bank.csv:4 column amount: expected a number in 0...50000, got \"50000.010\""
        ),
        ("3,,3,0,1,0", "bank.csv:4 column amount: expected a number in 0...50000, got nothing"),
        ("3,-1,3,0,1,0", "bank.csv:4 column amount: expected a number in 0...50000, got \"-1\""),
        (
            "3,1,3.5,0,1,0",
            "bank.csv:4 column hour: expected a whole number in 0...23, got \"3.5\""
        ),
        ("3,1,24,0,1,0", "bank.csv:4 column hour: expected a whole number in 0...23, got \"24\""),
        ("3,1,3,0.5,1,0", "bank.csv:4 column night: expected 0 or 1, got \"0.5\""),
        ("3,1,3,0,3,0", "bank.csv:4 column kind: expected one of 1, 2, 5, got \"3\""),
        ("3,1,3,0,1,2", "bank.csv:4 column fraud: expected 0 or 1, got \"2\""),
        ("3,1,3,0,1,", "bank.csv:4 column fraud: expected 0 or 1, got nothing"),
        ("3,1,3,0,1,yes", "bank.csv:4 column fraud: expected 0 or 1, got \"yes\""),
        (
            "3.5,1,3,0,1,0",
            "bank.csv:4 column row: expected a whole number within ±2^53, got \"3.5\""
        ),
        (",1,3,0,1,0", "bank.csv:4 column row: expected a whole number within ±2^53, got nothing"),
        ("3,1,3,0,1", "bank.csv:4: expected 6 fields, got 5"),
        ("3,1,3,0,1,0,", "bank.csv:4: expected 6 fields, got 7"),
        ("", "bank.csv:4: expected 6 fields, got an empty line"),
        (
            "3,\"1,3,0,1,0",
            "bank.csv:4: expected a closing quote, got the end of the record without one"
        ),
        (
            "3,\"a\u{7}\n\"\"b\",3,0,1,0",
            "bank.csv:4 column amount: expected a number in 0...50000, got \"a\u{FFFD}\u{FFFD}\"b\""
        ),
        (
            "3,0123456789012345678901234567890123456789z,3,0,1,0",
            "bank.csv:4 column amount: expected a number in 0...50000, "
                + "got \"0123456789012345678901234567890123456789…\""
        ),
    ])
    func aFaultyLineIsReported(line: String, message: String) throws {
        let reading = try reading("\(Self.header)\n\(Self.good)\(line)\n")
        #expect(reading.messages == [message])
    }

    @Test(arguments: [
        (
            "row,amount,hour,night,fraud", "2,3,4,1,1",
            ["bank.csv:1 column kind: expected the column, got no such column"]
        ),
        (
            "row,amount,hour,night,kind", "2,3,4,1,1",
            ["bank.csv:1 column fraud: expected the column, got no such column"]
        ),
        (
            "row,amount,hour,night,kind,fraud,secret", "2,3,4,1,1,1,9",
            [
                "bank.csv:1 column secret: expected columns of standard example only, "
                    + "got another column"
            ]
        ),
        (
            "row,amount,hour,night,kind,fraud,hour", "2,3,4,1,1,1,9",
            ["bank.csv:1 column hour: expected every column once, got it again"]
        ),
    ])
    func aFaultyHeaderIsReported(header: String, line: String, messages: [String]) throws {
        let reading = try reading("\(header)\n\(line)\n")
        #expect(reading.messages.filter { $0.contains(":1 ") } == messages)
    }

    @Test func filesWithoutRowsAreReported() throws {
        #expect(
            try reading("").messages == ["bank.csv: expected a header line and rows, got 0 bytes"])
        for end in ["", "\n", "\r\n"] {
            #expect(
                try reading(Self.header + end).messages
                    == ["bank.csv: expected rows below the header, got none"])
        }
    }

    @Test func aHeaderWithoutItsClosingQuoteIsTheOnlyFault() throws {
        #expect(
            try reading("\"row,amount,hour,night,kind,fraud\n\(Self.good)").messages
                == ["bank.csv:1: expected a closing quote, got the end of the record without one"])
    }

    @Test func constantColumnsAndOneClassAreWarnings() throws {
        let reading = try reading("\(Self.header)\n1,2,3,0,1,0\n2,2,4,1,2,0\n")
        #expect(
            reading.messages == [
                "bank.csv column amount: expected more than one value, got 2 in all 2 rows",
                "bank.csv column fraud: expected rows of both labels, got 0 frauds in 2 rows",
            ])
        #expect(reading.counts == [.constantColumn: 1, .oneClass: 1])
    }

    @Test func everyKindOfALineHasItsOwnName() throws {
        let lines = [
            "3,abc,3,0,1,0", "3,nan,3,0,1,0", "3,-1,3,0,1,0", "3,1,3.5,0,1,0", "3,1,3,0,3,0",
            "3,1,3,0,1,2", "3,,3,0,1,0", "3,1,3,0,1", "3,\"1,3,0,1,0",
        ]
        let kinds: [DataViolationKind] = [
            .notANumber, .notFinite, .outOfRange, .notAnInteger, .notACategory, .invalidLabel,
            .missingValue, .fieldCount, .truncatedQuote,
        ]
        for (line, kind) in zip(lines, kinds) {
            let reading = try reading("\(Self.header)\n\(Self.good)\(line)\n")
            #expect(reading.counts == [kind: 1], "\(line)")
        }
    }

    @Test func unknownColumnsCanBePassedOver() throws {
        var options = CSVTableParser.Options()
        options.ignoresUnknownColumns = true
        let text = """
            note,row,amount,hour,night,kind,fraud,note
            "a, ""b""
            c",1,2,3,0,1,0,
            plain,2,3,4,1,2,1,"x"

            """
        let reading = try reading(text, options: options)
        #expect(reading.messages == [])
        #expect(reading.rowNumbers == [1, 2])
        #expect(reading.columns[0] == [2.0, 3.0].map(\.bitPattern))
    }

    @Test func unlabelledRowsCanBeReadForScoring() throws {
        var options = CSVTableParser.Options()
        options.requiresLabel = false
        let reading = try reading(
            "row,amount,hour,night,kind\n1,2,3,0,1\n2,3,4,1,2\n", options: options)
        #expect(reading.messages == [])
        #expect(reading.labels == [0, 0])
    }

    @Test func allViolationsAreCountedAndTheFirstOnesKeptInOrder() throws {
        var text = Self.header + "\n"
        for row in 0..<3000 { text += "\(row),\(row),\(row % 30),0,\(row % 3),\(row % 2)\n" }
        let standard = try exampleStandard()
        let reading = Reading(Array(text.utf8), standard, limit: 5)
        // Hours 24 to 29, and the kind 0.
        #expect(reading.counts[.outOfRange] == 600)
        #expect(reading.counts[.notACategory] == 1000)
        #expect(
            reading.messages == [
                "bank.csv:2 column kind: expected one of 1, 2, 5, got \"0\"",
                "bank.csv:5 column kind: expected one of 1, 2, 5, got \"0\"",
                "bank.csv:8 column kind: expected one of 1, 2, 5, got \"0\"",
                "bank.csv:11 column kind: expected one of 1, 2, 5, got \"0\"",
                "bank.csv:14 column kind: expected one of 1, 2, 5, got \"0\"",
            ])
    }

    @Test func aQuoteWithoutAnEndDoesNotSwallowTheFile() throws {
        var text = Self.header + "\n1,\"2,3,0,1,0\n"
        for row in 2..<40000 { text += "\(row),\(row),\(row % 24),\(row % 2),\(row % 2 + 1),0\n" }
        let reading = try reading(text + "40000,1,1,1,1,1\n")
        #expect(
            reading.messages == [
                "bank.csv:2: expected a closing quote, got the end of the record without one"
            ])
        #expect(reading.labels.count == 39999)
    }
}
