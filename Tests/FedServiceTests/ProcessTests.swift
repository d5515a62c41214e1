import FedCore
import FedCrypto
import FedService
import Foundation
import FoundationNetworking
import HTTPTypes
import ServiceLifecycle
import Testing

@Suite("Health, readiness, metrics, page, start and stop")
struct ProcessTests {
    @Test func healthAndReadinessSayWhatScores() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            #expect(try await caller.get("/healthz").text == #"{"status":"alive"}"#)
            let ready = try await caller.get("/readyz")
            #expect(try ready.member("status") == .string("ready"))
            let digest = CanonicalJSON.string(bench.reference.current.modelSHA256)
            #expect(try ready.member("model", "sha256") == digest)
            let model = try await caller.get("/v1/model")
            #expect(try model.member("model", "sha256") == digest)
            #expect(try model.member("thresholds", "block") == .null)
        }
    }

    /// Reads the text as Prometheus does: a name, labels, a number.
    @Test func metricsAreWellFormedAndCount() async throws {
        let bench = try Bench { configuration in
            configuration.otherMetrics = {
                [
                    MetricFamily(
                        "fed_rounds_total", .counter, "Rounds of\ntraining.",
                        [MetricFamily.Sample(3, labels: [("bank", "a\"b\\c\nd")])])
                ]
            }
        }
        try await bench.test { caller in
            for row in 0..<5 {
                _ = try await caller.post("/v1/score", bench.bank.json(bench.bank.row(row)))
            }
            _ = try await caller.post("/v1/score", Array("{".utf8))
            _ = try await caller.get("/nowhere")
            let reply = try await caller.get("/metrics")
            #expect(reply.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let line = try Regex(
                #"^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-z0-9_]+="([^"\\]|\\["\\n])*",?)+\})? [0-9.e+-]+$"#
            )
            var figures: [String: Double] = [:]
            for text in reply.text.split(separator: "\n") where !text.hasPrefix("#") {
                #expect(text.wholeMatch(of: line) != nil, "\(text)")
                let cut = text.lastIndex(of: " ") ?? text.startIndex
                figures[String(text[..<cut])] = Double(text[text.index(after: cut)...])
            }
            let score = #"{route="/v1/score",method="POST""#
            #expect(figures["fed_http_requests_total\(score),status=\"200\"}"] == 5)
            #expect(figures["fed_http_requests_total\(score),status=\"400\"}"] == 1)
            #expect(
                figures[#"fed_http_requests_total{route="unknown",method="",status="404"}"#] == 1)
            #expect(figures["fed_http_request_duration_seconds_count\(score)}"] == 6)
            #expect(figures["fed_http_request_duration_seconds_bucket\(score),le=\"+Inf\"}"] == 6)
            #expect(figures["fed_transactions_scored_total"] == 5)
            #expect(figures["fed_score_probability_count"] == 5)
            let decisions = figures.filter { $0.key.hasPrefix("fed_decisions_total") }
            #expect(decisions.values.reduce(0, +) == 5)
            #expect(decisions.count == 4)
            #expect(figures[#"fed_rounds_total{bank="a\"b\\c\nd"}"#] == 3)
            #expect(reply.text.contains("# HELP fed_rounds_total Rounds of\\ntraining.\n"))
            let info = figures.keys.first { $0.hasPrefix("fed_model_info") } ?? ""
            #expect(info.contains(bench.reference.current.modelSHA256))
        }
    }

    @Test func bucketsOfAHistogramAddUp() {
        var histogram = Histogram(bounds: [1, 2])
        for value in [0.5, 1, 1.5, 2, 7] { histogram.observe(value) }
        let samples = histogram.samples()
        #expect(samples.map(\.value) == [2, 4, 5, 12, 5])
        #expect(samples.map(\.suffix) == ["_bucket", "_bucket", "_bucket", "_sum", "_count"])
        #expect(samples[2].labels.map(\.value) == ["+Inf"])
    }

    @Test func thePageIsSelfContainedAndItsPolicyNamesItsScript() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let page = try await caller.get("/")
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            let html = page.text
            for foreign in ["http://", "https://", "//cdn", "@import", "innerHTML", "eval("]
            where foreign != "http://"
                || html.replacing("http://www.w3.org/2000/svg", with: "")
                    .contains(foreign)
            {
                #expect(!html.contains(foreign), "\(foreign)")
            }
            let name = try #require(HTTPField.Name("Content-Security-Policy"))
            let policy = try #require(page.headers[name])
            for tag in ["script", "style"] {
                let start = try #require(html.firstRange(of: "<\(tag)>")).upperBound
                let end = try #require(html.firstRange(of: "</\(tag)>")).lowerBound
                let digest = Data(SHA256.hash(Array(html[start..<end].utf8)))
                #expect(policy.contains("'sha256-\(digest.base64EncodedString())'"), "\(tag)")
            }
            #expect(!html.contains(" onclick="))
        }
    }

    @Test func thePagesWordsAreThereInBothLanguages() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let html = try await caller.get("/").text
            let start = try #require(html.firstRange(of: "  en: {"))
            let middle = try #require(html.firstRange(of: "  zh: {"))
            let end = try #require(html.firstRange(of: "const $ ="))
            func keys(_ text: Substring) throws -> Set<String> {
                let key = try Regex(#"[,{\s]([a-z_]+): ""#, as: (Substring, Substring).self)
                return Set(text.matches(of: key).map { String($0.output.1) })
            }
            let english = try keys(html[start.lowerBound..<middle.lowerBound])
            let chinese = try keys(html[middle.lowerBound..<end.lowerBound])
            #expect(english.count > 50)
            #expect(english == chinese)
            let used = try Regex(#"data-t="([a-z_]+)""#, as: (Substring, Substring).self)
            for place in html.matches(of: used) {
                #expect(english.contains(String(place.output.1)), "\(place.output.1)")
            }
        }
    }

    @Test func aLiveServiceListensOnLoopbackAndStopsWhenAsked() async throws {
        let folder = try ScratchFolder()
        let bank = try SmallBank()
        var configuration = ServiceConfiguration()
        configuration.port = 0
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let bench = try Bench(folder: folder)
        let service = try ScoringService(
            configuration, reference: EngineReference(try bank.engine()),
            store: try ReviewStore(path: folder.file("live.sqlite")), logger: bench.logger,
            onListening: { found.yield($0) })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [service], logger: bench.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            let address = try #require(URL(string: "http://127.0.0.1:\(port)/v1/score"))
            for row in 0..<20 {
                var request = URLRequest(url: address)
                request.httpMethod = "POST"
                request.setValue("application/json", forHTTPHeaderField: "Content-Type")
                request.httpBody = Data(bank.json(bank.row(row), id: "\(row)").bytes)
                let (body, response) = try await URLSession.shared.data(for: request)
                #expect((response as? HTTPURLResponse)?.statusCode == 200)
                let text = String(decoding: body, as: UTF8.self)
                #expect(text.contains("\"id\":\"\(row)\""))
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
