import FedCore
import FedCrypto
import FedDecision
import Testing

@Suite("Model consensus")
struct ConsensusTests {
    private let names = ["a", "b", "c", "d", "e"]
    private let model = ModelDocument(bytes: Array("a model".utf8))
    private let standard = [UInt8](repeating: 9, count: 32)
    private let fine = CandidateFinding(decision: .accept, reasons: [.noWorse])

    private func admit(
        _ registry: inout ModelRegistry, _ bundle: [UInt8], _ voters: Voters,
        model: ModelDocument? = nil, finding: CandidateFinding? = nil, now: Int64 = 150
    ) throws(BundleRefusal) {
        try registry.admit(
            bundle: bundle, model: model ?? self.model, charter: voters.charter,
            standardDigest: standard, finding: finding ?? fine, now: now)
    }

    @Test func aBundleWithAQuorumIsAdmittedPromotedAndRolledBack() throws {
        let voters = try Voters(names, quorum: 3)
        var registry = ModelRegistry()
        for version in 1...3 as ClosedRange<UInt64> {
            let bundle = voters.bundle(
                voters.candidate(version, model: model, standard: standard), accepting: 3)
            try admit(&registry, bundle.bytes, voters)
            #expect(registry.challenger?.version == version)
            try registry.promote(finding: fine, now: 160)
            #expect(registry.champion?.version == version)
            #expect(registry.challenger == nil)
            #expect(try ModelRegistry(bytes: registry.bytes) == registry)
        }
        try registry.rollBack()
        #expect(registry.champion?.version == 2)
        #expect(registry.highestVersion == 3)
        try registry.rollBack()
        #expect(registry.champion?.version == 1)
        #expect(throws: ModelRegistry.Refusal.nothingBefore) { try registry.rollBack() }
        #expect(throws: ModelRegistry.Refusal.noChallenger) {
            try registry.promote(finding: fine, now: 160)
        }
        // What was left behind does not come back by its old bundle.
        let old = voters.bundle(voters.candidate(3, model: model, standard: standard))
        #expect(throws: BundleRefusal.replayed(version: 3)) {
            try admit(&registry, old.bytes, voters)
        }
        #expect(try ModelRegistry(bytes: registry.bytes) == registry)
    }

    @Test func everyKindOfBadBundleIsRefusedWithItsReasonAndChangesNothing() throws {
        let voters = try Voters(names, quorum: 3)
        let others = try Voters(names, quorum: 4)
        var registry = ModelRegistry()
        let candidate = voters.candidate(5, model: model, standard: standard)
        try admit(&registry, voters.bundle(candidate).bytes, voters)
        let before = registry
        func refused(
            _ reason: BundleRefusal, _ bundle: [UInt8], model: ModelDocument? = nil,
            finding: CandidateFinding? = nil, now: Int64 = 150
        ) {
            #expect(throws: reason) {
                try admit(&registry, bundle, voters, model: model, finding: finding, now: now)
            }
            #expect(registry == before)
        }
        let next = voters.candidate(6, model: model, standard: standard)
        let good = voters.bundle(next)
        refused(.malformed, [])
        refused(.malformed, good.bytes + [0])
        refused(
            .foreignCharter,
            others.bundle(others.candidate(6, model: model, standard: standard)).bytes)
        refused(
            .foreignStandard,
            voters.bundle(
                voters.candidate(6, model: model, standard: [UInt8](repeating: 1, count: 32))
            ).bytes)
        refused(.modelMismatch, good.bytes, model: ModelDocument(bytes: [1]))
        refused(.notYetValid(from: 100), good.bytes, now: 99)
        refused(.expired(until: 200), good.bytes, now: 200)
        refused(.replayed(version: 5), voters.bundle(candidate).bytes)
        refused(
            .downgraded(version: 4, highest: 5),
            voters.bundle(voters.candidate(4, model: model, standard: standard)).bytes)
        refused(.quorumMissed(accepts: 2, quorum: 3), voters.bundle(next, accepting: 2).bytes)
        refused(
            .guardFailed([.worseThanLocal]), good.bytes,
            finding: CandidateFinding(decision: .reject, reasons: [.worseThanLocal]))
        let stray = ModelBundle(candidate: next, votes: voters.bundle(candidate).votes)
        refused(.strayVote(try #require(NodeID("a"))), stray.bytes)
        let twice = ModelBundle(candidate: next, votes: good.votes + [good.votes[1]])
        refused(.repeatedVote(try #require(NodeID("b"))), twice.bytes)
        let stranger = try #require(NodeID("z"))
        let key = try SigningKey(seed: [UInt8](repeating: 99, count: 32))
        let vote = ModelVote(
            candidate: next, bank: stranger, decision: .accept, reasons: [.noWorse], castAt: 1,
            key: key)
        refused(
            .unknownVoter(stranger), ModelBundle(candidate: next, votes: good.votes + [vote]).bytes)
        let bank = try #require(NodeID("c"))
        let forged = ModelVote(
            candidate: next, bank: bank, decision: .accept, reasons: [.noWorse], castAt: 1,
            key: key)
        let votes = good.votes.filter { $0.bank != bank } + [forged]
        refused(.tamperedVote(bank), ModelBundle(candidate: next, votes: votes).bytes)
        try admit(&registry, good.bytes, voters)
    }

    @Test func noChangedByteOfABundleIsAdmitted() throws {
        let voters = try Voters(names, quorum: 3)
        let bytes = voters.bundle(voters.candidate(1, model: model, standard: standard)).bytes
        for at in bytes.indices {
            var changed = bytes
            changed[at] ^= 1 << UInt8(at % 8)
            var registry = ModelRegistry()
            #expect(throws: BundleRefusal.self, "byte \(at)") {
                try admit(&registry, changed, voters)
            }
            #expect(registry == ModelRegistry())
        }
    }

    @Test func aChallengerThatWaitedTooLongOrTurnedOutBadIsNotPromoted() throws {
        let voters = try Voters(names, quorum: 3)
        var registry = ModelRegistry()
        try admit(
            &registry, voters.bundle(voters.candidate(1, model: model, standard: standard)).bytes,
            voters)
        #expect(throws: ModelRegistry.Refusal.challengerExpired(until: 200)) {
            try registry.promote(finding: fine, now: 200)
        }
        #expect(throws: ModelRegistry.Refusal.guardFailed([.segmentWorse])) {
            try registry.promote(
                finding: CandidateFinding(decision: .reject, reasons: [.segmentWorse]), now: 150)
        }
        #expect(registry.champion == nil)
        try registry.dismiss()
        #expect(registry.challenger == nil && registry.highestVersion == 1)
    }

    @Test func chartersOfMinoritiesAndOfSharedKeysAreNoCharters() throws {
        let voters = try Voters(names, quorum: 3)
        let keys = voters.charter.identityKeys
        for quorum in [-1, 0, 2, 6] {
            #expect(ConsensusCharter(identityKeys: keys, quorum: quorum) == nil)
        }
        for quorum in 3...5 {
            #expect(ConsensusCharter(identityKeys: keys, quorum: quorum) != nil)
        }
        let (a, b) = (try #require(NodeID("a")), try #require(NodeID("b")))
        #expect(
            ConsensusCharter(identityKeys: [a: keys[a] ?? [], b: keys[a] ?? []], quorum: 2) == nil)
        #expect(ConsensusCharter(identityKeys: [a: [1, 2]], quorum: 1) == nil)
    }

    @Test func votesFollowFromTheMeasurement() throws {
        var random = SeededRandom(seed: 4)
        var labels: [UInt8] = []
        var scores: [Double] = []
        var segments: [String] = []
        for row in 0..<6000 {
            let log = -5 + 2 * random.normal()
            scores.append(log)
            labels.append(random.unit() < Calibration.identity.probability(log) ? 1 : 0)
            segments.append(row % 3 == 0 ? "card" : "transfer")
        }
        func finding(
            _ candidate: [Double], active: [Double]? = nil, local: [Double]? = nil,
            labels: [UInt8]
        ) throws -> CandidateFinding {
            CandidateFinding(
                try CandidateMeasurement(
                    candidate: candidate, active: active, local: local, labels: labels,
                    segments: segments, reviewShare: 0.05))
        }
        let noise = scores.map { _ in -5 + 2 * random.normal() }
        let good = try finding(scores, active: noise, local: noise, labels: labels)
        #expect(good.decision == .accept && good.reasons == [.catchesMore])
        let bad = try finding(noise, active: scores, local: scores, labels: labels)
        #expect(bad.decision == .reject)
        #expect(Set(bad.reasons).isSuperset(of: [.worseThanLocal, .worseThanActive]))
        let shifted = try finding(scores.map { $0 + 3 }, active: scores, labels: labels)
        #expect(shifted.reasons == [.badlyCalibrated])
        let blind = zip(scores, segments).map { $1 == "card" ? $0 - 4 : $0 + 0.3 }
        let segment = try finding(blind, active: scores, labels: labels)
        #expect(segment.reasons.contains(.segmentWorse))
        #expect(segment.worstSegment?.name == "card")
        let few = try finding(scores, labels: labels.indices.map { $0 < 4 ? 1 : 0 })
        #expect(few.decision == .abstain && few.reasons == [.fewFrauds])
    }

    @Test func sumsOfLanesAreTheMeasurementOfAllRowsTogether() throws {
        var random = SeededRandom(seed: 11)
        var sum = [Int64](repeating: 0, count: ConsensusSums.laneCount)
        var (allScores, allLabels): ([Double], [UInt8]) = ([], [])
        var caught = 0
        for bank in 0..<4 {
            let scores = (0..<(500 + 300 * bank)).map { _ in -4 + 2 * random.normal() }
            let labels = scores.map {
                UInt8(random.unit() < Calibration.identity.probability($0) ? 1 : 0)
            }
            let measured = try CandidateMeasurement(
                candidate: scores, active: nil, local: scores, labels: labels, reviewShare: 0.02)
            let lanes = ConsensusSums.lanes(measured, CandidateFinding(measured))
            sum = zip(sum, lanes).map { $0 + $1 }
            caught += measured.candidate.caught
            allScores += scores
            allLabels += labels
        }
        let sums = try ConsensusSums(lanes: sum)
        let all = try CandidateMeasurement(
            candidate: allScores, active: nil, local: nil, labels: allLabels, reviewShare: 0.02)
        #expect(sums.banks == 4 && sums.rowCount == all.rowCount)
        #expect(sums.fraudCount == all.fraudCount)
        #expect(sums.caught == caught && sums.caughtByLocal == caught)
        #expect((sums.calibrationError - all.candidate.calibrationError).magnitude < 1e-5)
        let precision = try #require(sums.averagePrecision)
        #expect((precision - (all.candidate.averagePrecision ?? 0)).magnitude < 0.05)
        sum[6] += 1
        #expect(throws: LearningError.self) { try ConsensusSums(lanes: sum) }
        #expect(throws: LearningError.self) { try ConsensusSums(lanes: [1]) }
    }
}
