import FedCore
import Foundation
import Testing

private let exampleText = """
    {
      "format": "fed-derivation/1", "name": "example", "version": 2, "description": "Cards.",
      "standard": "cards", "label_delay": 600, "ties": "arrival",
      "columns": [
        {"name": "t", "role": "time", "type": "integer"},
        {"name": "card", "role": "entity", "type": "text", "missing": "refuse"},
        {"name": "amount", "role": "amount", "type": "number", "missing": "refuse"},
        {"name": "kind", "role": "category", "type": "text", "missing": "keep",
          "levels": ["chip", "net"]},
        {"name": "fraud", "role": "label", "type": "integer"}
      ],
      "features": [
        {"name": "amount", "value": {"op": "copy", "column": "amount"}},
        {"name": "risk", "value": {"op": "fraud_share", "by": ["card"],
          "window": {"far": 60, "after_label_delay": true}}},
        {"name": "ratio", "value": {"op": "ratio", "of": {"op": "copy", "column": "amount"},
          "to": {"op": "mean", "column": "amount", "by": ["card", "kind"],
            "window": {"far": 60, "near": 0}, "empty": 1}, "empty": 2}},
        {"name": "night", "value": {"op": "in", "of": {"op": "hour"}, "values": [0, 1]}}
      ]
    }
    """

struct DerivationTests {
    private func derivation(_ changes: (String, String)...) throws -> Derivation {
        var text = exampleText
        for (old, new) in changes {
            #expect(text.contains(old))
            text = text.replacingOccurrences(of: old, with: new)
        }
        return try Derivation(json: Array(text.utf8))
    }

    @Test func aDocumentIsReadMemberByMember() throws {
        let derivation = try derivation()
        #expect(derivation.name == "example")
        #expect(derivation.version == 2)
        #expect(derivation.standard == "cards")
        #expect(derivation.labelDelay == 600)
        #expect(derivation.ties == .arrival)
        #expect(derivation.columns.map(\.role) == [.time, .entity, .amount, .category, .label])
        #expect(derivation.columns[3].levels == ["chip", "net"])
        let delayed = TimeWindow(far: 660, near: 600)
        #expect(
            derivation.features[1].value
                == .window(WindowFigure(.fraudShare, by: ["card"], window: delayed)))
        let mean = WindowFigure(
            .mean(column: "amount"), by: ["card", "kind"], window: TimeWindow(far: 60), empty: 1)
        #expect(
            derivation.features[2].value
                == .ratio(.copy(column: "amount"), .window(mean), empty: 2))
        #expect(derivation.features[3].value == .isIn(.hour, [0, 1]))
    }

    @Test func theIdentityDoesNotDependOnTheSpelling() throws {
        let plain = try derivation()
        let other = try derivation(
            ("\"after_label_delay\": true", "\"near\": 600"),
            ("\"far\": 60, \"near\": 600", "\"far\": 660, \"near\": 600"),
            ("\"empty\": 1", "\"empty\": 1.0"), ("\"version\": 2,", "\"version\":    2,"))
        #expect(other == plain)
        #expect(other.sha256 == plain.sha256)
        let again = try Derivation(json: plain.canonicalBytes)
        #expect(again == plain)
        #expect(again.canonicalBytes == plain.canonicalBytes)
        #expect(try derivation(("\"far\": 60, \"near\"", "\"far\": 61, \"near\"")) != plain)
        #expect(try derivation(("arrival", "together")).sha256 != plain.sha256)
    }

    @Test func everyOperatorSurvivesItsOwnDocument() throws {
        let derivation = try everyOperator(ties: .together)
        let again = try Derivation(json: derivation.canonicalBytes)
        #expect(again == derivation)
    }

    @Test(arguments: [
        ("\"ties\": \"arrival\",", "", "ties: missing"),
        (
            "\"ties\": \"arrival\"", "\"ties\": \"other\"",
            "ties: expected together | arrival, got \"other\""
        ),
        ("\"version\": 2", "\"version\": 2, \"extra\": 1", "extra: no such member in this format"),
        (
            "\"version\": 2", "\"version\": 0",
            "version: expected a whole number in 1...1000000, got 0"
        ),
        (
            "fed-derivation/1", "fed-derivation/2",
            "format: expected \"fed-derivation/1\", got \"fed-derivation/2\""
        ),
        (
            "\"version\": 2", "\"version\": 2, \"version\": 2",
            "member \"version\" stands twice in one object"
        ),
        (
            "\"op\": \"copy\", \"column\": \"amount\"}}",
            "\"op\": \"copy\", \"column\": \"amount\", \"x\": 1}}",
            "features[0].value.x: no such member in this format"
        ),
        (
            "\"op\": \"copy\", \"column\": \"amount\"}}", "\"op\": \"copy\"}}",
            "features[0].value.column: missing"
        ),
        (
            "\"op\": \"copy\", \"column\": \"amount\"}}",
            "\"op\": \"copy\", \"column\": \"card\"}}",
            "features[0].value: expected a numeric column, got column \"card\""
        ),
        ("\"op\": \"hour\"", "\"op\": \"minute\"", "features[3].value.of.op: expected copy"),
        (
            "\"far\": 60, \"near\": 0", "\"far\": 60, \"near\": 60",
            "window: expected 0 <= near < far"
        ),
        (
            "\"far\": 60, \"near\": 0", "\"far\": 9000000000, \"near\": 0",
            "window: expected 0 <= near < far"
        ),
        (
            "\"far\": 60, \"after_label_delay\": true",
            "\"far\": 9223372036854775807, \"after_label_delay\": true",
            "window: expected 0 <= near < far"
        ),
        (
            "\"far\": 60, \"after_label_delay\": true", "\"far\": 660, \"near\": 599",
            "near: expected at least 600: labels are not known earlier, got 599"
        ),
        (
            "\"label_delay\": 600", "\"label_delay\": -1",
            "label_delay: expected 0...2147483648 seconds, got -1"
        ),
        (
            "\"by\": [\"card\", \"kind\"]", "\"by\": [\"card\", \"card\"]",
            "by[1]: the name \"card\" is taken"
        ),
        ("\"by\": [\"card\", \"kind\"]", "\"by\": []", "by: expected 1 to 4 of them, got 0"),
        (
            "\"by\": [\"card\", \"kind\"]", "\"by\": [\"amount\"]",
            "by[0]: expected an entity or a category, got column \"amount\""
        ),
        (
            "\"role\": \"amount\", \"type\": \"number\", \"missing\": \"refuse\"",
            "\"role\": \"amount\", \"type\": \"number\"", "columns[2].missing: missing"
        ),
        (
            "\"role\": \"amount\", \"type\": \"number\"",
            "\"role\": \"amount\", \"type\": \"text\"",
            "columns[2].type: expected integer | number, got text"
        ),
        (
            "\"role\": \"time\", \"type\": \"integer\"",
            "\"role\": \"time\", \"type\": \"integer\", \"missing\": \"keep\"",
            "columns[0].missing: no such member in this format"
        ),
        (
            "\"role\": \"time\"", "\"role\": \"row\"",
            "columns: expected one, got 0 columns of role time"
        ),
        ("\"role\": \"label\"", "\"role\": \"row\"", "expected one, got no column of role label"),
        (
            "\"name\": \"night\"", "\"name\": \"risk\"",
            "features[3].name: the name \"risk\" is taken"
        ),
        ("\"values\": [0, 1]", "\"values\": []", "values: expected 1 to 1024 of them, got 0"),
    ])
    func aFaultIsNamedWithItsPlace(old: String, new: String, message: String) throws {
        let error = #expect(throws: DerivationError.self) { _ = try derivation((old, new)) }
        let text = try #require(error).description
        #expect(text.contains(message), "\(text)")
    }

    @Test func operatorsWithinTooManyOperatorsAreRefused() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "{\"op\": \"plus\", \"terms\": [{\"op\": \"day\"}, ", count: depth)
                + "{\"op\": \"hour\"}" + String(repeating: "]}", count: depth)
        }
        func nestedDerivation(_ depth: Int) throws -> Derivation {
            try derivation(("{\"op\": \"copy\", \"column\": \"amount\"}}", nested(depth) + "}"))
        }
        #expect(throws: Never.self) { _ = try nestedDerivation(15) }
        #expect(throws: DerivationError.self) { _ = try nestedDerivation(16) }
        #expect(throws: DerivationError.self) { _ = try nestedDerivation(200) }
        #expect(throws: DerivationError.self) { _ = try nestedDerivation(5000) }
    }

    @Test func noPrefixOfADocumentIsADocument() {
        let bytes = Array(exampleText.utf8)
        for count in bytes.indices {
            #expect(throws: DerivationError.self) {
                _ = try Derivation(json: Array(bytes[..<count]))
            }
        }
    }

    @Test(arguments: [
        "handbook", "handbook_shared", "sparkov", "synthetic_raw", "synthetic_raw_shared",
    ])
    func theDerivationOfADataSetFeedsItsStandard(name: String) throws {
        let derivation = try Derivation(json: repositoryFile("Datasets/derivations/\(name).json"))
        let standard = try FeatureStandard(json: repositoryFile("Datasets/standards/\(name).json"))
        try derivation.requireFeeding(standard)
        #expect(throws: DerivationError.self) {
            try derivation.requireFeeding(
                FeatureStandard(json: repositoryFile("Datasets/standards/ulb_trunc.json")))
        }
        let shorter = try FeatureStandard(
            name: name, version: 1, description: "Fewer.",
            features: Array(standard.features.dropLast()))
        let count = standard.features.count
        #expect(
            throws: DerivationError.anotherFeature(
                place: "features[\(count - 1)]", got: standard.features[count - 1].name,
                expected: "none")
        ) { try derivation.requireFeeding(shorter) }
    }

    @Test func theSchemaHasTheMembersAndWordsOfTheParser() throws {
        let bytes = try repositoryFile("Schemas/derivation.v1.schema.json")
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        func members(_ object: [String: Any]?) throws -> Set<String> {
            #expect(object?["additionalProperties"] as? Bool == false)
            return Set(try #require(object?["properties"] as? [String: Any]).keys)
        }
        func words(_ properties: Any?, _ member: String) throws -> [String] {
            let member = (properties as? [String: [String: Any]])?[member]
            return try #require(member?["enum"] as? [String])
        }
        let vocabulary = DerivationVocabulary.self
        #expect(try members(schema) == Set(vocabulary.documentMembers))
        #expect(
            schema["required"] as? [String]
                == vocabulary.documentMembers.filter { $0 != "indicators" })
        #expect(try members(definitions["column"]) == Set(vocabulary.columnMembers))
        #expect(try members(definitions["feature"]) == Set(vocabulary.featureMembers))
        let column = definitions["column"]?["properties"]
        #expect(try words(column, "role") == RawColumn.Role.allCases.map(\.rawValue))
        #expect(try words(column, "type") == RawColumn.Kind.allCases.map(\.rawValue))
        #expect(try words(column, "missing") == RawColumn.Missing.allCases.map(\.rawValue))
        #expect(try words(schema["properties"], "ties") == Derivation.Ties.allCases.map(\.rawValue))
        let operators = try #require(definitions["expression"]?["oneOf"] as? [[String: Any]])
        var found: [String: Set<String>] = [:]
        for object in operators {
            let properties = try #require(object["properties"] as? [String: [String: Any]])
            let op = try #require(properties["op"])
            let names = try op["enum"] as? [String] ?? [#require(op["const"] as? String)]
            for name in names {
                found[name] = try members(object).subtracting(["op"])
                let required = Set(try #require(object["required"] as? [String]))
                #expect(required == Set(properties.keys).subtracting(["empty", "where"]))
            }
        }
        #expect(found == vocabulary.operatorMembers.mapValues(Set.init))
        let comparison = operators.first { object in
            ((object["properties"] as? [String: [String: Any]])?["op"])?["const"] as? String
                == "compare"
        }
        #expect(
            try words(comparison?["properties"], "is")
                == Expression.Relation.allCases.map(\.rawValue))
    }
}
