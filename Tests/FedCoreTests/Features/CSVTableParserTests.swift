import FedCore
import Foundation
import Testing

/// A small generator with a printable seed (SplitMix64, Steele and others 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// What a parser made of a text.
struct Reading: Equatable {
    var columns: [[UInt64]]
    var labels: [UInt8]
    var rowNumbers: [Int64]
    var messages: [String]
    var counts: [DataViolationKind: Int]

    /// Feeds a text in blocks that end at the given offsets.
    init(
        _ text: [UInt8], _ standard: FeatureStandard, cuts: [Int] = [], limit: Int = 1000,
        options: CSVTableParser.Options = CSVTableParser.Options()
    ) {
        var options = options
        options.violationLimit = limit
        var parser = CSVTableParser(standard: standard, file: "bank.csv", options: options)
        var start = 0
        for end in cuts + [text.count] {
            text[start..<end].withUnsafeBytes { parser.feed($0) }
            start = end
        }
        let dataset = parser.finish()
        columns = dataset.columns.map { $0.map { $0.isNaN ? .max : $0.bitPattern } }
        labels = dataset.labels
        rowNumbers = dataset.rowNumbers
        messages = parser.violations.first.map(\.description)
        counts = parser.violations.counts
    }
}

struct CSVTableParserTests {
    static let header = "row,amount,hour,night,kind,fraud\n"

    /// The messages for a header and lines.
    private func messages(_ lines: String, header: String = Self.header) throws -> [String] {
        let bytes = Array((header + lines).utf8)
        return Reading(bytes, try exampleStandard()).messages
    }

    @Test func columnsAreFoundByNameInAnyOrder() throws {
        let text = "kind,fraud,amount,row,night,hour\n5,1,12.5,901,0,23\n1,0,0.25,902,1,0\n"
        let reading = Reading(Array(text.utf8), try exampleStandard())
        #expect(
            reading.columns
                == [[12.5, 0.25], [23, 0], [0, 1], [5, 1]].map { $0.map(\.bitPattern) })
        #expect(reading.labels == [1, 0])
        #expect(reading.rowNumbers == [901, 902])
        #expect(reading.messages == [])
    }

    @Test func aFileWithoutRowNumbersIsFine() throws {
        let text = "amount,hour,night,kind,fraud\n1,2,0,1,0\n3,4,1,2,1\n"
        let reading = Reading(Array(text.utf8), try exampleStandard())
        #expect(reading.rowNumbers == [])
        #expect(reading.labels == [0, 1])
        #expect(reading.messages == [])
    }

    /// Files with everything that RFC 4180 allows, and with everything that is wrong.
    static let texts = [
        "\u{FEFF}row,amount,hour,night,kind,fraud\r\n1,2.5,,0,,0\r\n2,1e3,7,1,5,1\r\n3,\"4\",8,0,2,0",
        "\u{FEFF}\"row\",\"amount\",\"hour\",\"night\",\"kind\",\"fraud\"\n\"1\",\"2\",\"3\",\"0\",\"1\",\"1\"\n"
            + "2,3,4,1,2,0\n",
        "row,amount,hour,night,kind,fraud\n1,abc,3,0,1,0\n\n2,\"1\n2\",3,0,1,0\n3,4,\"5,0,1,0\n4,5,6,1,2,1\n",
        "row,amount,hour,night,kind,fraud\n1,60000,3,0,1,0\n2,3,4.5,2,3,1\n3,nan,inf,0,1,2\nx,1,1,1,1,1\n",
        "row,amount,hour,night,kind,fraud\n1,0.30000000000000004,3,0,1,0\n9007199254740991,1,1,1,1,1\n"
            + "12,1.7976931348623157e308,1,1,1,1",
        "\"row\n\",amount\n1,2\n",
        "",
        "\u{FEFF}",
        "row,amount,hour,night,kind,fraud",
    ]

    @Test(arguments: texts.indices)
    func everyPlaceOfABlockBoundaryGivesTheSame(index: Int) throws {
        let standard = try exampleStandard()
        let text = Array(Self.texts[index].utf8)
        let whole = Reading(text, standard)
        for cut in 0...text.count {
            #expect(Reading(text, standard, cuts: [cut]) == whole, "cut at \(cut)")
            let second = (cut + text.count) / 2
            #expect(Reading(text, standard, cuts: [cut, second]) == whole, "\(cut), \(second)")
        }
        #expect(Reading(text, standard, cuts: Array(0..<text.count)) == whole, "byte by byte")
    }

    @Test func spellingsOfNumbersAreReadAsStrtodDoes() throws {
        let standard = try numbersStandard()
        let spellings = [
            "0", "-0", "+1", "1.", ".5", "-.5", "00012", "1e0", "1E5", "1e+5", "1e-5", "123456789",
            "12345678.12345678", "99999999.99999999", "9007199254740993", "9007199254740992",
            "0.1", "0.30000000000000004", "2.2250738585072014e-308", "4.9e-324", "1e-400",
            "123456789012345678901234567890", "0.000000000000000000000000000000000001",
            "8.5e14", "999999999999999.9", "1e22", "1e-22", "12345678901234567e-20",
            "9007199254740993e-3", "0000000000000000000000001.5", "1.50000000000000000000000000",
        ]
        for spelling in spellings {
            let expected = strtod(spelling, nil)
            guard expected.magnitude <= 1e15 else { continue }
            let text = Array("x,fraud\n\(spelling),1\n".utf8)
            let reading = Reading(text, standard)
            #expect(reading.columns == [[expected.bitPattern]], "\(spelling)")
        }
    }

    @Test(arguments: [
        "x", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "1,5", "0x10", "1_000", " 1", "1 ", "--1",
        "1-", "1e5.", "1e1e1", "١", "1\u{0}", "\"", "1\"2\"",
    ])
    func whatIsNoNumberIsSaid(spelling: String) throws {
        let field = spelling.replacingOccurrences(of: "\"", with: "\"\"")
        let text = Array("x,fraud\n\"\(field)\",1\n2,0\n".utf8)
        let reading = Reading(text, try numbersStandard())
        #expect(reading.counts[.notANumber] == 1)
    }

    @Test(arguments: ["nan", "NaN", "-nan", "inf", "-Infinity", "1e999", "-1e400"])
    func whatIsNotFiniteIsSaid(spelling: String) throws {
        let text = Array("x,fraud\n\(spelling),1\n2,0\n".utf8)
        #expect(Reading(text, try numbersStandard()).counts[.notFinite] == 1)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func randomNumbersAreBitExact(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        var text = "x,fraud\n"
        var expected: [UInt64] = []
        for _ in 0..<3000 {
            let spelling = Self.randomSpelling(&generator)
            let value = strtod(spelling, nil)
            guard value.magnitude <= 1e15 else { continue }
            expected.append(value.bitPattern)
            text += "\(spelling),\(expected.count % 2)\n"
        }
        let reading = Reading(Array(text.utf8), try numbersStandard())
        #expect(reading.messages == [], "seed \(seed)")
        #expect(reading.columns == [expected], "seed \(seed)")
    }

    /// A number as programs write it, or of random digits, or near the middle of two doubles.
    private static func randomSpelling(_ generator: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: return "\(Double.random(in: -1e6...1e6, using: &generator))"
        case 1: return "\(Int.random(in: -100_000...100_000, using: &generator))"
        case 2: return String(format: "%.7g", Double.random(in: -500...500, using: &generator))
        case 3:
            let value = Double(bitPattern: generator.next())
            let bounded = value.isFinite && value.magnitude < 1e15 ? value : 0.5
            // 17 digits more than needed, at the middle of two doubles at times.
            let middle = (bounded + bounded.nextUp) / 2
            return String(format: "%.25g", Bool.random(using: &generator) ? bounded : middle)
        default:
            let digits = Int.random(in: 1...22, using: &generator)
            var text = Bool.random(using: &generator) ? "-" : ""
            let point = Int.random(in: 0...digits, using: &generator)
            for position in 0..<digits {
                if position == point { text += "." }
                text += String(Int.random(in: 0...9, using: &generator))
            }
            let power = Int.random(in: -30...3, using: &generator)
            return Bool.random(using: &generator) ? text : text + "e\(power)"
        }
    }

    private func numbersStandard() throws -> FeatureStandard {
        try FeatureStandard(
            name: "numbers", version: 1, description: "Any number.",
            features: [
                Feature(
                    name: "x", type: .continuous, unit: "1", range: -1e15...1e15,
                    transform: .identity, sensitivity: .public, description: "x")
            ])
    }

    @Test(arguments: 0..<12 as Range<UInt64>)
    func randomFilesReadBack(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let standard = try exampleStandard()
        let rows = Int.random(in: 1...6000, using: &generator)
        let lineEnd = Bool.random(using: &generator) ? "\r\n" : "\n"
        var columns = [[UInt64]](repeating: [], count: 4)
        var labels: [UInt8] = []
        var text = "row,amount,hour,night,kind,fraud" + lineEnd
        for row in 0..<rows {
            let amount = Double.random(in: 0...50000, using: &generator)
            let isMissing = Int.random(in: 0..<50, using: &generator) == 0
            let hour = Int.random(in: 0...23, using: &generator)
            let night = Int.random(in: 0...1, using: &generator)
            let kind = [1, 2, 5].randomElement(using: &generator) ?? 1
            let label = UInt8.random(in: 0...1, using: &generator)
            let quote = Int.random(in: 0..<20, using: &generator) == 0 ? "\"" : ""
            text += "\(row * 7),\(quote)\(amount)\(quote),\(isMissing ? "" : String(hour)),"
            text += "\(night),\(quote)\(kind)\(quote),\(label)" + lineEnd
            columns[0].append(amount.bitPattern)
            columns[1].append(isMissing ? .max : Double(hour).bitPattern)
            columns[2].append(Double(night).bitPattern)
            columns[3].append(Double(kind).bitPattern)
            labels.append(label)
        }
        let bytes = Array(text.utf8)
        let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &generator) }.sorted()
        let reading = Reading(bytes, standard, cuts: cuts)
        #expect(reading.columns == columns, "seed \(seed)")
        #expect(reading.labels == labels, "seed \(seed)")
        #expect(reading.rowNumbers == (0..<rows).map { Int64($0) * 7 }, "seed \(seed)")
        #expect(rows < 50 || reading.messages == [], "seed \(seed)")
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func noDamagedFileTrapsAndCutsDoNotMatter(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let standard = try exampleStandard()
        var bytes = Array(Self.header.utf8)
        for row in 0..<40 { bytes += Array("\(row),\(row).5,\(row % 24),1,2,\(row % 2)\n".utf8) }
        let alphabet = Array("\"\",,\n\r.-e05x\u{FEFF}".utf8) + [0, 255]
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[position] = alphabet.randomElement(using: &generator) ?? 0
        }
        let whole = Reading(bytes, standard)
        for _ in 0..<20 {
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            #expect(Reading(bytes, standard, cuts: [cut]) == whole, "seed \(seed), cut \(cut)")
        }
    }
}
