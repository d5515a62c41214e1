import FedCore
import FedService
import HTTPTypes
import Testing

@Suite("Who may ask")
struct AccessTests {
    private static let secret = String(repeating: "s3cret-", count: 6)

    @Test(arguments: [
        ("127.0.0.1", true), ("127.8.9.1", true), ("localhost", true), ("::1", true),
        ("0.0.0.0", false), ("::", false), ("10.0.0.1", false), ("127.0.0.1.example.com", false),
        ("127.example", false), ("", false), ("1127.0.0.1", false),
    ])
    func beyondLoopbackTLSAndKnownCallersAreRequired(_ host: String, _ isLoopback: Bool) throws {
        var configuration = ServiceConfiguration()
        configuration.host = host
        #expect(configuration.isLoopback == isLoopback)
        guard !isLoopback else { return }
        let certificates = try TestCertificates(in: try ScratchFolder(), name: "ca")
        let token = try AccessToken(file: Array(Self.secret.utf8))
        let server = certificates.server
        func tls(callers: [UInt8]?) throws -> ServiceTLS {
            try ServiceTLS(chain: server.chain, key: server.key, callers: callers)
        }
        func open(_ tls: ServiceTLS?, _ token: AccessToken?) throws {
            _ = try Bench {
                $0.host = host
                $0.tls = tls
                $0.token = token
            }
        }
        #expect(throws: ServiceError.tlsRequired(host: host)) { try open(nil, nil) }
        #expect(throws: ServiceError.tlsRequired(host: host)) { try open(nil, token) }
        #expect(throws: ServiceError.authenticationRequired(host: host)) {
            try open(try tls(callers: nil), nil)
        }
        try open(try tls(callers: nil), token)
        try open(try tls(callers: certificates.authority), nil)
    }

    @Test func withATokenOnlyItsBearersAreServed() async throws {
        let token = try AccessToken(file: Array((Self.secret + "\n").utf8))
        let bench = try Bench { $0.token = token }
        try await bench.test { caller in
            for route in Route.allCases {
                let path = route.path.replacing("{list}", with: "L000001")
                let method: HTTPRequest.Method = route.method == "GET" ? .get : .post
                for header in [
                    nil, "Bearer", "Bearer ", "Basic \(Self.secret)", "Bearer \(Self.secret)x",
                    "Bearer " + Self.secret.dropLast(),
                    "Bearer " + String(repeating: "x", count: 600),
                ] {
                    var stranger = caller
                    stranger.headers[.authorization] = header
                    let reply = try await stranger.ask(path, method, nil, "application/json")
                    if route.isOpen {
                        #expect(reply.status == 200, "\(route)")
                    } else {
                        #expect(try reply.fault() == "401 unauthorised Authorization", "\(route)")
                        #expect(reply.headers[.wwwAuthenticate] == "Bearer")
                    }
                }
            }
            var bearer = caller
            bearer.headers[.authorization] = "bearer " + Self.secret
            #expect(try await bearer.get("/v1/model").status == 200)
            #expect(try await bearer.get("/metrics").status == 200)
        }
    }

    @Test(arguments: ["", "short", String(repeating: "x", count: 513), "white space " + secret])
    func tokensOfNoUseAreRefused(_ text: String) {
        #expect(throws: ServiceError.self) { _ = try AccessToken(file: Array(text.utf8)) }
    }

    @Test func aTokenIsNotPrinted() throws {
        let token = try AccessToken(file: Array(Self.secret.utf8))
        #expect(!"\(token)".contains("s3cret"))
        #expect(!String(reflecting: token).contains("s3cret"))
    }

    @Test func anotherSitesPageCannotPostThroughTheReviewersBrowser() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            var stranger = caller
            stranger.headers[.origin] = "https://evil.example"
            let reply = try await stranger.post("/v1/score", bench.bank.json([1, 2, 0]))
            #expect(try reply.fault() == "403 forbidden Origin")
            var own = caller
            own.headers[.origin] = "http://localhost"
            #expect(try await own.post("/v1/score", bench.bank.json([1, 2, 0])).status == 200)
        }
    }

    @Test func aNameFromElsewhereThatPointsHereIsRefusedWithoutAToken() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            for (authority, status) in [
                ("127.0.0.1:8600", 200), ("localhost", 200), ("[::1]:8600", 200),
                ("rebound.example:8600", 403), ("", 403), ("127.0.0.1.example", 403),
            ] {
                var named = caller
                named.authority = authority
                let reply = try await named.get("/v1/model")
                #expect(reply.status == status, "\(authority)")
            }
        }
    }

    @Test func unknownPathsAndMethodsAreNamed() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            #expect(try await caller.get("/v2/score").fault() == "404 not_found path")
            #expect(try await caller.get("/v1/lists/a/b").fault() == "404 not_found path")
            let method = try await caller.get("/v1/score")
            #expect(try method.fault() == "405 method_not_allowed method")
            #expect(
                try await caller.ask("/v1/lists", .delete, nil, nil).fault()
                    == "405 method_not_allowed method")
        }
    }
}
