internal import HTTPTypes
internal import Hummingbird

/// Who may ask.
struct Gate: Sendable {
    let token: AccessToken?
    /// Whether connections already show who calls.
    var hasCertificates = false

    /// Lets a request through, or says why not.
    ///
    /// Without a token and certificates only callers on this machine are served, and they must mean this machine: a
    /// web page elsewhere that points its own name here, or that makes the reviewer's browser post
    /// here, is refused.
    func check(_ route: Route, _ request: Request) throws(Fault) {
        try check(
            route,
            Caller(
                host: request.head.authority, authorization: request.headers[.authorization],
                origin: request.headers[.origin]))
    }

    /// What a request says of its caller.
    struct Caller {
        let host: String?
        let authorization: String?
        let origin: String?
    }

    func check(_ route: Route, _ caller: Caller) throws(Fault) {
        if !route.isOpen, let token {
            try check(token, caller.authorization)
        } else if token == nil, !hasCertificates {
            let name = Self.hostName(caller.host ?? "")
            guard ServiceConfiguration.isLoopback(name) else {
                throw Fault(
                    .forbidden, field: "Host", got: "another name", expected: "a loopback address")
            }
        }
        guard route.method != "GET", let origin = caller.origin else { return }
        guard let start = origin.firstRange(of: "://"),
            origin[start.upperBound...] == (caller.host ?? "")
        else {
            throw Fault(
                .forbidden, field: "Origin", got: "another site", expected: "this service's page")
        }
    }

    private func check(_ token: AccessToken, _ header: String?) throws(Fault) {
        let expected = "Authorization: Bearer and the service's token"
        guard let header else {
            throw Fault(
                .unauthorised, field: "Authorization", got: "nothing", expected: expected)
        }
        let scheme = "bearer "
        guard header.prefix(scheme.count).lowercased() == scheme,
            token.isShown(by: header.dropFirst(scheme.count).utf8)
        else {
            throw Fault(
                .unauthorised, field: "Authorization", got: "something else", expected: expected)
        }
    }

    /// The name in `name:port`.
    private static func hostName(_ authority: String) -> String {
        if authority.hasPrefix("[") {
            return String(authority.prefix { $0 != "]" }) + "]"
        }
        return String(authority.prefix { $0 != ":" })
    }
}
