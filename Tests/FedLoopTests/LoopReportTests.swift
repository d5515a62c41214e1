import FedCore
import FedLoop
import Foundation
import Testing

@Suite struct LoopReportTests {
    private func report(
        _ variants: [LoopVariant] = [.local, .sharedVerdicts], seed: UInt64 = 21
    ) throws -> LoopReport {
        let stream = try Toy.stream(Toy.rows(seed: seed))
        let entries = try variants.enumerated().map { place, variant in
            LoopReport.Entry(
                outcome: try LoopReplay.run(stream, plan: Toy.plan, variant: variant),
                seconds: Double(place))
        }
        return try LoopReport(data: "toy", stream: stream, plan: Toy.plan, entries: entries)
    }

    @Test func theDocumentOfEqualReplaysIsEqualToTheByte() throws {
        var explored = LoopVariant.sharedVerdicts
        explored.exploration = 0.2
        let first = try report([.local, explored])
        let second = try LoopReport(
            data: "toy", stream: try Toy.stream(Toy.rows(seed: 21)), plan: Toy.plan,
            entries: first.entries.map {
                LoopReport.Entry(
                    outcome: try LoopReplay.run(
                        Toy.stream(Toy.rows(seed: 21)), plan: Toy.plan,
                        variant: $0.outcome.variant),
                    seconds: $0.seconds + 7)
            })
        #expect(first.json.bytes == second.json.bytes)
        #expect(try report([.local, .sharedVerdicts]).json.bytes != first.json.bytes)
    }

    @Test func theGainIsTheRatioOfCatchesWithinItsInterval() throws {
        let report = try report()
        let own = report.entries[1].outcome.caught(share: 1)
        let base = report.entries[0].outcome.caught(share: 1)
        let gain = try #require(report.gain(of: 1, share: 1))
        #expect(gain.value == Double(own) / Double(base) - 1)
        #expect(gain.low <= gain.value && gain.value <= gain.high)
        #expect(gain.low < gain.high)
        let nothing = try #require(report.gain(of: 0, share: 1))
        #expect(nothing == LoopReport.Gain(value: 0, low: 0, high: 0))
    }

    @Test func periodsAndBanksAddUpInTheDocument() throws {
        let report = try report()
        let root = try #require(
            try JSONSerialization.jsonObject(with: Data(report.json.bytes)) as? [String: Any])
        #expect(root["format"] as? String == "fed-loop-report/1")
        #expect(root["reference"] as? String == "local alone")
        let variants = try #require(root["variants"] as? [[String: Any]])
        #expect(variants.count == 2)
        for variant in variants {
            let shares = try #require(variant["shares"] as? [[String: Any]])
            let periods = try #require(variant["periods"] as? [[String: Any]])
            #expect(periods.count == 6)
            for share in shares.indices {
                func caught(_ object: [String: Any]) -> Int {
                    (object["caught"] as? [Int])?[share] ?? -1
                }
                var sum = 0
                for period in periods {
                    sum += caught(period)
                    let banks = try #require(period["banks"] as? [[String: Any]])
                    #expect(banks.map(caught).reduce(0, +) == caught(period))
                }
                #expect(shares[share]["caught"] as? Int == sum)
            }
            let frauds = periods.compactMap { $0["frauds"] as? Int }
            #expect(frauds.reduce(0, +) == variant["frauds"] as? Int)
        }
    }

    @Test func theTableHasALineAVariant() throws {
        let report = try report()
        let rows = report.rows(share: 1)
        #expect(rows.map { $0[0] } == ["local alone", "with shared verdicts"])
        #expect(rows.allSatisfy { $0.count == LoopReport.header.count })
        #expect(rows[0][2] == "±0.00 %")
        #expect(rows[1][2].hasPrefix("+"))
    }

    @Test func aReportWithoutItsReferenceIsRefused() throws {
        #expect(
            throws: LoopError.plan(
                field: "variants", got: "none of them", expected: "local alone")
        ) { _ = try report([.federated]) }
    }
}
