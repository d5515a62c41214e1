import FedCore
import FedDecision
import FedService
import FedWire
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import ServiceLifecycle
import Testing

/// Oracle: the engine, and the answers over HTTP.
@Suite("Scores over gRPC")
struct GRPCScoringTests {
    private typealias Client = Fed_V1_Scoring.Client<HTTP2ClientTransport.Posix>

    private func run(
        _ bench: Bench, _ body: @escaping @Sendable (Client) async throws -> Void
    ) async throws {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let scoring = try GRPCScoring(
            bench.service, host: "127.0.0.1", port: 0, logger: bench.logger,
            onListening: { found.yield($0) })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [scoring], logger: bench.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            try await withGRPCClient(
                transport: .http2NIOPosix(
                    target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
            ) { client in
                try await body(Client(wrapping: client))
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    private func transaction(_ bank: SmallBank, _ index: Int) -> Fed_V1_ScoredTransaction {
        var transaction = Fed_V1_ScoredTransaction()
        transaction.id = "G\(index)"
        for (feature, value) in zip(bank.standard.features, bank.row(index)) where !value.isNaN {
            transaction.features[feature.name] = value
        }
        return transaction
    }

    @Test func oneAndManyAreScoredAsOverHTTP() async throws {
        let bench = try Bench()
        let bank = bench.bank
        let engine = bench.reference.current
        try await run(bench) { client in
            var batch = Fed_V1_ScoreBatchRequest()
            batch.options.explain = .all
            batch.options.reasons = 2
            for index in 0..<20 {
                let expected = engine.score(bank.row(index))
                var request = Fed_V1_ScoreRequest()
                request.transaction = transaction(bank, index)
                let reply = try await client.score(request)
                #expect(reply.score.id == "G\(index)")
                #expect(reply.score.score == expected.parts.combined)
                #expect(reply.score.localScore == expected.parts.local)
                #expect(reply.score.probability == expected.parts.probability)
                #expect(
                    "\(reply.score.decision)".replacing("stepUp", with: "step_up")
                        == expected.decision.action.rawValue)
                #expect(reply.score.reasons.isEmpty == (expected.decision.action == .pass))
                #expect(reply.version.modelSha256 == engine.modelSHA256)
                batch.transactions.append(request.transaction)
            }
            let reply = try await client.scoreBatch(batch)
            #expect(reply.scores.map(\.id) == batch.transactions.map(\.id))
            for (index, score) in reply.scores.enumerated() {
                #expect(score.score == engine.score(bank.row(index)).parts.combined)
                let reasons = engine.reasons(for: bank.row(index), count: 2)
                #expect(score.reasons.map(\.feature) == reasons.map(\.feature))
                #expect(score.reasons.map(\.descriptionZh) == reasons.map(\.descriptionChinese))
            }
        }
    }

    @Test func whatIsWrongIsNamedAsOverHTTP() async throws {
        let bench = try Bench()
        let bank = bench.bank
        try await run(bench) { client in
            var lacking = Fed_V1_ScoreRequest()
            lacking.transaction = transaction(bank, 0)
            lacking.transaction.features["amount"] = nil
            let missing = await #expect(throws: RPCError.self) { try await client.score(lacking) }
            #expect(missing?.code == .invalidArgument)
            #expect(missing?.message.contains("\"transaction.features.amount\"") == true)
            var stray = Fed_V1_ScoreRequest()
            stray.transaction = transaction(bank, 0)
            stray.transaction.features["other"] = 1
            let unknown = await #expect(throws: RPCError.self) { try await client.score(stray) }
            #expect(unknown?.message.contains("unknown_field") == true)
            let empty = await #expect(throws: RPCError.self) {
                try await client.scoreBatch(Fed_V1_ScoreBatchRequest())
            }
            #expect(empty?.code == .invalidArgument)
        }
    }

    @Test func aTokenIsAskedForHereToo() async throws {
        let secret = String(repeating: "s3cret-", count: 6)
        let token = try AccessToken(file: Array(secret.utf8))
        let bench = try Bench { $0.token = token }
        let bank = bench.bank
        try await run(bench) { client in
            var request = Fed_V1_ScoreRequest()
            request.transaction = transaction(bank, 0)
            for header in [nil, "Bearer x", secret] as [String?] {
                var metadata = Metadata()
                if let header { metadata.addString(header, forKey: "authorization") }
                let refused = await #expect(throws: RPCError.self) {
                    try await client.score(request, metadata: metadata)
                }
                #expect(refused?.code == .unauthenticated)
            }
            let shown: Metadata = ["authorization": "Bearer \(secret)"]
            let reply = try await client.score(request, metadata: shown)
            #expect(reply.score.id == "G0")
        }
    }

    @Test func beyondLoopbackItNeedsTLSToo() throws {
        let bench = try Bench()
        #expect(throws: ServiceError.tlsRequired(host: "0.0.0.0")) {
            try GRPCScoring(bench.service, host: "0.0.0.0", port: 0, logger: bench.logger)
        }
    }
}
