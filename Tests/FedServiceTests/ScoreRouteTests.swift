import FedCore
import FedDecision
import FedService
import HTTPTypes
import Testing

/// Oracle: the bank's scorer, policy and explainer, called directly.
@Suite("POST /v1/score")
struct ScoreRouteTests {
    private func number(_ value: CanonicalJSON?) -> Double? {
        switch value {
        case .number(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    @Test func oneTransactionIsScoredAsTheScorerScoresIt() async throws {
        let bench = try Bench()
        let (bank, engine) = (bench.bank, bench.reference.current)
        let scorer = try BankScorer(engine.model, standard: bank.standard)
        try await bench.test { caller in
            for index in 0..<20 {
                let row = bank.row(index)
                let expected = scorer.parts(of: row)
                let reply = try await caller.post(
                    "/v1/score", bank.json(row, id: "t\(index)"))
                #expect(reply.status == 200)
                guard case .object(let members) = try reply.json() else {
                    Issue.record("no object")
                    continue
                }
                #expect(members["id"] == .string("t\(index)"))
                #expect(number(members["score"]) == expected.combined)
                #expect(number(members["local_score"]) == expected.local)
                #expect(number(members["federated_score"]) == expected.federated)
                #expect(number(members["probability"]) == expected.probability)
                let decision = engine.policy.decide(probability: expected.probability, row: row)
                #expect(members["decision"] == .string(decision.action.rawValue))
                #expect(
                    try reply.member("model", "sha256")
                        == .string(engine.model.digest.hexadecimal))
                #expect((members["reasons"] == .null) == (decision.action == .pass))
            }
        }
    }

    @Test func aListIsAnsweredInItsOrderWithTheSameScoresAsOneByOne() async throws {
        let bench = try Bench()
        let bank = bench.bank
        try await bench.test { caller in
            let rows = (0..<100).map { bank.row($0) }
            let batch = try await caller.post(
                "/v1/score", .array(rows.enumerated().map { bank.json($1, id: "t\($0)") }))
            #expect(batch.status == 200)
            for index in stride(from: 0, to: 100, by: 9) {
                let single = try await caller.post(
                    "/v1/score", bank.json(rows[index], id: "t\(index)"))
                guard case .object(var members) = try single.json() else { continue }
                members["model"] = nil
                members["policy"] = nil
                #expect(try batch.member("results", "\(index)") == .object(members))
            }
        }
    }

    @Test func expertRulesRaiseTheDecisionAndAreNamed() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let reply = try await caller.post("/v1/score", bench.bank.json([9500, 1, 1]))
            #expect(try reply.member("decision") == .string("block"))
            #expect(try reply.member("rules", "0", "id") == .string("large-night"))
            #expect(try reply.member("rules", "0", "description_zh") == .string("夜间大额"))
            let mild = try await caller.post("/v1/score", bench.bank.json([9500, 1, 0]))
            #expect(try mild.member("rules") == .array([]))
        }
    }

    @Test func reasonsAreTheExplainersInBothLanguages() async throws {
        let bench = try Bench()
        let (bank, engine) = (bench.bank, bench.reference.current)
        let explainer = try ReasonExplainer(engine.model, standard: bank.standard)
        try await bench.test { caller in
            for count in 0...3 {
                let row = [8000.0, 30, 1]
                let reply = try await caller.post(
                    "/v1/score?explain=all&reasons=\(count)", bank.json(row))
                let expected = explainer.reasons(for: row, count: count)
                let reasons = try reply.member("reasons")
                #expect(reasons.bytes == CanonicalJSON.array(expected.map(\.json)).bytes)
                #expect(expected.count <= count)
            }
            let none = try await caller.post("/v1/score?explain=none", bank.json([9500, 1, 1]))
            #expect(try none.member("reasons") == .null)
        }
    }

    @Test(arguments: [
        (#"{"features": {"amount": 1, "count": 2}}"#, "422 missing_field features.night"),
        (
            #"{"features": {"amount": 10001, "count": 2, "night": 0}}"#,
            "422 invalid_value features.amount"
        ),
        (
            #"{"features": {"amount": null, "count": 2, "night": 0}}"#,
            "422 invalid_value features.amount"
        ),
        (
            #"{"features": {"amount": "1", "count": 2, "night": 0}}"#,
            "422 wrong_type features.amount"
        ),
        (
            #"{"features": {"amount": 1, "count": 2.5, "night": 0}}"#,
            "422 invalid_value features.count"
        ),
        (
            #"{"features": {"amount": 1, "count": 2, "night": 2}}"#,
            "422 invalid_value features.night"
        ),
        (
            #"{"features": {"amount": 1, "count": 2, "night": 0, "x": 1}}"#,
            "422 unknown_field features.x"
        ),
        (
            #"{"features": {"amount": 1, "amount": 1, "count": 2, "night": 0}}"#,
            "400 invalid_json amount"
        ),
        (#"{"feature": {}}"#, "422 unknown_field feature"),
        (#"{}"#, "422 missing_field features"),
        (#"{"features": []}"#, "422 wrong_type features"),
        (#"{"id": 7, "features": {"amount": 1, "count": 2, "night": 0}}"#, "422 wrong_type id"),
        (
            #"{"amount": -1, "features": {"amount": 1, "count": 2, "night": 0}}"#,
            "422 invalid_value amount"
        ),
        (#"[]"#, "422 invalid_value "),
        (#"[{"features": {"amount": 1, "count": 2, "night": 0}}, 3]"#, "422 wrong_type [1]"),
        (
            #"[{"features": {"amount": 1, "count": 2, "night": 0}}, {"features": {"amount": 1}}]"#,
            "422 missing_field [1].features.count"
        ),
        (#"7"#, "422 wrong_type "), (#"{"features": "#, "400 invalid_json "),
        ("\u{0}", "400 invalid_json "), ("", "400 invalid_json "),
    ])
    func faultsNameTheirField(_ body: String, _ fault: String) async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let reply = try await caller.post("/v1/score", Array(body.utf8))
            #expect(try reply.fault() == fault)
            guard case .string(let expected) = try reply.member("error", "expected") else {
                Issue.record("expected is no text")
                return
            }
            #expect(!expected.isEmpty)
        }
    }

    @Test(arguments: [
        ("?reasons=51", "422 invalid_value reasons"), ("?reasons=x", "422 invalid_value reasons"),
        ("?explain=some", "422 invalid_value explain"), ("?depth=1", "400 unknown_parameter depth"),
        ("?reasons=1&reasons=2", "400 unknown_parameter reasons"),
        ("?record=true", "422 missing_field id"),
    ])
    func parametersAreChecked(_ query: String, _ fault: String) async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let reply = try await caller.post("/v1/score" + query, bench.bank.json([1, 2, 0]))
            #expect(try reply.fault() == fault)
        }
    }

    @Test func recordedNamesMustDifferWithinARequest() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let one = bench.bank.json([1, 2, 0], id: "t", entity: "a", amount: 5)
            let reply = try await caller.post("/v1/score?record=true", .array([one, one]))
            #expect(try reply.fault() == "422 invalid_value [1].id")
        }
    }

    @Test func otherContentTypesAreRefused() async throws {
        let bench = try Bench()
        try await bench.test { caller in
            let reply = try await caller.post("/v1/score", Array("{}".utf8), type: "text/plain")
            #expect(try reply.fault() == "415 unsupported_type Content-Type")
            let charset = try await caller.post(
                "/v1/score", bench.bank.json([1, 2, 0]).bytes,
                type: "Application/JSON; charset=utf-8")
            #expect(charset.status == 200)
        }
    }

    @Test func tooManyRowsAndTooManyBytesAreRefused() async throws {
        let bench = try Bench {
            $0.limits.batchRowsMax = 3
            $0.limits.bodyBytesMax = 1000
        }
        let one = bench.bank.json([1, 2, 0])
        try await bench.test { caller in
            let four = try await caller.post(
                "/v1/score", .array([CanonicalJSON](repeating: one, count: 4)))
            #expect(try four.fault() == "413 too_large ")
            let three = try await caller.post(
                "/v1/score", .array([CanonicalJSON](repeating: one, count: 3)))
            #expect(three.status == 200)
            let long = try await caller.post(
                "/v1/score", .array([CanonicalJSON](repeating: one, count: 40)))
            #expect(try long.fault() == "413 too_large ")
        }
    }

    @Test func aboveCapacityRequestsAreShedAndToldWhenToComeBack() async throws {
        let shut = try Bench { $0.limits.requestsInFlightMax = 0 }
        try await shut.test { caller in
            let reply = try await caller.post("/v1/score", shut.bank.json([1, 2, 0]))
            #expect(try reply.fault() == "503 overloaded ")
            #expect(reply.headers[.retryAfter] == "1")
            #expect(shut.service.metrics.value(.shed) == 1)
        }
        let batches = try Bench { $0.limits.batchesInFlightMax = 0 }
        try await batches.test { caller in
            let one = batches.bank.json([1, 2, 0])
            let reply = try await caller.post("/v1/score", .array([one]))
            #expect(try reply.fault() == "429 too_many_batches ")
            #expect(try await caller.post("/v1/score", one).status == 200)
        }
    }

    @Test func manyAtOnceAreServedOrShedAndNothingElse() async throws {
        let bench = try Bench { $0.limits.requestsInFlightMax = 4 }
        let body = bench.bank.json([8000, 30, 1])
        try await bench.test { caller in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        try await caller.post("/v1/score?explain=all", body).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(statuses).isSubset(of: [200, 503]))
            #expect(statuses.contains(200))
            let shed = statuses.count { $0 == 503 }
            #expect(bench.service.metrics.value(.shed) == shed)
            // All places were given back.
            #expect(try await caller.post("/v1/score", body).status == 200)
        }
    }
}
