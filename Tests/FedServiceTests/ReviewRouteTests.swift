import FedCore
import FedDecision
import FedService
import Foundation
import HTTPTypes
import Testing

@Suite("Lists, cases, verdicts and their effect over HTTP")
struct ReviewRouteTests {
    /// Posts transactions of so many entities, two each; entity e0 loses most.
    private func record(_ bench: Bench, _ caller: Caller, entities: Int = 10) async throws {
        let rows = (0..<entities * 2).map { index in
            bench.bank.json(
                [9000 - Double(index), 30, 1], id: "t\(index)", entity: "e\(index / 2)",
                amount: Int64(1_000_000 - index * 20_000))
        }
        let reply = try await caller.post("/v1/score?record=true", .array(rows))
        #expect(reply.status == 200)
    }

    private let order = CanonicalJSON.object([
        "capacity": .integer(4), "exploration_share": .number(0.25),
    ])

    private func entities(_ list: CanonicalJSON) -> [String] {
        guard case .object(let members) = list, case .array(let entries) = members["entries"]
        else { return [] }
        return entries.compactMap { entry in
            guard case .object(let members) = entry, case .string(let name) = members["entity"]
            else { return nil }
            return name
        }
    }

    @Test func aListRanksWhatWasRecordedAndComesAsJSONAndCSV() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            #expect(try await caller.get("/v1/lists/latest").fault() == "404 not_found list")
            try await record(bench, caller)
            let made = try await caller.post("/v1/lists", order)
            #expect(made.status == 201)
            let names = entities(try made.json())
            #expect(names.count == 4)
            #expect(Array(names.prefix(3)) == ["e0", "e1", "e2"])
            #expect(try made.member("entries", "3", "slice") == .string("explored"))
            #expect(try made.member("entries", "0", "case") == .string("L000001/1"))
            guard case .array(let reasons) = try made.member("entries", "0", "reasons") else {
                Issue.record("no reasons")
                return
            }
            let worst = bench.reference.current.reasons(for: [9000, 30, 1], count: 5)
            #expect(reasons.map(\.bytes) == worst.map(\.json.bytes))

            #expect(try await caller.get("/v1/lists/latest").bytes == made.bytes)
            #expect(try await caller.get("/v1/lists/L000001?format=json").bytes == made.bytes)
            let csv = try await caller.get("/v1/lists/latest?format=csv")
            #expect(csv.headers[.contentType] == "text/csv; charset=utf-8")
            let lines = csv.text.split(separator: "\r\n")
            #expect(lines.count == 5)
            #expect(lines[1].hasPrefix("1,L000001/1,e0,"))
            let lists = try await caller.get("/v1/lists")
            #expect(try lists.member("lists", "0", "entries") == .integer(4))
            #expect(try await caller.get("/v1/lists/L000009").fault() == "404 not_found list")
        }
    }

    @Test func entitiesWithOpenOrRecentlyClosedCasesStayOffTheNextList() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            try await record(bench, caller)
            let first = entities(try await caller.post("/v1/lists", order).json())
            let second = entities(try await caller.post("/v1/lists", order).json())
            #expect(Set(first).isDisjoint(with: second))
            bench.clock.now += 60
            let verdict = CanonicalJSON.object([
                "case": .string("L000001/1"), "entity": .string("e0"),
                "verdict": .string("false_alarm"), "reviewer": .string("li"),
            ])
            #expect(try await caller.post("/v1/verdicts", verdict).status == 200)
            let third = entities(try await caller.post("/v1/lists", order).json())
            #expect(!third.contains("e0"))
            let unrested = CanonicalJSON.object([
                "capacity": .integer(4), "rest_seconds": .integer(0),
            ])
            let fourth = entities(try await caller.post("/v1/lists", unrested).json())
            #expect(fourth.contains("e0"))
        }
    }

    @Test func verdictsAreTakenFromJSONAndCSVAndShownWithTheirCases() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            try await record(bench, caller)
            _ = try await caller.post("/v1/lists", order)
            bench.clock.now += 60
            func verdict(
                _ rank: Int, _ entity: String, _ word: String, kept: Int64 = 0, at time: Int64
            ) -> CanonicalJSON {
                .object([
                    "case": .string("L000001/\(rank)"), "entity": .string(entity),
                    "verdict": .string(word), "amount_kept": .integer(kept),
                    "decided_at": .integer(time), "reviewer": .string("li"),
                ])
            }
            let now = bench.clock.now
            let reply = try await caller.post(
                "/v1/verdicts",
                .array([
                    verdict(1, "e0", "confirmed_fraud", kept: 12_345, at: now),
                    verdict(2, "e1", "false_alarm", at: now),
                    verdict(2, "e1", "false_alarm", at: now),
                    verdict(1, "e0", "false_alarm", at: now - 10),
                    verdict(3, "e9", "unclear", at: now), verdict(99, "e0", "unclear", at: now),
                    verdict(3, "e2", "unclear", at: now - 3600),
                ]))
            let receptions = [
                "stands", "stands", "known", "superseded", "unknown_case", "unknown_case",
                "before_listing",
            ]
            for (index, reception) in receptions.enumerated() {
                #expect(
                    try reply.member("verdicts", "\(index)", "reception") == .string(reception))
            }
            let csv = """
                case,entity,verdict,amount_kept,decided_at,reviewer\r
                L000001/2,e1,confirmed_fraud,70,\(now + 1),wang\r

                """
            let second = try await caller.post("/v1/verdicts", Array(csv.utf8), type: "text/csv")
            #expect(try second.member("counts", "contradicts") == .integer(1))

            let decided = try await caller.get("/v1/cases?state=decided")
            #expect(try decided.member("cases", "0", "standing", "amount_kept") == .integer(12_345))
            #expect(
                try decided.member("cases", "1", "standing", "verdict")
                    == .string("confirmed_fraud"))
            let open = try await caller.get("/v1/cases")
            guard case .array(let cases) = try open.member("cases") else { return }
            #expect(cases.count == 2)
            #expect(try open.member("cases", "0", "rank") == .integer(3))
            guard
                case .array(let one) = try await caller.get("/v1/cases?state=all&limit=1")
                    .member("cases")
            else { return }
            #expect(one.count == 1)

            let effect = try await caller.get("/v1/effect")
            #expect(try effect.member("report", "confirmed") == .integer(2))
            #expect(try effect.member("report", "amount_kept") == .integer(12_415))
            #expect(try effect.member("report", "open") == .integer(2))
            let metrics = try await caller.get("/metrics").text
            #expect(metrics.contains("fed_verdicts_total{reception=\"stands\"} 2\n"))
            #expect(metrics.contains("fed_cases_open 2\n"))
        }
    }

    @Test(arguments: [
        (#"{"case": "c", "entity": "e", "verdict": "fraud", "reviewer": "r"}"#, "verdict"),
        (#"{"case": "c", "entity": "e", "verdict": "unclear"}"#, "reviewer"),
        (
            #"{"case": "c", "entity": "e", "verdict": "unclear", "reviewer": "r", "amount_kept": 1}"#,
            "amount_kept"
        ),
        (
            #"[{"case": "c", "entity": "e", "verdict": "unclear", "reviewer": "r", "x": 1}]"#,
            "[0].x"
        ),
        (
            #"{"case":"c","entity":"e","verdict":"unclear","reviewer":"r","decided_at":1900000000}"#,
            "[0].decided_at"
        ),
        (#"[]"#, ""),
    ])
    func faultyVerdictsNameTheirField(_ body: String, _ field: String) async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let reply = try await caller.post("/v1/verdicts", Array(body.utf8))
            #expect(reply.status == 422)
            #expect(try reply.member("error", "field") == .string(field))
        }
    }

    @Test(arguments: [
        ("{}", "422 missing_field capacity"), (#"{"capacity": 0}"#, "422 invalid_value capacity"),
        (
            #"{"capacity": 5, "exploration_share": 0.6}"#,
            "422 invalid_value exploration_share"
        ),
        (#"{"capacity": 5, "size": 1}"#, "422 unknown_field size"),
        ("[", "400 invalid_json "),
    ])
    func faultyOrdersNameTheirField(_ body: String, _ fault: String) async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let reply = try await caller.post("/v1/lists", Array(body.utf8))
            #expect(try reply.fault() == fault)
        }
    }

    @Test func theGainCountsFraudsThatOnlyTheLocalListHad() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            try await record(bench, caller)
            _ = try await caller.post("/v1/lists", .object(["capacity": .integer(2)]))
            bench.clock.now += 60
            let frauds = CanonicalJSON.array(
                ["e0", "e5", "elsewhere"].map { .object(["entity": .string($0)]) })
            #expect(try await caller.post("/v1/frauds", frauds).member("received") == .integer(3))
            // e0 is on both lists: the two models see the same rows.
            let effect = try await caller.get("/v1/effect")
            #expect(try effect.member("frauds_known_elsewhere") == .integer(3))
            #expect(try effect.member("report", "frauds", "by_both") == .integer(1))
            #expect(try effect.member("report", "frauds", "by_neither") == .integer(2))
            let before = try await caller.get("/v1/effect?until=\(bench.clock.now - 60)")
            #expect(try before.member("report", "listed") == .integer(0))
            let faulty = try await caller.get("/v1/effect?from=5&until=4")
            #expect(try faulty.fault() == "422 invalid_value from")
        }
    }

    @Test func aRequestSentAgainIsCarriedOutOnceAlsoOverARestart() async throws {
        let folder = try ScratchFolder()
        let first = try Bench(folder: folder)
        let sent = LockedValue<[UInt8]>([])
        try await first.test { caller in
            try await record(first, caller)
            let made = try await caller.post("/v1/lists", order, once: "k1")
            let again = try await caller.post("/v1/lists", order, once: "k1")
            #expect(again.bytes == made.bytes)
            #expect(again.status == 201)
            let replay = try #require(HTTPField.Name("Idempotent-Replay"))
            #expect(again.headers[replay] == "true")
            sent.value = made.bytes
            let other = CanonicalJSON.object(["capacity": .integer(5)])
            let conflict = try await caller.post("/v1/lists", other, once: "k1")
            #expect(try conflict.fault() == "409 conflict Idempotency-Key")
            let bad = try await caller.post(
                "/v1/lists", order, once: String(repeating: "k", count: 201))
            #expect(try bad.fault() == "422 invalid_value Idempotency-Key")
        }
        let second = try Bench(folder: folder)
        try await second.test { caller in
            let again = try await caller.post("/v1/lists", order, once: "k1")
            #expect(again.bytes == sent.value)
            // The same key on another route is another request.
            second.clock.now += 1
            let verdict = CanonicalJSON.object([
                "case": .string("L000001/1"), "entity": .string("e0"),
                "verdict": .string("confirmed_fraud"), "reviewer": .string("li"),
            ])
            let taken = try await caller.post("/v1/verdicts", verdict, once: "k1")
            #expect(try taken.member("counts", "stands") == .integer(1))
            second.clock.now += 50
            let retried = try await caller.post("/v1/verdicts", verdict, once: "k1")
            #expect(retried.bytes == taken.bytes)
            guard case .array(let lists) = try await caller.get("/v1/lists").member("lists")
            else { return }
            #expect(lists.count == 1)
            // Recording again changes nothing.
            try await record(second, caller)
            #expect(second.service.metrics.value(.recorded) == 0)
        }
        let ledger = try await ReviewStore(path: folder.file("review.sqlite")).ledger()
        #expect(ledger.verdicts.values.map(\.count) == [1])
    }

    @Test func requestsAtTheSameTimeUnderOneKeyMakeOneList() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            try await record(bench, caller)
            let bodies = try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await caller.post("/v1/lists", order, once: "same").bytes
                    }
                }
                return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
            }
            #expect(bodies.count == 1)
            #expect(bench.service.metrics.value(.lists) == 1)
        }
    }

    @Test func aScheduledListIsMadeOncePerPeriodAlsoOverARestart() async throws {
        let folder = try ScratchFolder()
        var order = ListOrder(capacity: 3)
        order.explorationShare = 0
        let schedule = ServiceConfiguration.Schedule(periodSeconds: 86_400, order: order)
        for expected in [1, 1] {
            let bench = try Bench(folder: folder)
            let store = try ReviewStore(path: folder.file("review.sqlite"))
            let scheduler = ListScheduler(
                schedule: schedule, store: store, reference: bench.reference,
                metrics: bench.service.metrics, now: { bench.clock.now }, interval: .seconds(1),
                logger: bench.logger)
            #expect(await scheduler.make(20_000))
            #expect(await scheduler.make(20_000))
            #expect(try await count(store) == expected)
        }
        let bench = try Bench(folder: folder)
        let store = try ReviewStore(path: folder.file("review.sqlite"))
        let scheduler = ListScheduler(
            schedule: schedule, store: store, reference: bench.reference,
            metrics: bench.service.metrics, now: { bench.clock.now }, interval: .seconds(1),
            logger: bench.logger)
        #expect(await scheduler.make(20_001))
        #expect(try await count(store) == 2)
    }

    private func count(_ store: ReviewStore) async throws -> Int {
        guard case .object(let members) = try await store.lists(),
            case .array(let lists) = members["lists"]
        else { return -1 }
        return lists.count
    }

    @Test func aStoreOfALaterReleaseAndOneThatIsNoStoreAreRefused() throws {
        let folder = try ScratchFolder()
        try folder.write(Array("not a database, far from it".utf8), to: "review.sqlite")
        #expect(throws: ServiceError.self) {
            _ = try ReviewStore(path: folder.file("review.sqlite"))
        }
        #expect(throws: ServiceError.self) {
            _ = try ReviewStore(path: folder.file("no/such/folder/review.sqlite"))
        }
    }
}
