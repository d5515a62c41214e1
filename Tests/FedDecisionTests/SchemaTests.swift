import FedCrypto
import FedDecision
import Foundation
import Testing

/// The published schemas name the members that the code reads and writes.
@Suite("Schemas of the decision documents")
struct SchemaTests {
    private func schema(_ name: String) throws -> [String: Any] {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Schemas/\(name).v1.schema.json")
        return try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    }

    private func names(_ object: Any?) throws -> Set<String> {
        let object = try #require(object as? [String: Any])
        #expect(object["additionalProperties"] as? Bool == false)
        return Set(try #require(object["properties"] as? [String: Any]).keys)
    }

    @Test func bankModelsHaveTheMembersOfTheirSchema() throws {
        let schema = try schema("bank-model")
        #expect(try names(schema) == Set(BankModel.memberNames + ["format"]))
        #expect(Set(schema["required"] as? [String] ?? []) == (try names(schema)))
        let rule = (schema["properties"] as? [String: [String: Any]])?["rule"]
        let kinds = (rule?["properties"] as? [String: [String: Any]])?["kind"]?["enum"]
        #expect(kinds as? [String] == CombinationRule.Name.allCases.map(\.rawValue))
        let reason = (schema["properties"] as? [String: [String: Any]])?["reason"]?["enum"]
        #expect(reason as? [String] == CombinationChoice.Reason.allCases.map(\.rawValue))
    }

    @Test func policiesHaveTheMembersOfTheirSchema() throws {
        let schema = try schema("decision-policy")
        #expect(try names(schema) == Set(DecisionPolicy.memberNames + ["format"]))
        let properties = try #require(schema["properties"] as? [String: [String: Any]])
        #expect(try names(properties["thresholds"]) == Set(DecisionPolicy.thresholdNames))
        let rule = try #require(properties["rules"]?["items"] as? [String: Any])
        #expect(try names(rule) == Set(DecisionPolicy.ruleMemberNames))
        let condition = try #require((schema["$defs"] as? [String: Any])?["condition"])
        #expect(try names(condition) == Set(RuleCondition.memberNames))
        let relation =
            ((condition as? [String: Any])?["properties"] as? [String: [String: Any]])?["relation"]
        #expect(
            relation?["enum"] as? [String] == RuleCondition.Relation.allCases.map(\.rawValue))
        let floor = (rule["properties"] as? [String: [String: Any]])?["floor"]?["enum"]
        #expect(floor as? [String] == PolicyAction.allCases.map(\.rawValue))
    }

    @Test func listsAndReportsHaveTheMembersOfTheirSchemas() throws {
        let list = RiskList(
            RiskList.Request(capacity: 1, explorationShare: 0, id: "l", madeAt: 1),
            entities: [
                EntityRisk(
                    entity: "a", probability: 0.5, expectedLoss: 1,
                    reasons: [
                        ReasonCode(
                            feature: "f", contribution: 1, value: nil, description: "d",
                            descriptionChinese: "d")
                    ])
            ], drawKey: SecretBytes([UInt8](repeating: 1, count: 32)))
        let report = EffectReport(
            subject: "a", period: 0..<1, currency: "CNY", counts: EffectCounts(),
            steps: [EffectReport.Step(period: 0..<1, counts: EffectCounts())])
        for (name, bytes) in [("risk-list", list.bytes), ("effect-report", report.bytes)] {
            let document = try #require(
                try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
            #expect(try names(try schema(name)) == Set(document.keys), "\(name)")
        }
        let document = try JSONSerialization.jsonObject(with: Data(list.bytes)) as? [String: Any]
        let entry = try #require((document?["entries"] as? [[String: Any]])?.first)
        let properties = try schema("risk-list")["properties"] as? [String: [String: Any]]
        let items = properties?["entries"]?["items"] as? [String: Any]
        #expect(try names(items) == Set(entry.keys))
    }
}
