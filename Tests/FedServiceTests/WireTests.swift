import FedCore
import FedDecision
import FedService
import Foundation
import Testing

/// Requests as bytes on a connection, where plain scores are answered before Hummingbird sees them.
@Suite("Requests on the wire")
struct WireTests {
    private func request(
        _ body: [UInt8], path: String = "/v1/score", fields: [String] = []
    ) -> String {
        """
        POST \(path) HTTP/1.1\r
        Host: 127.0.0.1\r
        Content-Type: application/json\r
        Content-Length: \(body.count)\r
        \(fields.map { $0 + "\r\n" }.joined())\r
        \(String(decoding: body, as: UTF8.self))
        """
    }

    /// Status and body of each answer.
    private func answers(_ text: String) throws -> [(status: Int, head: String, body: String)] {
        var answers: [(status: Int, head: String, body: String)] = []
        var rest = text[...]
        while let end = rest.firstRange(of: "\r\n\r\n") {
            let head = String(rest[..<end.lowerBound])
            let field = try #require(head.lowercased().firstRange(of: "content-length: "))
            let digits = head.lowercased()[field.upperBound...].prefix { $0.isNumber }
            let length = try #require(Int(digits))
            let body = rest[end.upperBound...].utf8.prefix(length)
            answers.append(
                (Int(head.dropFirst(9).prefix(3)) ?? 0, head, String(decoding: body, as: UTF8.self))
            )
            rest = rest[body.endIndex...]
        }
        return answers
    }

    /// Plain scores, batches, faults and other routes take different ways through the service; on
    /// one connection answers come in the order of requests, however they are mixed.
    @Test func answersKeepTheOrderOfRequests() async throws {
        let bench = try Bench()
        let bank = bench.bank
        try await LiveService.run(bench) { port in
            var text = ""
            var expected: [(Int, String)] = []
            var random = SeededRandom(seed: 7)
            for number in 0..<40 {
                let id = "N\(number)"
                let one = bank.json(bank.row(number), id: id)
                switch Int.random(in: 0..<5, using: &random) {
                case 0:
                    text += request(CanonicalJSON.array([one]).bytes)
                    expected.append((200, "\"results\":["))
                case 1:
                    text += request(Array("{\"id\":\"\(id)\"}".utf8))
                    expected.append((422, "missing_field"))
                case 2:
                    text += "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    expected.append((200, "alive"))
                default:
                    text += request(one.bytes)
                    expected.append((200, "\"id\":\"\(id)\""))
                }
            }
            text += request(
                bank.json(bank.row(0), id: "last").bytes, fields: ["Connection: close"])
            expected.append((200, "\"id\":\"last\""))
            let found = try answers(await PlainConnection.exchange(port: port, text))
            #expect(found.count == expected.count)
            for (answer, expected) in zip(found, expected) {
                #expect(answer.status == expected.0)
                #expect(answer.body.contains(expected.1), "\(answer.body)")
            }
        }
    }

    /// A plain body and one that only the general reader takes get the same answer.
    @Test func bothWaysGiveTheSameAnswer() async throws {
        let bench = try Bench()
        let bank = bench.bank
        try await LiveService.run(bench) { port in
            for query in ["", "?explain=all", "?explain=all&reasons=1", "?explain=none"] {
                for row in 0..<10 {
                    let plain = bank.json(bank.row(row), id: "A").bytes
                    let other = String(decoding: plain, as: UTF8.self)
                        .replacing("\"A\"", with: "\"\\u0041\"")
                    let path = "/v1/score" + query
                    let text =
                        request(plain, path: path)
                        + request(Array(other.utf8), path: path, fields: ["Connection: close"])
                    let found = try answers(await PlainConnection.exchange(port: port, text))
                    #expect(found.count == 2)
                    #expect(found.first?.status == 200)
                    #expect(found.first?.body == found.last?.body)
                }
            }
        }
    }

    /// What a loop finds at once beyond the bound is refused at once, and says when to come again.
    @Test func moreThanIsWorkedOnAtOnceIsShed() async throws {
        let bench = try Bench { $0.limits.requestsInFlightMax = 3 }
        let bank = bench.bank
        try await LiveService.run(bench) { port in
            let one = request(bank.json(bank.row(1), id: "x").bytes)
            let text =
                String(repeating: one, count: 400)
                + "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let found = try answers(await PlainConnection.exchange(port: port, text))
            #expect(found.count == 401)
            let shed = found.filter { $0.status == 503 }
            #expect(shed.count > 100)
            #expect(found.count { $0.status == 200 } == 401 - shed.count)
            #expect(found.first?.status == 200)
            for answer in shed {
                #expect(answer.head.lowercased().contains("retry-after: 1"))
                #expect(answer.body.contains("overloaded"))
            }
            // Refusing is no end: the next request is served.
            let next = try answers(
                await PlainConnection.exchange(
                    port: port,
                    request(bank.json(bank.row(1)).bytes, fields: ["Connection: close"])))
            #expect(next.map(\.status) == [200])
        }
    }
}
