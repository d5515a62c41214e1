import FedCore
import FedDecision
import Testing

@Suite("Decision policies")
struct PolicyTests {
    private func standard() throws -> FeatureStandard { try SmallTable(rows: 2, seed: 1).standard }

    private func policy(_ rules: String, thresholds: String? = nil) throws -> DecisionPolicy {
        let thresholds = thresholds ?? #"{"step_up": 0.1, "hold": 0.4, "block": null}"#
        let text = """
            {"format": "fed-decision-policy/1", "name": "retail", "version": 3,
             "thresholds": \(thresholds), "rules": [\(rules)]}
            """
        return try DecisionPolicy(json: Array(text.utf8), standard: try standard())
    }

    private func rule(_ when: String, floor: String = "hold", id: String = "r") -> String {
        #"{"id": "\#(id)", "description": "why", "when": \#(when), "floor": "\#(floor)"}"#
    }

    @Test func thresholdsGradeTheProbability() throws {
        let graded = try policy("", thresholds: #"{"step_up": 0.1, "hold": 0.4, "block": 0.9}"#)
        let row = [1.0, 2, 0, 1]
        for (probability, action) in [
            (0, PolicyAction.pass), (0.0999, .pass), (0.1, .stepUp), (0.4, .hold), (0.89, .hold),
            (0.9, .block), (1, .block),
        ] {
            #expect(graded.decide(probability: probability, row: row).action == action)
        }
        let open = try policy("", thresholds: #"{"step_up": null, "hold": 0.4, "block": null}"#)
        #expect(open.decide(probability: 0.39, row: row).action == .pass)
        #expect(open.decide(probability: 1, row: row).action == .hold)
    }

    @Test func rulesRaiseAnActionAndNeverLowerIt() throws {
        let both = try policy(
            rule(#"{"feature": "amount", "relation": ">=", "value": 5000}"#, id: "big") + ","
                + rule(
                    #"{"feature": "night", "relation": "==", "value": 1}"#, floor: "step_up",
                    id: "night"))
        let decision = both.decide(probability: 0.01, row: [5000, 1, 1, 0])
        #expect(decision.action == .hold && decision.byModel == .pass)
        #expect(decision.rules.map(\.id) == ["big", "night"])
        let model = both.decide(probability: 0.5, row: [1, 1, 1, 0])
        #expect(model.action == .hold && model.rules.map(\.id) == ["night"])
        #expect(both.decide(probability: 0, row: [4999.99, 1, 0, 0]).rules.isEmpty)
    }

    @Test func conditionsHoldAsTheyAreWritten() throws {
        let row = [100, Double.nan, 1, 2]
        let cases: [(String, Bool)] = [
            (#"{"feature": "amount", "relation": "<", "value": 100}"#, false),
            (#"{"feature": "amount", "relation": "<=", "value": 100}"#, true),
            (#"{"feature": "amount", "relation": "!=", "value": 100}"#, false),
            (#"{"feature": "count", "relation": "<", "value": 1e9}"#, false),
            (#"{"feature": "count", "relation": "!=", "value": 1}"#, false),
            (#"{"feature": "count", "is_missing": true}"#, true),
            (#"{"feature": "count", "is_missing": false}"#, false),
            (#"{"feature": "channel", "one_of": [0, 2]}"#, true),
            (#"{"feature": "channel", "one_of": [1]}"#, false),
            (#"{"feature": "probability", "relation": ">", "value": 0.2}"#, true),
            (#"{"not": {"feature": "count", "relation": "<", "value": 1}}"#, true),
            (
                #"{"all": [{"feature": "night", "relation": "==", "value": 1}, "#
                    + #"{"any": [{"feature": "amount", "relation": ">", "value": 500}, "#
                    + #"{"feature": "channel", "one_of": [2]}]}]}"#,
                true
            ),
        ]
        for (when, holds) in cases {
            let decision = try policy(rule(when)).decide(probability: 0.3, row: row)
            #expect(decision.rules.isEmpty == !holds, "\(when)")
        }
    }

    @Test func whatIsNotUnderstoodIsRefusedWithItsPlace() throws {
        let deep =
            String(repeating: #"{"not":"#, count: 9) + #"{"feature":"night","is_missing":true}"#
            + String(repeating: "}", count: 9)
        let comparison = #"{"feature": "amount", "relation": ">", "value": 1}"#
        let wrong: [(String, String)] = [
            (
                rule(#"{"feature": "scenario", "relation": ">", "value": 1}"#),
                "rules[0].when.feature"
            ),
            (
                rule(#"{"feature": "amount", "relation": "~", "value": 1}"#),
                "rules[0].when.relation"
            ),
            (rule(#"{"feature": "amount", "relation": ">"}"#), "rules[0].when"),
            (rule(#"{"feature": "amount", "one_of": []}"#), "rules[0].when.one_of"),
            (rule(#"{"all": []}"#), "rules[0].when.all"),
            (rule(#"{"amount": 1}"#), "rules[0].when.amount"),
            (rule(comparison, floor: "shrug"), "rules[0].floor"),
            (rule(comparison) + "," + rule(comparison), "rules[1].id"),
            (rule(deep), "rules[0].when" + String(repeating: ".not", count: 8)),
        ]
        for (text, place) in wrong {
            do {
                _ = try policy(text)
                Issue.record("\(text) was read")
            } catch let error as DocumentError {
                #expect("\(error)".hasPrefix(place + ":"), "\(error)")
            }
        }
        for thresholds in [
            #"{"step_up": 0.5, "hold": 0.4, "block": null}"#, #"{"step_up": 0.5, "hold": null}"#,
            #"{"step_up": -0.1, "hold": null, "block": null}"#,
            #"{"step_up": 0.1, "hold": null, "block": 1.01}"#,
        ] {
            #expect(throws: DocumentError.self) { try policy("", thresholds: thresholds) }
        }
    }

    @Test func jsonIsReadStrictly() throws {
        func parse(_ text: String) throws -> CanonicalJSON {
            try StrictJSON.parse(Array(text.utf8))
        }
        for text in [
            "", "{", "[1,]", "{\"a\":1,}", "01", "1.", "+1", ".5", "1e", "nul", "\"\u{1}\"", "1 2",
            "\"\\ud800\"", "\"\\x\"", "[1}", "{\"a\" 1}", "1e999", "\"a", "{1:2}", "- 1",
            String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
        ] {
            #expect(throws: DocumentError.self, "\(text)") { try parse(text) }
        }
        #expect(throws: DocumentError.repeatedMember(name: "a", at: 8)) {
            try parse(#"{"a": 1,"\u0061": 2}"#)
        }
        #expect(
            try parse(" { \"a\" : [ 1 , -2.5e1, true,null,\"\\u00e9\\ud83d\\ude00\\n\" ] } ")
                == .object([
                    "a": .array([
                        .integer(1), .number(-25), .bool(true), .null, .string("é😀\n"),
                    ])
                ]))
        #expect(throws: DocumentError.self) { try StrictJSON.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: DocumentError.tooLarge(gotBytes: 3, bytesMax: 2)) {
            try StrictJSON.parse([0x31, 0x31, 0x31], bytesMax: 2)
        }
    }

    @Test func anyTreeOfValuesReadsBackFromItsCanonicalForm() throws {
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            func value(_ depth: Int) -> CanonicalJSON {
                switch Int(random.unit() * (depth > 3 ? 5 : 7)) {
                case 0: return .null
                case 1: return .bool(random.unit() < 0.5)
                case 2: return .integer(Int64(random.next() >> 12) - (1 << 51))
                case 3: return .number((random.unit() - 0.5) * 1e-3)
                case 4: return .string(String(random.next(), radix: 36) + "\"\\é\t")
                case 5: return .array((0..<3).map { _ in value(depth + 1) })
                default:
                    return .object(["a": value(depth + 1), "b\n": value(depth + 1)])
                }
            }
            let made = value(0)
            #expect(try StrictJSON.parse(made.bytes).bytes == made.bytes, "seed \(seed)")
        }
    }
}
