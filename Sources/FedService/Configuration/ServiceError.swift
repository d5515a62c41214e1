/// Why the scoring service cannot start or take a new model.
package enum ServiceError: Error, Equatable, Sendable {
    /// It would listen beyond this machine without asking callers for a token.
    case tokenRequired(host: String)
    /// The token's file is of no use.
    case token(reason: String)
    /// A file cannot be read.
    case unreadable(path: String, reason: String)
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
        case .tokenRequired(let host):
            "listening on \(host) needs an access token; without one only loopback is allowed"
        case .token(let reason): "the access token: \(reason)"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
        case .invalid(let path, let reason): "\(path): \(reason)"
        case .store(let path, let reason): "the store \(path): \(reason)"
        case .newerStore(let path, let got, let supported):
            "the store \(path) has schema \(got); this release knows up to \(supported)"
        }
    }
}
