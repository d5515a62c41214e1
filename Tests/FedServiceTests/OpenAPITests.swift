import FedCore
import FedDecision
import FedService
import Foundation
import Testing

/// `Schemas/openapi.v1.json` against the routes, parameters and faults that the service has.
@Suite("The OpenAPI document")
struct OpenAPITests {
    private let document: [String: CanonicalJSON]

    init() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Schemas/openapi.v1.json").standardized
        let bytes = Array(try Data(contentsOf: path))
        guard case .object(let members) = try StrictJSON.parse(bytes) else {
            throw CocoaError(.fileReadCorruptFile)
        }
        document = members
    }

    private func member(_ value: CanonicalJSON?, _ names: String...) -> CanonicalJSON? {
        names.reduce(value) { value, name in
            guard case .object(let members) = value else { return nil }
            return members[name]
        }
    }

    private func operations() -> [String: [String: CanonicalJSON]] {
        guard case .object(let paths) = document["paths"] else { return [:] }
        var operations: [String: [String: CanonicalJSON]] = [:]
        for (path, item) in paths {
            guard case .object(let methods) = item else { continue }
            for (method, operation) in methods {
                guard case .object(let members) = operation else { continue }
                operations["\(method.uppercased()) \(path)"] = members
            }
        }
        return operations
    }

    @Test func namesEveryRouteAndNoOther() {
        #expect(Set(operations().keys) == Set(Route.allCases.map(\.rawValue)))
    }

    @Test func namesEveryQueryParameterAndNoOther() {
        for (name, operation) in operations() {
            var queries: Set<String> = []
            if case .array(let parameters) = operation["parameters"] {
                for parameter in parameters where member(parameter, "in") == .string("query") {
                    if case .string(let text) = member(parameter, "name") { queries.insert(text) }
                }
            }
            #expect(queries == Set(Route(rawValue: name)?.parameters ?? []), "\(name)")
        }
    }

    @Test func namesEveryFaultWithItsStatus() {
        let schema = member(
            document["components"], "schemas", "Fault", "properties", "error", "properties",
            "code", "enum")
        #expect(schema == .array(Fault.Code.allCases.map { .string($0.rawValue) }))
        guard case .object(let responses) = member(document["components"], "responses") else {
            Issue.record("no responses")
            return
        }
        let described = Set(responses.keys)
        // A path's unknown methods are no operation, so 405 stands nowhere.
        let statuses = Set(Fault.Code.allCases.map { "Fault\($0.status)" }).subtracting(["Fault405"]
        )
        #expect(described == statuses)
    }

    @Test func itsReferencesAreThere() {
        func check(_ value: CanonicalJSON) {
            switch value {
            case .object(let members):
                if case .string(let reference) = members["$ref"] {
                    let found = reference.split(separator: "/").dropFirst()
                        .reduce(CanonicalJSON.object(document) as CanonicalJSON?) {
                            member($0, String($1))
                        }
                    #expect(found != nil, "\(reference)")
                }
                members.values.forEach(check)
            case .array(let values): values.forEach(check)
            default: break
            }
        }
        check(.object(document))
    }

    @Test func theWordsOfClosedVocabulariesAgree() {
        func words(_ schema: String) -> CanonicalJSON? {
            member(document["components"], "schemas", schema, "enum")
        }
        #expect(words("Decision") == .array(PolicyAction.allCases.map { .string($0.rawValue) }))
        #expect(words("Outcome") == .array(VerdictOutcome.allCases.map { .string($0.rawValue) }))
    }
}
