import FedCore
import FedDecision
import FedService
import Foundation
import Hummingbird
import Logging
import Testing

/// Raw transactions against the windows' engine as files are derived by it.
@Suite("Features are derived of raw transactions online")
struct RawTests {
    private static let document = """
        {"format": "fed-derivation/1", "name": "small", "version": 1, "description": "For tests.",
         "standard": "small", "label_delay": 100, "ties": "together",
         "columns": [
          {"name": "t", "role": "time", "type": "integer"},
          {"name": "card", "role": "entity", "type": "text", "missing": "refuse"},
          {"name": "sum", "role": "amount", "type": "number", "missing": "refuse"},
          {"name": "fraud", "role": "label", "type": "integer"}],
         "features": [
          {"name": "amount", "value": {"op": "copy", "column": "sum"}},
          {"name": "count", "value": {"op": "count", "by": ["card"],
            "window": {"far": 500, "near": 0}}},
          {"name": "night", "value": {"op": "fraud_share", "by": ["card"],
            "window": {"far": 1000, "after_label_delay": true}}}]}
        """

    private struct Raw: Sendable {
        let id: String
        let time: Int64
        let card: String
        let sum: Double
        let isFraud: Bool

        var json: CanonicalJSON {
            .object([
                "id": .string(id),
                "transaction": .object([
                    "t": .integer(time), "card": .string(card), "sum": .number(sum),
                ]),
            ])
        }
    }

    private let derivation: Derivation
    private let folder: ScratchFolder
    private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    init() throws {
        derivation = try Derivation(json: Array(Self.document.utf8))
        folder = try ScratchFolder()
    }

    private func payments(_ count: Int, seed: UInt64) -> [Raw] {
        var random = SeededRandom(seed: seed)
        var time: Int64 = 1000
        return (0..<count).map { index in
            time += index == 1 ? 7 : Int64.random(in: 0...20, using: &random)
            return Raw(
                id: "P\(seed)-\(index)", time: time,
                card: "K\(Int.random(in: 0..<5, using: &random))",
                sum: (random.unit() * 9000).rounded(), isFraud: random.unit() < 0.3)
        }
    }

    private func deriver(
        _ settings: RawDeriver.Settings = RawDeriver.Settings(), file: String = "raw.sqlite"
    ) throws -> RawDeriver {
        try RawDeriver(derivation, path: folder.file(file), settings: settings, logger: logger)
    }

    private func asked(_ payments: [Raw]) -> [RawDeriver.Asked] {
        payments.map { payment in
            guard case .object(let members) = payment.json else {
                return RawDeriver.Asked(id: payment.id, document: .null, place: "")
            }
            return RawDeriver.Asked(
                id: payment.id, document: members["transaction"] ?? .null, place: "")
        }
    }

    /// The features of a file with the same rows, labels known from the start.
    private func batch(_ payments: [Raw]) throws -> [[Double]] {
        var state = DerivationState(derivation)
        var features: [[Double]] = []
        var start = 0
        while start < payments.count {
            let end =
                payments[start...].firstIndex { $0.time != payments[start].time } ?? payments.count
            let rows = payments[start..<end].enumerated().map { offset, payment in
                RawRow(
                    time: payment.time, number: Int64(start + offset), isFraud: payment.isFraud,
                    numbers: [payment.sum], entities: [EntityKey(name: Array(payment.card.utf8))])
            }
            features += try state.apply(together: rows)
            start = end
        }
        return features
    }

    /// In pieces, with restarts in between, labels as they become known: the same as from a file.
    @Test func onlineIsTheSameAsFromAFile() async throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed + 100)
            let payments = payments(300, seed: seed)
            let expected = try batch(payments)
            var settings = RawDeriver.Settings()
            settings.snapshotEvery = 40
            let file = "raw-\(seed).sqlite"
            var deriver = try deriver(settings, file: file)
            var found: [[Double]] = []
            while found.count < payments.count {
                // A piece never cuts through rows of one time, which a file gives together.
                var end = min(payments.count, found.count + Int.random(in: 1...4, using: &random))
                while end < payments.count, payments[end].time == payments[end - 1].time {
                    end += 1
                }
                let piece = payments[found.count..<end]
                found += try await deriver.derive(asked(Array(piece)))
                for payment in piece {
                    #expect(try await deriver.learn(payment.id, isFraud: payment.isFraud))
                }
                switch Int.random(in: 0..<4, using: &random) {
                case 0: deriver = try self.deriver(settings, file: file)
                case 1: await deriver.saveSnapshot()
                default: break
                }
            }
            #expect(found == expected, "seed \(seed)")
            let again = try self.deriver(settings, file: file)
            #expect(await again.stateBytes == deriver.stateBytes, "seed \(seed)")
        }
    }

    @Test func theSameTransactionIsTakenOnceAndAnotherOfItsNameIsRefused() async throws {
        let payments = payments(20, seed: 9)
        let first = try deriver()
        let features = try await first.derive(asked(payments))
        #expect(try await first.derive(asked(payments)) == features)
        #expect(try await first.derive(asked(payments + payments)) == features + features)
        let restarted = try deriver()
        #expect(
            try await restarted.derive(asked(Array(payments.reversed()))) == features.reversed())
        #expect(await restarted.stateBytes == first.stateBytes)
        let other = Raw(
            id: payments[3].id, time: payments[3].time, card: "K9", sum: 1, isFraud: false)
        let fault = await #expect(throws: Fault.self) {
            try await restarted.derive(asked([other]))
        }
        #expect(fault?.code == .conflict)
        #expect(await restarted.stateBytes == first.stateBytes)
    }

    @Test func callersAtTheSameTimeAreAllTakenOnce() async throws {
        let deriver = try deriver()
        let one = Raw(id: "X", time: 5000, card: "K", sum: 2, isFraud: false)
        let asked = asked([one])
        let rows = try await withThrowingTaskGroup(of: [[Double]].self) { group in
            for _ in 0..<50 { group.addTask { try await deriver.derive(asked) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(rows.count == 50)
        #expect(rows.allSatisfy { $0 == [2, 1, 0] })
    }

    @Test func timeMayGoBackALittle() async throws {
        let deriver = try deriver()
        func pay(_ id: String, _ time: Int64) async throws -> [[Double]] {
            try await deriver.derive(
                asked([Raw(id: id, time: time, card: "K", sum: 1, isFraud: false)]))
        }
        #expect(try await pay("a", 10_000) == [[1, 1, 0]])
        #expect(try await pay("b", 9_950) == [[1, 2, 0]])
        let fault = await #expect(throws: Fault.self) { _ = try await pay("c", 9_000) }
        #expect(fault?.code == .conflict)
        #expect(try await pay("d", 10_001) == [[1, 3, 0]])
    }

    @Test func moreThanTheDiskKeepsUpWithIsShed() async throws {
        var settings = RawDeriver.Settings()
        settings.waitingMax = 10
        let deriver = try deriver(settings)
        let fault = await #expect(throws: Fault.self) {
            try await deriver.derive(asked(payments(11, seed: 1)))
        }
        #expect(fault?.code == .overloaded)
        #expect(try await deriver.derive(asked(payments(10, seed: 1))).count == 10)
    }

    @Test func anotherDerivationsWindowsAreRefused() async throws {
        let deriver = try deriver()
        _ = try await deriver.derive(asked(payments(5, seed: 1)))
        await deriver.saveSnapshot()
        let other = try Derivation(
            json: Array(Self.document.replacing("\"far\": 500", with: "\"far\": 600").utf8))
        #expect(throws: ServiceError.self) {
            try RawDeriver(other, path: folder.file("raw.sqlite"), logger: logger)
        }
    }

    @Test func theRouteScoresWhatItDerives() async throws {
        let bench = try Bench()
        let service = try ScoringService(
            bench.configuration, reference: bench.reference, store: bench.store,
            deriver: try deriver(), logger: bench.logger)
        let caller = Caller(responder: service.application.responder, logger: bench.logger)
        let engine = bench.reference.current
        let payments = payments(30, seed: 4)
        let expected = try batch(payments)
        let one = try await caller.post("/v1/score", payments[0].json)
        #expect(one.status == 200)
        #expect(
            try one.member("score") == .number(engine.score(expected[0]).parts.combined))
        let list = try await caller.post("/v1/score", .array(payments.map(\.json)))
        #expect(list.status == 200)
        // No label is known, so no card has a share of frauds yet.
        for (index, row) in expected.enumerated() {
            let features = [row[0], row[1], 0]
            #expect(
                try list.member("results", "\(index)", "score")
                    == .number(engine.score(features).parts.combined), "row \(index)")
        }
        let labels = try await caller.post(
            "/v1/labels",
            .array([
                .object(["id": .string(payments[0].id), "fraud": .bool(true)]),
                .object(["id": .string("no"), "fraud": .bool(false)]),
            ]))
        #expect(labels.text == "{\"learnt\":1,\"unknown\":[\"no\"]}")
        for (body, fault) in [
            ("{\"id\":\"a\",\"transaction\":{\"t\":1}}", "422 missing_field transaction.card"),
            ("{\"transaction\":{\"t\":1}}", "422 missing_field id"),
            ("{\"id\":\"a\",\"transaction\":{},\"features\":{}}", "422 unknown_field features"),
            (
                "{\"id\":\"a\",\"transaction\":{\"t\":9000,\"card\":\"K\",\"sum\":\"x\"}}",
                "422 wrong_type transaction.sum"
            ),
            (
                "{\"id\":\"a\",\"transaction\":{\"t\":9000,\"card\":\"K\",\"sum\":1,\"x\":1}}",
                "422 unknown_field transaction.x"
            ),
        ] {
            #expect(try await caller.post("/v1/score", Array(body.utf8)).fault() == fault)
        }
        let without = Caller(responder: bench.service.application.responder, logger: bench.logger)
        #expect(
            try await without.post("/v1/score", payments[0].json).fault()
                == "422 unknown_field transaction")
    }
}
