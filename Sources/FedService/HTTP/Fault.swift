package import FedCore
internal import FedDecision

/// A request that is not served, as the caller is told: one JSON object that names the field, what
/// it held and what was expected.
package struct Fault: Error, Equatable, Sendable {
    /// What went wrong, one word for programs.
    package enum Code: String, CaseIterable, Sendable {
        case invalidJSON = "invalid_json"
        case invalidValue = "invalid_value"
        case missingField = "missing_field"
        case unknownField = "unknown_field"
        case wrongType = "wrong_type"
        case unknownParameter = "unknown_parameter"
        case unauthorised = "unauthorised"
        case forbidden
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case conflict
        case tooLarge = "too_large"
        case unsupportedType = "unsupported_type"
        case tooManyBatches = "too_many_batches"
        case overloaded
        case internalFailure = "internal_failure"

        /// The HTTP status.
        package var status: Int {
            switch self {
            case .invalidJSON: 400
            case .invalidValue, .missingField, .unknownField, .wrongType: 422
            case .unknownParameter: 400
            case .unauthorised: 401
            case .forbidden: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .conflict: 409
            case .tooLarge: 413
            case .unsupportedType: 415
            case .tooManyBatches: 429
            case .overloaded: 503
            case .internalFailure: 500
            }
        }
    }

    /// What went wrong.
    package let code: Code
    /// The place in the request, such as `[3].features.amount`; empty for the request as a whole.
    package let field: String
    /// What was there.
    package let got: String
    /// What should have been.
    package let expected: String

    /// Wraps a fault.
    package init(_ code: Code, field: String = "", got: String, expected: String) {
        self.code = code
        self.field = field
        self.got = got
        self.expected = expected
    }

    /// The answer's body.
    package var json: CanonicalJSON {
        .object([
            "error": .object([
                "code": .string(code.rawValue), "field": .string(field), "got": .string(got),
                "expected": .string(expected),
            ])
        ])
    }

    /// Seconds after which the same request may well be served.
    package var retryAfterSeconds: Int? {
        code == .overloaded || code == .tooManyBatches ? 1 : nil
    }
}

extension Fault {
    /// More requests at once than are worked on.
    static func overloaded(_ limits: ServiceConfiguration.Limits) -> Fault {
        Fault(
            .overloaded, got: "more requests than are worked on at once",
            expected: "at most \(limits.requestsInFlightMax)")
    }

    /// Says what a strict reader found.
    init(_ error: DocumentError) {
        switch error {
        case .tooLarge(let got, let most):
            self.init(.tooLarge, got: "\(got) bytes", expected: "at most \(most) bytes")
        case .notJSON(let place):
            self.init(
                .invalidJSON, got: "something else at byte \(place)",
                expected: "one JSON value in UTF-8")
        case .unknownFormat(let got, let expected):
            self.init(.invalidValue, field: "format", got: got, expected: expected)
        case .missingMember(let place):
            self.init(.missingField, field: place, got: "nothing", expected: "a value")
        case .unknownMember(let place):
            self.init(.unknownField, field: place, got: "this field", expected: "no such field")
        case .repeatedMember(let name, let place):
            self.init(
                .invalidJSON, field: name, got: "the field again at byte \(place)",
                expected: "each field once")
        case .wrongType(let place, let expected):
            self.init(.wrongType, field: place, got: "another type", expected: expected)
        case .invalidValue(let place, let got, let expected):
            self.init(.invalidValue, field: place, got: got, expected: expected)
        case .notCanonical:
            self.init(.invalidJSON, got: "another spelling", expected: "canonical JSON")
        }
    }
}

extension CanonicalJSON {
    /// The type, or the value where it is short, for a fault's `got`.
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): String(decoding: CanonicalJSON.number(value).bytes, as: UTF8.self)
        case .string(let text): text.utf8.count <= 40 ? "\"\(text)\"" : "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
