internal import FedCore

/// Hyper-parameters on the command line.
package enum AlgorithmSettings {
    /// Names, defaults, bounds and meanings, for `--help`.
    package static var help: String {
        let fields = LogisticConfiguration.fields.map { field in
            "  \(field.name)=\(number(field.defaultValue))  "
                + "(\(number(field.bounds.lowerBound)) to \(number(field.bounds.upperBound)))  "
                + field.description
        }
        return "Hyper-parameters of logistic, with defaults:\n" + fields.joined(separator: "\n")
    }

    /// `name=value` settings as a JSON object.
    package static func json(of settings: [String]) throws -> String {
        var values: [String: CanonicalJSON] = [:]
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let value = Double(parts[1]), value.isFinite else {
                throw CommandFailure(
                    "--set \(setting) is not name=value with a number", exitKind: .usage)
            }
            values[String(parts[0])] = .number(value)
        }
        return String(decoding: CanonicalJSON.object(values).bytes, as: UTF8.self)
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e6 ? String(Int(value)) : String(value)
    }
}
