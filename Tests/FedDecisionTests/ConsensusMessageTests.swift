import FedCore
import FedCrypto
import FedDecision
import Testing

@Suite("Messages about models")
struct ConsensusMessageTests {
    private let messages: [ConsensusMessage] = [
        .standing(highestVersion: 9), .candidate([1, 2, 3], model: [4, 5]), .vote([7]),
        .bundle([8, 9], model: []),
        .outcome(version: 3, standing: .refused, reason: "quorum-missed"),
    ]

    @Test func eachIsReadBackAndClaimedAndNoneIsReadCutShort() throws {
        for message in messages {
            #expect(try ConsensusMessage(bytes: message.bytes) == message)
            #expect(ConsensusMessage.claims(message.bytes))
            for count in 0..<message.bytes.count {
                #expect(throws: DecodingFailure.self, "\(message) at \(count)") {
                    try ConsensusMessage(bytes: Array(message.bytes.prefix(count)))
                }
            }
            #expect(throws: DecodingFailure.self) {
                try ConsensusMessage(bytes: message.bytes + [0])
            }
        }
        #expect(!ConsensusMessage.claims([]))
        #expect(!ConsensusMessage.claims([0, 0, 0, 16] + Array("fed/v1/statement".utf8)))
    }

    @Test func everyRefusalHasAWordOfItsOwn() throws {
        let bank = try #require(NodeID("a"))
        let refusals: [BundleRefusal] = [
            .malformed, .foreignCharter, .foreignStandard, .modelMismatch, .notYetValid(from: 1),
            .expired(until: 1), .replayed(version: 1), .downgraded(version: 1, highest: 2),
            .unknownVoter(bank), .repeatedVote(bank), .strayVote(bank), .tamperedVote(bank),
            .quorumMissed(accepts: 1, quorum: 3), .guardFailed([.worseThanLocal]),
        ]
        #expect(Set(refusals.map(\.name)).count == refusals.count)
    }

    @Test func aCharterGivesItsMembersAndItsVotes() throws {
        var members: [Member] = []
        for (index, name) in ["A", "B", "C", "D", "E"].enumerated() {
            let key = try SigningKey(seed: [UInt8](repeating: UInt8(index + 1), count: 32))
            let bank = try #require(NodeID(name))
            members.append(try #require(Member(bank: bank, identityKey: key.publicKey)))
        }
        let charter = try Charter(roster: try Roster(members))
        let consensus = try #require(ConsensusCharter(charter))
        #expect(consensus.quorum == 4)
        #expect(consensus.identityKeys.count == 5)
        let strict = try Charter(roster: charter.roster, votesMin: 5)
        let all = try #require(ConsensusCharter(strict))
        #expect(all.digest != consensus.digest)
        #expect(throws: CharterFailure.votesMin(got: 2, banks: 5)) {
            try Charter(roster: charter.roster, votesMin: 2)
        }
        #expect(throws: CharterFailure.votesMin(got: 6, banks: 5)) {
            try Charter(roster: charter.roster, votesMin: 6)
        }
        #expect(
            try Charter(roster: charter.roster, votesMin: 3).weakening(of: charter)
                == "fewer votes for a model")
    }
}

@Suite("Examinations of candidates")
struct CandidateExaminationTests {
    @Test func aBankWithoutRecentRowsAbstainsAndItsLanesSayNothingElse() throws {
        let consortium = try Examined()
        let examination = try consortium.examine(recent: nil)
        #expect(examination.finding.decision == .abstain)
        #expect(examination.measurement == nil)
        let lanes = examination.lanes(for: examination.finding)
        let sums = try ConsensusSums(lanes: lanes)
        #expect(sums.banks == 1 && sums.abstains == 1 && sums.rowCount == 0)
        #expect(lanes.count == ConsensusSums.laneCount)
    }

    @Test func aGoodCandidateIsAcceptedAndWhatWasMeasuredIsInTheLanes() throws {
        let consortium = try Examined()
        let first = try consortium.examine(recent: consortium.recent)
        let measured = try #require(first.measurement)
        #expect(first.finding.decision == .accept, "\(first.finding)")
        #expect(measured.active == nil)
        #expect(measured.local != nil)
        let again = try consortium.examine(recent: consortium.recent, active: first.model)
        #expect(again.measurement?.active?.caught == again.measurement?.candidate.caught)
        let sums = try ConsensusSums(lanes: again.lanes(for: again.finding))
        #expect(sums.caught == measured.candidate.caught)
        #expect(sums.caughtByActive == sums.caught)
        #expect(sums.fraudCount == consortium.recent.fraudCount)
    }

    @Test func aCandidateThatRanksBackwardsIsRejectedForTheActiveModelsSake() throws {
        let consortium = try Examined()
        let good = try consortium.examine(recent: consortium.recent).model
        let bad = try consortium.examine(
            recent: consortium.recent, federated: consortium.backwards, active: good,
            fit: consortium.oneClass)
        #expect(bad.finding.decision == .reject)
        #expect(bad.finding.reasons.contains(.worseThanActive), "\(bad.finding)")
    }
}

@Suite("Noise of a vote")
struct VoteNoiseTests {
    /// 40 rows, ten frauds, four reviewed; a score that catches so many of them.
    private func scores(catching count: Int) -> [Double] {
        (0..<40).map { row in
            if row < count { return 10 - Double(row) * 0.01 }
            return row >= 10 && row < 14 - count ? 9 : -Double(row) * 0.01
        }
    }

    private func finding(_ candidate: Int, active: Int?, local: Int?) throws -> CandidateFinding {
        var limits = CandidateFinding.Limits()
        limits.calibrationRatioMax = 1e9
        limits.segmentFraudsMin = 100
        return CandidateFinding(
            try CandidateMeasurement(
                candidate: scores(catching: candidate), active: active.map(scores),
                local: local.map(scores), labels: (0..<40).map { $0 < 10 ? 1 : 0 },
                reviewShare: 0.1), limits: limits)
    }

    @Test func aLittleLessThanTheActiveModelIsChanceAndOneFraudLessThanLocalIsNot() throws {
        #expect(try finding(3, active: 4, local: nil).decision == .accept)
        #expect(try finding(2, active: 4, local: nil).decision == .accept)
        // Three lost and none won: 3 > 1.645 √3.
        #expect(try finding(1, active: 4, local: nil).reasons == [.worseThanActive])
        #expect(try finding(4, active: 4, local: 4).reasons == [.noWorse])
        #expect(try finding(3, active: nil, local: 4).reasons == [.worseThanLocal])
        #expect(try finding(4, active: 3, local: 3).reasons == [.catchesMore])
    }
}

/// A bank with rows, and a federated model from many more.
private struct Examined {
    let standard: FeatureStandard
    let fit: Dataset
    let recent: Dataset
    let federated: TrainedModel
    let backwards: TrainedModel
    let algorithm: AlgorithmConfiguration
    let oneClass: Dataset

    init() throws {
        let many = try SmallTable(rows: 4000, seed: 1)
        standard = many.standard
        fit = try SmallTable(rows: 400, seed: 2).rows
        recent = try SmallTable(rows: 1500, seed: 3).rows
        federated = try many.trees(30)
        algorithm = .boosting(
            try GradientBoostingConfiguration([
                .treesMax: 10, .depthMax: 3, .gridCells: 512, .childRowsMin: 5,
            ]))
        let reversed = Dataset(columns: many.rows.columns, labels: many.rows.labels.map { 1 - $0 })
        backwards = try algorithm.train(standard: standard, fit: [reversed], threads: 1)
        oneClass = Dataset(
            columns: fit.columns, labels: [UInt8](repeating: 0, count: fit.rowCount))
    }

    func examine(
        recent: Dataset?, federated: TrainedModel? = nil, active: BankModel? = nil,
        fit: Dataset? = nil
    ) throws -> CandidateExamination {
        try CandidateExamination(
            version: 1, federated: federated ?? self.federated, algorithm: algorithm,
            active: active, fit: fit ?? self.fit, recent: recent, standard: standard,
            reviewShare: 0.05)
    }
}
