internal import Hummingbird

/// A request's query parameters, each known and given once.
struct Query: Sendable {
    private var values: [String: String] = [:]

    /// Reads the parameters that a route knows.
    init(_ request: Request, route: Route) throws(Fault) {
        for (name, value) in request.uri.queryParameters {
            guard route.parameters.contains(String(name)) else {
                throw Fault(
                    .unknownParameter, field: String(name.prefix(64)), got: "this parameter",
                    expected: route.parameters.isEmpty
                        ? "no parameters" : route.parameters.joined(separator: " | "))
            }
            guard values.updateValue(String(value), forKey: String(name)) == nil else {
                throw Fault(
                    .unknownParameter, field: String(name), got: "the parameter again",
                    expected: "each once")
            }
        }
    }

    /// A parameter as it stands there.
    subscript(_ name: String) -> String? { values[name] }

    /// A whole number within bounds.
    func integer<Number: FixedWidthInteger>(
        _ name: String, in bounds: ClosedRange<Number>, default otherwise: Number
    ) throws(Fault) -> Number {
        guard let text = values[name] else { return otherwise }
        guard let number = Number(text), bounds.contains(number) else {
            throw Fault(
                .invalidValue, field: name, got: "\"\(text.prefix(40))\"",
                expected: "a whole number in \(bounds.lowerBound)...\(bounds.upperBound)")
        }
        return number
    }

    /// One of some words.
    func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, default otherwise: Word
    ) throws(Fault) -> Word where Word.RawValue == String {
        guard let text = values[name] else { return otherwise }
        guard let word = Word(rawValue: text) else {
            throw Fault(
                .invalidValue, field: name, got: "\"\(text.prefix(40))\"",
                expected: Word.allCases.map(\.rawValue).joined(separator: " | "))
        }
        return word
    }
}

/// `true` or `false`, as a parameter.
enum Choice: String, CaseIterable {
    case `true`, `false`
}

/// The form of a list.
enum ListFormat: String, CaseIterable {
    case json, csv
}
