import FedCore
import FedReport
import Foundation
import Testing

@Suite struct ComparisonReportTests {
    @Test func totalsAndGainsAreTheSumsOfTheBanks() throws {
        let report = try Sample.report()
        #expect(report.budgets == ["0.005", "0.01"])
        #expect(report.caught(.local, budget: "0.005") == 165)
        #expect(report.caught(.combined, budget: "0.01") == 250)
        #expect(report.interceptionGain(.combined, budget: "0.01") == 250.0 / 231 - 1)
        let none = try #require(report.banks.last)
        #expect(report.interceptionGain(.federated, budget: "0.01", bank: none) == nil)
    }

    @Test func aDocumentReadsBackAsTheSameReport() throws {
        for pooled in [
            nil,
            ComparisonReport.Pooled(
                modelSHA256: Sample.digest, maxRelativeDifference: nil, identical: false),
        ] {
            let report = try Sample.report(pooled: pooled)
            let bytes = report.json.bytes
            let again = try ComparisonReport(json: bytes)
            #expect(again == report)
            #expect(again.json.bytes == bytes)
        }
    }

    @Test func undefinedFiguresAreNull() throws {
        let report = try Sample.report()
        let text = String(decoding: report.json.bytes, as: UTF8.self)
        #expect(text.contains(#""ap":null,"auc":null,"caught":{"0.005":0,"0.01":0},"ks":null"#))
        #expect(text.contains(#""standard_errors":{"amount":0.25,"hour":null}"#))
        let without = try Sample.report(banks: Array(Sample.banks().suffix(1)))
        guard case .object(let members) = without.json,
            case .object(let all)? = members["all_banks"]
        else {
            Issue.record("no object")
            return
        }
        let undefined = CanonicalJSON.object(["0.005": .null, "0.01": .null])
        #expect(
            all["interception_gain"]
                == .object(["federated": undefined, "combined": undefined]))
    }

    @Test func contradictingPartsAreRefused() throws {
        func refusal(_ make: () throws -> ComparisonReport) -> ReportError? {
            do {
                _ = try make()
                return nil
            } catch {
                return error as? ReportError
            }
        }
        #expect(
            refusal { try Sample.report(budgets: ["0.01", "1.5"]) } == .budgetInvalid(got: "1.5"))
        #expect(refusal { try Sample.report(budgets: ["zero"]) } == .budgetInvalid(got: "zero"))
        #expect(
            refusal { try Sample.report(budgets: ["0.01"]) }
                == .budgetsDiffer(
                    bank: "A", score: "local", got: ["0.005", "0.01"], expected: ["0.01"]))
        #expect(
            refusal { try Sample.report(banks: Sample.banks() + Sample.banks()) }
                == .bankRepeated("A"))
        let score = Sample.score(0.5, 0.5, 0.5, 3, 3)
        let impossible = ComparisonReport.Bank(
            name: "F", testRows: 10, testFrauds: 2,
            scores: PerScore(local: score, federated: score, combined: score), combination: "mean")
        #expect(
            refusal { try Sample.report(banks: [impossible]) }
                == .countImpossible(bank: "F", member: "local.caught"))
    }

    @Test(arguments: [
        (#""format":"fed-comparison-report/1""#, #""format":"fed-comparison-report/9""#),
        (#""slots":621"#, #""slots":-1"#),
        (#""slots":621"#, #""slots":6.5"#),
        (#""slots":621,"#, ""),
        (#""test_rows":12}"#, #""test_rows":-12}"#),
        (#""local":{"0.005":165"#, #""local":{"0.005":166"#),
    ])
    func aSpoiltDocumentIsRefused(_ original: String, _ spoilt: String) throws {
        let text = String(decoding: try Sample.report().json.bytes, as: UTF8.self)
        #expect(text.contains(original))
        let other = text.replacingOccurrences(of: original, with: spoilt)
        #expect(throws: ReportError.self) { try ComparisonReport(json: Array(other.utf8)) }
    }

    @Test func everyCutOfADocumentIsRefused() throws {
        let bytes = try Sample.report().json.bytes
        for count in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: ReportError.self) { try ComparisonReport(json: Array(bytes[..<count])) }
        }
    }

    @Test func theDocumentHasTheMembersOfTheSchemaAndNoOther() throws {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent("Schemas/comparison-report.v1.schema.json")
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: path))
        let schema = SchemaCheck(try #require(object as? [String: Any]))
        #expect(schema.complaints(about: try Sample.report().json) == [])
        #expect(schema.complaints(about: try Sample.report(pooled: nil).json) == [])
        guard case .object(var members) = try Sample.report().json else { return }
        members["slots"] = .string("many")
        members["seconds"] = nil
        members["more"] = .bool(true)
        #expect(
            schema.complaints(about: .object(members)) == [
                "/more: unknown", "/seconds: absent", "/slots: not integer",
            ])
    }
}

/// As much of JSON Schema as the schema of the report uses.
private struct SchemaCheck {
    private let root: [String: Any]

    init(_ root: [String: Any]) {
        self.root = root
    }

    func complaints(about value: CanonicalJSON) -> [String] {
        check(value, root, at: "").sorted()
    }

    private func resolve(_ schema: [String: Any]) -> [String: Any] {
        guard let reference = schema["$ref"] as? String,
            let name = reference.split(separator: "/").last,
            let definitions = root["$defs"] as? [String: [String: Any]]
        else { return schema }
        return definitions[String(name), default: ["type": "unresolved"]]
    }

    private func check(_ value: CanonicalJSON, _ raw: [String: Any], at path: String) -> [String] {
        let schema = resolve(raw)
        let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
        guard types.isEmpty || types.contains(where: { Self.matches(value, $0) }) else {
            return ["\(path): not \(types.joined(separator: " or "))"]
        }
        if let constant = schema["const"] as? String, value != .string(constant) {
            return ["\(path): not \(constant)"]
        }
        if let pattern = schema["pattern"] as? String, case .string(let text) = value,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            return ["\(path): not like \(pattern)"]
        }
        switch value {
        case .array(let items):
            guard let schema = schema["items"] as? [String: Any] else { return [] }
            return items.enumerated().flatMap { check($1, schema, at: "\(path)/\($0)") }
        case .object(let members):
            let known = schema["properties"] as? [String: [String: Any]] ?? [:]
            let required = schema["required"] as? [String] ?? []
            let absent = required.filter { members[$0] == nil }.map { "\(path)/\($0): absent" }
            return absent
                + members.flatMap { name, member in
                    let other = schema["additionalProperties"] as? [String: Any]
                    guard let schema = known[name] ?? other else {
                        return ["\(path)/\(name): unknown"]
                    }
                    return check(member, schema, at: "\(path)/\(name)")
                }
        default: return []
        }
    }

    private static func matches(_ value: CanonicalJSON, _ type: String) -> Bool {
        switch (value, type) {
        case (.object, "object"), (.array, "array"), (.string, "string"), (.null, "null"),
            (.bool, "boolean"), (.integer, "integer"), (.integer, "number"), (.number, "number"):
            true
        default: false
        }
    }
}
