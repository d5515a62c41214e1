import FedCore
import FedService
import Foundation
import Testing

@Suite("TLS of the HTTP service")
struct TLSTests {
    private let folder: ScratchFolder
    private let ours: TestCertificates
    private let others: TestCertificates

    init() throws {
        folder = try ScratchFolder()
        ours = try TestCertificates(in: folder, name: "ours")
        others = try TestCertificates(in: folder, name: "others")
    }

    private func address(_ port: Int, _ path: String = "/v1/model") throws -> WebAddress {
        try #require(WebAddress("https://127.0.0.1:\(port)\(path)"))
    }

    @Test func callersWithoutATrustedCertificateAreTurnedAwayByMutualTLS() async throws {
        let tls = try ServiceTLS(
            chain: ours.server.chain, key: ours.server.key, callers: ours.authority)
        let bench = try Bench(folder: folder) { $0.tls = tls }
        let (ours, others) = (ours, others)
        let body = bench.bank.json(bench.bank.row(0), id: "t").bytes
        try await LiveService.run(bench) { port in
            let known = try WebSender(authorities: ours.authority, certificate: ours.caller)
            #expect(try await known.send("GET", to: try address(port)).status == 200)
            let scored = try await known.send(
                "POST", to: try address(port, "/v1/score"),
                headers: [("content-type", "application/json")], body: body)
            #expect(scored.status == 200)
            for stranger in [
                try WebSender(authorities: ours.authority),
                try WebSender(authorities: ours.authority, certificate: others.caller),
            ] {
                await #expect(throws: WebSender.Failure.self) {
                    try await stranger.send("GET", to: try address(port))
                }
            }
            // And a service that another authority vouches for is none of ours.
            let suspicious = try WebSender(
                authorities: others.authority, certificate: ours.caller)
            await #expect(throws: WebSender.Failure.untrusted) {
                try await suspicious.send("GET", to: try address(port))
            }
            let plain = try #require(WebAddress("http://127.0.0.1:\(port)/healthz"))
            await #expect(throws: WebSender.Failure.self) {
                try await known.send("GET", to: plain)
            }
        }
    }

    @Test func aTokenGoesOverTLSWithoutCertificatesOfCallers() async throws {
        let secret = String(repeating: "s3cret-", count: 6)
        let tls = try ServiceTLS(chain: ours.server.chain, key: ours.server.key, callers: nil)
        let token = try AccessToken(file: Array(secret.utf8))
        let bench = try Bench(folder: folder) {
            $0.tls = tls
            $0.token = token
        }
        let ours = ours
        try await LiveService.run(bench) { port in
            let caller = try WebSender(authorities: ours.authority)
            #expect(try await caller.send("GET", to: try address(port)).status == 401)
            let shown = [(name: "authorization", value: "Bearer \(secret)")]
            #expect(
                try await caller.send("GET", to: try address(port), headers: shown).status == 200)
        }
    }

    @Test func filesOfNoUseAreNamed() throws {
        let nothing = Array("nothing".utf8)
        #expect(
            throws: ServiceError.tls(part: "certificate", reason: "expected certificates in PEM")
        ) {
            try ServiceTLS(chain: nothing, key: ours.server.key, callers: nil)
        }
        #expect(throws: ServiceError.self) {
            try ServiceTLS(chain: ours.server.chain, key: nothing, callers: nil)
        }
        #expect(throws: ServiceError.self) {
            try ServiceTLS(chain: ours.server.chain, key: ours.server.key, callers: nothing)
        }
        // A key of another certificate.
        #expect(throws: ServiceError.self) {
            try ServiceTLS(chain: ours.server.chain, key: ours.caller.key, callers: nil)
        }
    }

    @Test(arguments: [
        ("https://bank.example/hook", "bank.example", 443, "/hook"),
        ("http://127.0.0.1:81", "127.0.0.1", 81, "/"),
        ("https://[::1]:8443/a?b=c", "::1", 8443, "/a?b=c"), ("https://h?x", "h", 443, "/?x"),
    ])
    func addressesAreRead(_ text: String, _ host: String, _ port: Int, _ path: String) throws {
        let address = try #require(WebAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.path == path)
        #expect(WebAddress(address.description) == address)
    }

    @Test(arguments: [
        "", "ftp://a", "https://", "https://user@h/", "https://h:0/", "https://h:x/",
        "https://h/#a",
        "https://h/ a", "https://h/\r\nx: y", "https://a:b:c/", "h/path",
    ])
    func whatIsNoAddressIsRefused(_ text: String) { #expect(WebAddress(text) == nil) }
}
