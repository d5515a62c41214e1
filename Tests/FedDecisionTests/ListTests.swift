import FedCore
import FedCrypto
import FedDecision
import Testing

@Suite("High-risk lists")
struct ListTests {
    private let key = SecretBytes([UInt8](repeating: 5, count: 32))

    private func entities(_ count: Int, seed: UInt64) -> [EntityRisk] {
        var random = SeededRandom(seed: seed)
        return (0..<count).map {
            EntityRisk(
                entity: "acc\($0)", probability: random.unit(), expectedLoss: random.unit() * 1e6)
        }
    }

    private func request(
        _ capacity: Int, share: Double = 0.1, id: String = "2026-11-22", at time: Int64 = 10_000_000
    ) -> RiskList.Request {
        RiskList.Request(capacity: capacity, explorationShare: share, id: id, madeAt: time)
    }

    @Test func ranksByExpectedLossWithinCapacityInAnyOrderOfInput() {
        for seed in 1...20 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            let all = entities(300, seed: seed)
            let capacity = Int(random.unit() * 320)
            let list = RiskList(request(capacity), entities: all, drawKey: key)
            #expect(list.entries.count == min(capacity, 300), "seed \(seed)")
            let ranked = list.entries.filter { $0.slice == .ranked }
            let best = all.sorted { $0.expectedLoss > $1.expectedLoss }.prefix(ranked.count)
            #expect(ranked.map(\.risk) == Array(best), "seed \(seed)")
            #expect(Set(list.entries.map(\.risk.entity)).count == list.entries.count)
            #expect(list.entries.map(\.rank) == Array(list.entries.indices.map { $0 + 1 }))
            #expect(list.entries.count + list.unlisted == 300)
            let again = RiskList(
                request(capacity), entities: all.shuffled(using: &random), drawKey: key)
            #expect(again == list, "seed \(seed)")
            #expect(again.bytes == list.bytes)
        }
    }

    @Test func openAndRecentlyClosedCasesAreLeftOut() {
        let all = entities(10, seed: 1)
        let now: Int64 = 10_000_000
        let rest: Int64 = 14 * 86_400
        let list = RiskList(
            request(10, share: 0, at: now), entities: all,
            cases: [
                "acc1": .open, "acc2": .closed(at: now - rest + 1), "acc3": .closed(at: now - rest),
            ], drawKey: key)
        let names = Set(list.entries.map(\.risk.entity))
        #expect(!names.contains("acc1") && !names.contains("acc2") && names.contains("acc3"))
        #expect(list.entries.count == 8)
    }

    @Test func theDrawGivesEveryEntityItsStatedChance() {
        let all = entities(60, seed: 2)
        var times: [String: Int] = [:]
        let lists = 3000
        for day in 0..<lists {
            let list = RiskList(
                request(20, share: 0.5, id: "day\(day)"), entities: all, drawKey: key)
            for entry in list.entries where entry.slice == .explored {
                #expect(entry.inclusion == 10.0 / 50)
                times[entry.risk.entity, default: 0] += 1
            }
        }
        #expect(times.count == 50)
        // Five standard deviations of a count with mean 600.
        for (entity, count) in times {
            #expect((Double(count) - 600).magnitude < 5 * (600 * 0.8).squareRoot(), "\(entity)")
        }
        let other = RiskList(
            request(20, share: 0.5, id: "day0"), entities: all,
            drawKey: SecretBytes([UInt8](repeating: 6, count: 32)))
        #expect(other != RiskList(request(20, share: 0.5, id: "day0"), entities: all, drawKey: key))
    }

    @Test func transactionsAddUpToTheirEntity() {
        let risks = EntityRisk.summing([
            ("b", 0.5, 100, []), ("a", 0.1, 1000, []), ("b", 0.5, 300, []), ("a", 0, 5, []),
        ])
        #expect(risks.map(\.entity) == ["a", "b"])
        #expect(risks[0].expectedLoss == 100 && risks[1].expectedLoss == 200)
        #expect((risks[0].probability - 0.1).magnitude < 1e-12 && risks[1].probability == 0.75)
    }

    @Test func spreadsheetsGetNoFormulas() {
        let risk = EntityRisk(entity: "=cmd|\"x\",1", probability: 0.5, expectedLoss: 2)
        let list = RiskList(request(1, share: 0), entities: [risk], drawKey: key)
        let lines = String(decoding: list.csv, as: UTF8.self).split(separator: "\r\n")
        #expect(
            lines[1] == "1,2026-11-22/1,\"'=cmd|\"\"x\"\",1\",0.5,2.0,ranked,1.0,")
    }
}

@Suite("Delivery of lists")
struct DeliveryTests {
    @Test func aDeliveryGoesThroughItsStatesAndMisuseIsRefused() throws {
        var outbox = DeliveryOutbox()
        let (record, isNew) = outbox.enqueue(document: [1], destination: "hook", at: 100)
        #expect(isNew && outbox.due(at: 99).isEmpty && outbox.due(at: 100) == [record.key])
        #expect(!outbox.enqueue(document: [1], destination: "hook", at: 200).isNew)
        #expect(outbox.enqueue(document: [1], destination: "file", at: 200).isNew)
        #expect(throws: DeliveryOutbox.Misuse.notSending) { try outbox.succeed(record.key, at: 1) }
        #expect(throws: DeliveryOutbox.Misuse.notDue) { try outbox.begin(record.key, at: 99) }
        #expect(throws: DeliveryOutbox.Misuse.unknownKey) { try outbox.begin("x", at: 99) }
        #expect(try outbox.begin(record.key, at: 100).attempts == 1)
        #expect(throws: DeliveryOutbox.Misuse.notDue) { try outbox.begin(record.key, at: 101) }
        let failed = try outbox.fail(record.key, at: 110, reason: "timeout")
        guard case .waiting(let until) = failed.state else {
            Issue.record("\(failed.state)")
            return
        }
        #expect((118...120).contains(until))
        _ = try outbox.begin(record.key, at: until)
        #expect(try outbox.succeed(record.key, at: 130).state == .delivered(at: 130))
        #expect(throws: DeliveryOutbox.Misuse.notDue) { try outbox.begin(record.key, at: 999) }
        #expect(!outbox.enqueue(document: [1], destination: "hook", at: 300).isNew)
    }

    @Test func waitsDoubleUpToTheLongestAndEndInAbandonment() throws {
        var retry = DeliveryOutbox.Retry()
        retry.attemptsMax = 12
        for attempts in 1...60 {
            let full = min(10 << Int64(min(attempts - 1, 20)), 3600)
            let wait = retry.wait(after: attempts, key: "k")
            #expect(Double(wait) >= 0.75 * Double(full) && wait <= full, "attempt \(attempts)")
        }
        var outbox = DeliveryOutbox(retry: retry)
        let key = outbox.enqueue(document: [1], destination: "hook", at: 0).record.key
        var sends = 0
        while let now = outbox.nextDue {
            _ = try outbox.begin(key, at: now)
            sends += 1
            _ = try outbox.fail(key, at: now, reason: "down")
        }
        #expect(sends == 12)
        #expect(outbox.records[key]?.state.isAbandoned == true)
        let other = outbox.enqueue(document: [2], destination: "hook", at: 0).record.key
        _ = try outbox.begin(other, at: 0)
        #expect(try outbox.fail(other, at: 1, isFinal: true, reason: "gone").state.isAbandoned)
    }

    /// A receiver that takes a key once, a store that keeps what was returned, and crashes between
    /// any two steps: everything arrives, and counts once.
    @Test func nothingIsLostOrCountedTwiceAcrossCrashes() throws {
        for seed in 1...150 as ClosedRange<UInt64> {
            var random = SeededRandom(seed: seed)
            var stored: [String: DeliveryOutbox.Record] = [:]
            var received: [String: Int] = [:]
            var outbox = DeliveryOutbox()
            var now: Int64 = 0
            for document in 0..<8 as Range<UInt8> {
                let record = outbox.enqueue(document: [document], destination: "d", at: now).record
                stored[record.key] = record
            }
            func crashes() -> Bool { random.unit() < 0.15 }
            func restart() {
                let (fresh, changed) = DeliveryOutbox.recovering(Array(stored.values), at: now)
                for record in changed { stored[record.key] = record }
                outbox = fresh
            }
            var steps = 0
            while outbox.nextDue != nil, steps < 5000 {
                steps += 1
                now += 7
                guard let key = outbox.due(at: now).first else { continue }
                let sending = try outbox.begin(key, at: now)
                if crashes() {
                    restart()
                    continue
                }
                stored[key] = sending
                if crashes() {
                    restart()
                    continue
                }
                let arrives = random.unit() < 0.7
                if arrives { received[key, default: 0] = 1 }
                if crashes() {
                    restart()
                    continue
                }
                let answers = arrives && random.unit() < 0.8
                stored[key] =
                    answers
                    ? try outbox.succeed(key, at: now)
                    : try outbox.fail(key, at: now, reason: "lost")
            }
            #expect(received.count == 8, "seed \(seed)")
            #expect(stored.values.allSatisfy { $0.state.isDelivered }, "seed \(seed)")
        }
    }
}

extension DeliveryOutbox.State {
    fileprivate var isAbandoned: Bool { if case .abandoned = self { true } else { false } }
    fileprivate var isDelivered: Bool { if case .delivered = self { true } else { false } }
}
