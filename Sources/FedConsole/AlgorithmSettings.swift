internal import FedCore

/// Hyper-parameters on the command line.
package enum AlgorithmSettings {
    /// Names, defaults, bounds and meanings, for `--help`.
    package static var help: String {
        AlgorithmConfiguration.names.map { name in
            let lines = AlgorithmConfiguration.settings(of: name).map { setting in
                "  \(setting.name)=\(number(setting.defaultValue))  "
                    + "(\(number(setting.bounds.lowerBound)) to "
                    + "\(number(setting.bounds.upperBound)))  " + setting.description
            }
            return "Hyper-parameters of \(name), with defaults and bounds:\n"
                + lines.joined(separator: "\n")
        }.joined(separator: "\n\n")
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
