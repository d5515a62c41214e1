import Foundation

/// Checks a JSON value against the part of JSON Schema that our schemas use.
struct SchemaCheck {
    private let root: [String: Any]
    private(set) var faults: [String] = []

    /// Reads a schema from `Schemas/`.
    init(schema name: String) throws {
        let url = Programs.root.appendingPathComponent("Schemas/\(name)")
        root =
            try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? [:]
    }

    /// Checks a document.
    mutating func check(_ document: Any) { check(document, root, at: "$") }

    private mutating func check(_ value: Any, _ schema: [String: Any], at path: String) {
        if let reference = schema["$ref"] as? String {
            let name = reference.split(separator: "/").last.map(String.init) ?? ""
            guard let target = (root["$defs"] as? [String: Any])?[name] as? [String: Any] else {
                faults.append("\(path): no definition \(name)")
                return
            }
            check(value, target, at: path)
        }
        if let constant = schema["const"] as? String, value as? String != constant {
            faults.append("\(path) is not \(constant)")
        }
        let types = schema["type"] as? [String] ?? (schema["type"] as? String).map { [$0] } ?? []
        if !types.isEmpty, !types.contains(where: { isOf($0, value) }) {
            faults.append("\(path) is not of type \(types)")
        }
        if let pattern = schema["pattern"] as? String, let text = value as? String,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            faults.append("\(path) does not match \(pattern)")
        }
        if let number = value as? Double {
            if let minimum = schema["minimum"] as? Double, number < minimum {
                faults.append("\(path) is below \(minimum)")
            }
            if let maximum = schema["maximum"] as? Double, number > maximum {
                faults.append("\(path) is above \(maximum)")
            }
        }
        if let members = value as? [String: Any] { check(members: members, schema, at: path) }
        if let items = value as? [Any], let schema = schema["items"] as? [String: Any] {
            for (index, item) in items.enumerated() { check(item, schema, at: "\(path)[\(index)]") }
        }
    }

    private mutating func check(
        members: [String: Any], _ schema: [String: Any], at path: String
    ) {
        for name in schema["required"] as? [String] ?? [] where members[name] == nil {
            faults.append("\(path) lacks \(name)")
        }
        let known = schema["properties"] as? [String: [String: Any]] ?? [:]
        for (name, member) in members {
            if let schema = known[name] ?? schema["additionalProperties"] as? [String: Any] {
                check(member, schema, at: "\(path).\(name)")
            } else if schema["additionalProperties"] as? Bool == false {
                faults.append("\(path) has \(name), which the schema does not have")
            }
        }
    }

    private func isOf(_ type: String, _ value: Any) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "null": value is NSNull
        case "boolean": value is Bool
        case "integer": value is Int
        case "number": value is Double
        default: false
        }
    }
}
