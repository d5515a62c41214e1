import FedCore
import Foundation
import Testing

private let documentText = """
    {
      "format": "fed-derivation/1", "name": "cards", "version": 1, "description": "Cards.",
      "standard": "cards", "label_delay": 600, "ties": "arrival",
      "columns": [
        {"name": "t", "role": "time", "type": "integer"},
        {"name": "card", "role": "entity", "type": "text", "missing": "refuse"},
        {"name": "shop", "role": "entity", "type": "integer", "missing": "keep"},
        {"name": "amount", "role": "amount", "type": "number", "missing": "refuse"},
        {"name": "fraud", "role": "label", "type": "integer"}
      ],
      "indicators": [
        {"name": "risk", "entity": "shop", "period": 300, "delay": 600,
          "floor": {"banks": 3, "window": 900},
          "index": {"kind": "range", "first": -5, "count": 100},
          "measures": [
            {"name": "rows", "kind": "count", "most": 50},
            {"name": "frauds", "kind": "frauds", "most": 50},
            {"name": "money", "kind": "sum", "column": "amount", "unit": 0.01, "most": 5000},
            {"name": "cards", "kind": "distinct", "column": "card", "most": 20},
            {"name": "usual", "kind": "frauds", "most": 50, "where":
              {"op": "compare", "is": "<=", "to": 2, "of":
                {"op": "ratio", "of": {"op": "copy", "column": "amount"}, "to":
                  {"op": "mean", "column": "amount", "by": ["card"],
                    "window": {"far": 900, "after_label_delay": true}}}}}
          ]},
        {"name": "payees", "entity": "card", "period": 300, "delay": 0,
          "floor": {"banks": 4, "window": 300},
          "index": {"kind": "sketch", "width": 1024, "depth": 4},
          "measures": [{"name": "confirmed", "kind": "confirmed", "most": 9}]}
      ],
      "features": [
        {"name": "n", "value": {"op": "indicator", "indicator": "risk", "measure": "rows",
          "window": {"far": 300, "after_label_delay": true}}},
        {"name": "c", "value": {"op": "indicator", "indicator": "payees", "measure": "confirmed",
          "window": {"far": 900, "near": 300}}}
      ]
    }
    """

struct IndicatorDocumentTests {
    private func derivation(_ changes: (String, String)...) throws -> Derivation {
        var text = documentText
        for (old, new) in changes {
            #expect(text.contains(old))
            text = text.replacingOccurrences(of: old, with: new)
        }
        return try Derivation(json: Array(text.utf8))
    }

    @Test func indicatorsAreReadMemberByMember() throws {
        let derivation = try derivation()
        let risk = derivation.indicators[0]
        #expect(risk.name == "risk")
        #expect(risk.entity == "shop")
        #expect(risk.period == 300)
        #expect(risk.delay == 600)
        #expect(risk.floorBanks == 3)
        #expect(risk.floorWindow == 900)
        #expect(risk.index == .range(first: -5, count: 100))
        #expect(
            risk.measures.map(\.kind) == [
                .count, .frauds, .sum(column: "amount", unit: 0.01), .distinct(column: "card"),
                .frauds,
            ])
        #expect(risk.measures[..<4].allSatisfy { $0.filter == nil })
        #expect(
            risk.measures[4].filter
                == .compare(
                    .ratio(
                        .copy(column: "amount"),
                        .window(
                            WindowFigure(
                                .mean(column: "amount"), by: ["card"],
                                window: TimeWindow(far: 1500, near: 600))), empty: 0),
                    .atMost, 2))
        #expect(derivation.indicators[1].index == .sketch(width: 1024, depth: 4))
        #expect(derivation.indicators[1].cellCount == 4096)
        #expect(
            derivation.features[0].value
                == .indicator(
                    IndicatorFigure(
                        indicator: "risk", measure: "rows",
                        window: TimeWindow(far: 900, near: 600))))
        #expect(risk.period(of: -1) == -1)
        #expect(risk.dueTime(of: 2) == 900 + 600)
        #expect(try Derivation(json: derivation.canonicalBytes) == derivation)
    }

    @Test(arguments: [
        (
            "\"period\": 300, \"delay\": 600", "\"period\": 59, \"delay\": 600",
            "indicators[0].period"
        ),
        ("\"delay\": 600", "\"delay\": 599", "labels are not known earlier"),
        ("\"banks\": 3", "\"banks\": 2", "indicators[0].floor.banks: expected 3...1024"),
        ("\"window\": 900", "\"window\": 1000", "indicators[0].floor.window"),
        (
            "\"entity\": \"shop\"", "\"entity\": \"amount\"",
            "indicators[0].entity: expected an entity"
        ),
        ("\"entity\": \"shop\"", "\"entity\": \"card\"", "a range for an entity of texts"),
        ("\"count\": 100", "\"count\": 0", "indicators[0].index"),
        ("\"count\": 100", "\"count\": 100, \"depth\": 1", "no such member"),
        ("\"width\": 1024", "\"width\": 1000", "indicators[1].index"),
        ("\"width\": 1024", "\"width\": 4194304", "indicators[1].index"),
        ("\"name\": \"payees\"", "\"name\": \"risk\"", "the name \"risk\" is taken"),
        ("\"name\": \"frauds\"", "\"name\": \"rows\"", "the name \"rows\" is taken"),
        ("\"most\": 5000", "\"most\": 0", "measures[2].most"),
        ("\"unit\": 0.01", "\"unit\": 0", "measures[2].unit"),
        ("\"column\": \"card\"", "\"column\": \"shop\"", "expected another entity"),
        (
            "\"kind\": \"confirmed\"",
            "\"kind\": \"sum\", \"column\": \"amount\", \"unit\": 1", "a sum in a sketch of 4 rows"
        ),
        (
            "\"kind\": \"count\"",
            "\"kind\": \"count\", \"where\": {\"op\": \"copy\", \"column\": \"card\"}",
            "indicators[0].measures[0].where"
        ),
        (
            "\"op\": \"mean\", \"column\": \"amount\",", "\"op\": \"fraud_share\",",
            "measures[4].where: expected what can be computed of the bank's own rows without labels"
        ),
        (
            "\"of\": {\"op\": \"copy\", \"column\": \"amount\"}",
            """
            "of": {"op": "indicator", "indicator": "risk", "measure": "rows",
              "window": {"far": 900, "near": 600}}
            """, "measures[4].where: expected what can be computed of the bank's own rows"
        ),
        ("\"measure\": \"rows\"", "\"measure\": \"row\"", "features[0].value.measure"),
        ("\"indicator\": \"risk\"", "\"indicator\": \"risks\"", "features[0].value.indicator"),
        ("\"far\": 900, \"near\": 300", "\"far\": 900, \"near\": 200", "multiples of the period"),
        ("\"far\": 900, \"near\": 300", "\"far\": 300, \"near\": 300", "multiples of the period"),
        ("\"far\": 300, \"after_label_delay\": true", "\"far\": 900, \"near\": 300", "600 <= near"),
    ])
    func aFaultIsNamedWithItsPlace(old: String, new: String, message: String) throws {
        let error = #expect(throws: DerivationError.self) { _ = try derivation((old, new)) }
        let text = try #require(error).description
        #expect(text.contains(message), "\(text)")
    }

    @Test func theSchemaHasTheMembersOfTheParser() throws {
        let bytes = try repositoryFile("Schemas/derivation.v1.schema.json")
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        func members(_ object: [String: Any]?) throws -> Set<String> {
            #expect(object?["additionalProperties"] as? Bool == false)
            let names = Set(try #require(object?["properties"] as? [String: Any]).keys)
            let optional = names.intersection(["where"])
            #expect(
                Set(try #require(object?["required"] as? [String])) == names.subtracting(optional))
            return names
        }
        let vocabulary = IndicatorVocabulary.self
        let indicator = try #require(definitions["indicator"])
        #expect(try members(indicator) == Set(vocabulary.indicatorMembers))
        let properties = try #require(indicator["properties"] as? [String: [String: Any]])
        #expect(try members(properties["floor"]) == Set(vocabulary.floorMembers))
        func kinds(_ object: [String: Any]?) throws -> [String: Set<String>] {
            var found: [String: Set<String>] = [:]
            for choice in try #require(object?["oneOf"] as? [[String: Any]]) {
                let kind = (choice["properties"] as? [String: [String: Any]])?["kind"]
                let names = try kind?["enum"] as? [String] ?? [#require(kind?["const"] as? String)]
                for name in names { found[name] = try members(choice) }
            }
            return found
        }
        #expect(try kinds(properties["index"]) == vocabulary.indexMembers.mapValues(Set.init))
        #expect(
            try kinds(definitions["measure"]) == vocabulary.measureMembers.mapValues(Set.init))
    }
}
