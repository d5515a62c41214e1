/// Why the scoring service cannot start or take a new model.
package enum ServiceError: Error, Equatable, Sendable {
    /// It would listen beyond this machine without TLS.
    case tlsRequired(host: String)
    /// It would listen beyond this machine without asking callers who they are.
    case authenticationRequired(host: String)
    /// A certificate or key is of no use.
    case tls(part: String, reason: String)
    /// The token's file is of no use.
    case token(reason: String)
    /// A file cannot be read.
    case unreadable(path: String, reason: String)
    /// A file cannot be written.
    case unwritable(path: String, reason: String)
    /// A file is not what it should be.
    case invalid(path: String, reason: String)
    /// The store cannot be used.
    case store(path: String, reason: String)
    /// A newer release wrote the store.
    case newerStore(path: String, got: Int, supported: Int)
}

extension ServiceError: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch self {
        case .tlsRequired(let host):
            "listening on \(host) needs TLS; without it only loopback is allowed"
        case .authenticationRequired(let host):
            "listening on \(host) needs an access token or certificates of callers; "
                + "without either only loopback is allowed"
        case .tls(let part, let reason): "TLS, the \(part): \(reason)"
        case .token(let reason): "the access token: \(reason)"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .invalid(let path, let reason): "\(path): \(reason)"
        case .store(let path, let reason): "the store \(path): \(reason)"
        case .newerStore(let path, let got, let supported):
            "the store \(path) has schema \(got); this release knows up to \(supported)"
        }
    }
}

extension ServiceError {
    /// What mends it, for people; `nil` where the error says so itself.
    package var hint: String? {
        switch self {
        case .tlsRequired: "--tls-certificate FILE --tls-key FILE, or --http 127.0.0.1:8600"
        case .authenticationRequired: "--token FILE or --client-authority FILE"
        case .tls: "--tls-certificate, --tls-key and --client-authority name files in PEM"
        case .token: "openssl rand -base64 48 | tr -d '\\n' > FILE"
        default: nil
        }
    }
}
