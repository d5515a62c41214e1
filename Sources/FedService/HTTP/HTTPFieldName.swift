internal import HTTPTypes

/// Names of header fields that the library does not list.
enum HTTPFieldName {
    static let contentSecurityPolicy = HTTPField.Name("Content-Security-Policy")
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")
    static let idempotentReplay = HTTPField.Name("Idempotent-Replay")
}
