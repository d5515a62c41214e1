import FedCore
import Foundation
import Testing

/// The document that most tests begin with.
let exampleStandardText = """
    {
      "format": "fed-feature-standard/1", "name": "example", "version": 3,
      "description": "Card transactions.", "row": "row", "label": "fraud",
      "features": [
        {"name": "amount", "type": "continuous", "unit": "EUR", "range": {"min": 0, "max": 50000},
         "missing": {"policy": "refuse"}, "transform": "signed_log",
         "sensitivity": "confidential", "description": "Amount."},
        {"name": "hour", "type": "integer", "unit": "h", "range": {"min": 0, "max": 23},
         "missing": {"policy": "impute", "value": 12}, "transform": "identity",
         "sensitivity": "public", "description": "Hour of the day."},
        {"name": "night", "type": "binary", "unit": "1", "range": {"min": 0, "max": 1},
         "missing": {"policy": "refuse"}, "transform": "identity",
         "sensitivity": "internal", "description": "1 at night."},
        {"name": "kind", "type": "categorical", "levels": [1, 2, 5], "unit": "1",
         "range": {"min": 1, "max": 5}, "missing": {"policy": "keep", "value": 2},
         "transform": "identity", "sensitivity": "personal", "description": "Kind of card."}
      ]
    }
    """

func exampleStandard() throws -> FeatureStandard {
    try FeatureStandard(json: Array(exampleStandardText.utf8))
}

/// Reads a file of the repository by its path from the root.
func repositoryFile(_ path: String, here: String = #filePath) throws -> [UInt8] {
    let folder = here.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    let file = folder.joined(separator: "/") + "/../../../" + path
    return [UInt8](try #require(FileManager.default.contents(atPath: file), "no file \(path)"))
}

struct FeatureStandardTests {
    @Test func aDocumentIsReadMemberByMember() throws {
        let standard = try exampleStandard()
        #expect(standard.name == "example")
        #expect(standard.version == 3)
        #expect(standard.description == "Card transactions.")
        #expect(standard.rowColumn == "row")
        #expect(standard.labelColumn == "fraud")
        #expect(
            standard.features == [
                Feature(
                    name: "amount", type: .continuous, unit: "EUR", range: 0...50000,
                    missing: .refuse, transform: .signedLog, sensitivity: .confidential,
                    description: "Amount."),
                Feature(
                    name: "hour", type: .integer, unit: "h", range: 0...23, missing: .impute(12),
                    transform: .identity, sensitivity: .public, description: "Hour of the day."),
                Feature(
                    name: "night", type: .binary, unit: "1", range: 0...1, missing: .refuse,
                    transform: .identity, sensitivity: .internal, description: "1 at night."),
                Feature(
                    name: "kind", type: .categorical(levels: [1, 2, 5]), unit: "1", range: 1...5,
                    missing: .keep(imputed: 2), transform: .identity, sensitivity: .personal,
                    description: "Kind of card."),
            ])
    }

    @Test func theHashIsTheSHA256OfTheCanonicalFormForEver() throws {
        // Made by Python: hashlib.sha256(json.dumps(d, sort_keys=True, separators=(",", ":")))
        #expect(
            try exampleStandard().sha256.hexadecimal
                == "4c369f48c90fc03988610f769996b9fa27213494e54e79914269b06135cd728b")
    }

    @Test func theHashDoesNotDependOnTheSpelling() throws {
        let standard = try exampleStandard()
        let respelt = exampleStandardText.split(separator: "\n").joined(separator: " \r\n\t")
            .replacingOccurrences(of: "50000", with: "5.0e4")
            .replacingOccurrences(of: "\"min\": 0,", with: "\"min\":-0.0,")
            .replacingOccurrences(of: "\"Amount.\"", with: "\"\\u0041mount.\"")
            .replacingOccurrences(
                of: "\"name\": \"example\", \"version\": 3,",
                with: "\"version\": 3, \"name\": \"example\",")
        #expect(respelt != exampleStandardText)
        let other = try FeatureStandard(json: Array(respelt.utf8))
        #expect(other == standard)
        #expect(other.sha256 == standard.sha256)
        #expect(try FeatureStandard(json: standard.canonicalBytes) == standard)
        #expect(try FeatureStandard(json: standard.readableBytes) == standard)
        #expect(standard.readableBytes.split(separator: 0x0A).count == 14)
    }

    @Test func anyOtherContentHasAnotherHash() throws {
        let changes = [
            ("\"version\": 3", "\"version\": 4"), ("\"max\": 23", "\"max\": 24"),
            ("\"value\": 12", "\"value\": 11"), ("[1, 2, 5]", "[1, 2, 4, 5]"),
            ("signed_log", "identity"), ("personal", "public"), ("EUR", "USD"),
            ("impute", "keep"), ("\"name\": \"hour\"", "\"name\": \"hours\""),
        ]
        var hashes: Set<[UInt8]> = [try exampleStandard().sha256]
        for (old, new) in changes {
            let text = exampleStandardText.replacingOccurrences(of: old, with: new)
            #expect(hashes.insert(try FeatureStandard(json: Array(text.utf8)).sha256).inserted)
        }
    }

    @Test(arguments: [
        (
            "\"version\": 3", "\"version\": 0",
            "version: expected a whole number in 1...1000000, got 0"
        ),
        ("\"version\": 3", "\"version\": 1.5", "version: expected a whole number"),
        ("\"version\": 3", "\"version\": \"3\"", "version: expected a whole number"),
        ("\"version\": 3", "\"revision\": 3", "revision: no such member in this format"),
        ("\"version\": 3,", "", "version: missing"),
        (
            "standard/1", "standard/2",
            "format: expected \"fed-feature-standard/1\", got \"fed-feature-standard/2\""
        ),
        (
            "\"example\"", "\"an example\"",
            "name: expected 1 to 63 ASCII letters, digits, _ - . beginning with a letter or _, "
                + "got \"an example\""
        ),
        (
            "\"unit\": \"h\"", "\"unit\": \"h\", \"Unit\": 1",
            "features[1].Unit: no such member in this format"
        ),
        (
            "\"unit\": \"h\"", "\"unit\": \"h\", \"unit\": \"s\"",
            "member \"unit\" stands twice in one object"
        ),
        ("\"unit\": \"h\"", "\"unit\": null", "features[1].unit: expected a string"),
        (
            "\"name\": \"hour\"", "\"name\": \"amount\"",
            "features[1].name: the name \"amount\" is taken"
        ),
        (
            "\"name\": \"hour\"", "\"name\": \"fraud\"",
            "features[1].name: the name \"fraud\" is taken"
        ),
        ("\"label\": \"fraud\"", "\"label\": \"row\"", "label: the name \"row\" is taken"),
        (
            "\"max\": 50000", "\"max\": 0",
            "features[0].range: expected min < max, got min 0, max 0"
        ),
        (
            "\"max\": 50000", "\"max\": -1",
            "features[0].range: expected min < max, got min 0, max -1"
        ),
        (
            "\"max\": 50000", "\"max\": 1e16",
            "features[0].range.max: expected a number within ±1e15, got 1e+16"
        ),
        (
            "\"max\": 50000", "\"min\": 0",
            "features[0].range.max: missing"
        ),
        (
            "\"max\": 23", "\"max\": 23.5",
            "features[1].range: expected whole numbers, got 0...23.5"
        ),
        (
            "\"min\": 0, \"max\": 1}", "\"min\": 0, \"max\": 2}",
            "features[2].range: expected 0...1, got 0...2"
        ),
        (
            "\"type\": \"integer\"", "\"type\": \"int\"",
            "features[1].type: expected continuous | integer | binary | categorical, got \"int\""
        ),
        (
            "\"type\": \"integer\"", "\"type\": \"integer\", \"levels\": [1]",
            "features[1].levels: no such member in this format"
        ),
        ("\"levels\": [1, 2, 5],", "", "features[3].levels: missing"),
        ("[1, 2, 5]", "[1]", "features[3].levels: expected 2...1024 levels, got 1 levels"),
        ("[1, 2, 5]", "[1, 2, \"5\"]", "features[3].levels[2]: expected a list of whole numbers"),
        (
            "[1, 2, 5]", "[1, 5, 5]",
            "features[3].levels[2]: expected more than 5: levels ascend, got 5"
        ),
        (
            "[1, 2, 5]", "[1, 2, 4]",
            "features[3].range: expected the first and the last level, 1...4, got 1...5"
        ),
        (
            "\"identity\"", "\"log\"",
            "features[1].transform: expected identity | signed_log, got \"log\""
        ),
        (
            "\"personal\"", "\"secret\"",
            "features[3].sensitivity: expected public | internal | confidential | personal, "
                + "got \"secret\""
        ),
        ("\"impute\", \"value\": 12", "\"impute\"", "features[1].missing.value: missing"),
        (
            "\"refuse\"", "\"refuse\", \"value\": 1",
            "features[0].missing.value: no such member in this format"
        ),
        (
            "\"refuse\"", "\"drop\"",
            "features[0].missing.policy: expected refuse | impute | keep, got \"drop\""
        ),
        (
            "\"value\": 12", "\"value\": 24",
            "features[1].missing.value: expected a whole number in 0...23, got 24"
        ),
        (
            "\"value\": 2}", "\"value\": 3}",
            "features[3].missing.value: expected one of 1, 2, 5, got 3"
        ),
        ("\"Amount.\"", "\"\"", "features[0].description: expected 1...4000 bytes, got 0 bytes"),
    ])
    func aBrokenRuleIsNamedWithItsPlace(old: String, new: String, message: String) throws {
        // The first occurrence only.
        let range = try #require(exampleStandardText.range(of: old))
        let text = exampleStandardText.replacingCharacters(in: range, with: new)
        let error = #expect(throws: FeatureStandardError.self) {
            _ = try FeatureStandard(json: Array(text.utf8))
        }
        #expect(error?.description == message)
    }

    @Test(arguments: ["", "{", "[1] 2", "{\"format\": 1e999}", "\u{FFFD}"])
    func whatIsNotJSONIsRefused(text: String) {
        #expect(throws: FeatureStandardError.self) {
            _ = try FeatureStandard(json: Array(text.utf8))
        }
    }

    @Test func noCutOrDamagedDocumentTraps() throws {
        let bytes = Array(exampleStandardText.utf8)
        for count in bytes.indices {
            #expect(throws: FeatureStandardError.self) {
                _ = try FeatureStandard(json: Array(bytes[..<count]))
            }
        }
        for position in stride(from: 0, to: bytes.count, by: 3) {
            for replacement in [UInt8(0), 0x22, 0x5C, 0x7B, 0x5D, 0x30, 0xFF] {
                var damaged = bytes
                damaged[position] = replacement
                // Most are refused; none may trap.
                _ = try? FeatureStandard(json: damaged)
            }
        }
    }

    @Test func anEmptyListOfFeaturesIsRefused() {
        #expect(
            throws: FeatureStandardError.invalidValue(
                place: "features", got: "0 features", expected: "1...4096 features")
        ) {
            _ = try FeatureStandard(name: "a", version: 1, description: "b", features: [])
        }
    }

    @Test func aRepeatedNameSpeltWithAnEscapeIsRefused() throws {
        let text = exampleStandardText.replacingOccurrences(
            of: "\"unit\": \"h\"", with: "\"unit\": \"h\", \"\\u0075nit\": \"s\"")
        #expect(throws: FeatureStandardError.repeatedMember(name: "\\u0075nit")) {
            _ = try FeatureStandard(json: Array(text.utf8))
        }
    }

    @Test func transformsAreThoseOfTheDocument() throws {
        let standard = try exampleStandard()
        let amount = standard.features[0]
        for value in [0, 1, 10, 50000.0] {
            #expect(abs(amount.transformed(value) - log(1 + value)) < 1e-12)
            #expect(amount.transform(-value) == -amount.transform(value))
        }
        #expect(amount.transformedRange == 0...log1p(50000.0))
        #expect(amount.transformed(.nan).isNaN)
        #expect(standard.features[1].transformed(.nan) == 12)
        #expect(standard.features[1].transformed(7) == 7)
        #expect(standard.features[3].transformed(.nan) == 2)
        #expect(standard.features[1].transformedRange == 0...23)
    }

    @Test func acceptanceFollowsTheType() throws {
        let standard = try exampleStandard()
        func accepted(_ index: Int, _ values: [Double]) -> [Double] {
            values.filter { standard.features[index].accepts($0) }
        }
        #expect(accepted(0, [-0.1, 0, 0.5, 50000, 50000.1, .nan, .infinity]) == [0, 0.5, 50000])
        #expect(accepted(1, [-1, 0, 0.5, 23, 24]) == [0, 23])
        #expect(accepted(2, [-1, 0, 0.5, 1, 2]) == [0, 1])
        #expect(accepted(3, [0, 1, 2, 2.5, 3, 4, 5, 6]) == [1, 2, 5])
    }
}
