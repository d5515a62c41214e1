import FedCore
import FedCrypto
import Testing

@Suite("Tallies")
struct TallyTests {
    private let examination = AlgorithmConfiguration.tallyNames[0]
    private let effect = AlgorithmConfiguration.tallyNames[1]

    @Test("A manifest of a tally is read back as it was written")
    func manifest() throws {
        let names = ["A", "B", "C"]
        let members = try names.enumerated().map { index, name in
            let key = try SigningKey(seed: [UInt8](repeating: UInt8(index + 1), count: 32))
            let bank = try #require(NodeID(name))
            return try #require(Member(bank: bank, identityKey: key.publicKey))
        }
        let charter = try Charter(roster: try Roster(members))
        for algorithm in [
            try AlgorithmConfiguration(name: examination, settings: ["version": 7]),
            try AlgorithmConfiguration(
                name: effect, settings: ["fromDay": 20_000, "untilDay": 20_030, "stepDays": 7]),
        ] {
            let manifest = Manifest(
                run: try #require(RunID(bytes: [UInt8](repeating: 3, count: 16))),
                algorithm: algorithm, standardDigest: [UInt8](repeating: 5, count: 32),
                standardName: "s 1", charter: charter)
            #expect(try Manifest(bytes: manifest.bytes) == manifest)
            #expect(!algorithm.trainsModel)
            #expect(algorithm.groupsMax == 1)
        }
    }

    @Test(
        "Settings out of bounds are refused",
        arguments: [
            ("examination", ["version": 0.0]), ("examination", ["version": 1.5]),
            ("examination", ["trees": 1]), ("effect", ["fromDay": 5, "untilDay": 5]),
            ("effect", ["fromDay": 0, "untilDay": 401, "stepDays": 1]),
            ("effect", ["untilDay": 10, "stepDays": 0]),
        ])
    func badSettings(name: String, settings: [String: Double]) {
        #expect(throws: LearningError.self) {
            try AlgorithmConfiguration(name: name, settings: settings)
        }
    }

    @Test("The document holds the sums of what the banks counted, and reads back")
    func sums() throws {
        let configuration = try TallyConfiguration(.effect(days: 10..<25, step: 7))
        #expect(configuration.steps == [10..<17, 17..<24, 24..<25])
        let lanes = (0..<4).map { bank in
            (0..<configuration.laneCount).map { Int64(bank * 1000 + $0) << 40 }
        }
        var joint = JointTallyLearner(
            configuration: configuration, contributors: 4,
            manifestHash: [UInt8](repeating: 1, count: 32))
        guard case .query(let query) = try joint.next() else {
            Issue.record("no query")
            return
        }
        var vectors: [EncodedVector] = []
        for bank in lanes {
            var local = try LocalTallyLearner(configuration: configuration, lanes: bank)
            vectors.append(try local.answer(query, contributors: 4))
        }
        try joint.absorb(Aggregate(plaintextSumOf: vectors))
        guard case .finished(let file) = try joint.next() else {
            Issue.record("no document")
            return
        }
        let document = try TallyDocument(bytes: file.bytes)
        #expect(
            document.sums
                == (0..<configuration.laneCount).map { lane in
                    lanes.reduce(0) { $0 + $1[lane] }
                })
        #expect(document.configuration == configuration)
        #expect(document.document == file)
        for cut in [1, file.bytes.count / 2] {
            #expect(throws: LearningError.self) {
                try TallyDocument(bytes: Array(file.bytes.dropLast(cut)))
            }
        }
    }

    @Test("A bank answers the query of its manifest only, and never with a negative count")
    func otherQueries() throws {
        let configuration = try TallyConfiguration(.examination(version: 2))
        let lanes = [Int64](repeating: 1, count: configuration.laneCount)
        var local = try LocalTallyLearner(configuration: configuration, lanes: lanes)
        var joint = JointTallyLearner(
            configuration: try TallyConfiguration(.effect(days: 0..<7, step: 7)), contributors: 3)
        guard case .query(let query) = try joint.next() else {
            Issue.record("no query")
            return
        }
        #expect(throws: LearningError.self) { try local.answer(query, contributors: 3) }
        #expect(throws: LearningError.self) {
            try LocalTallyLearner(configuration: configuration, lanes: [1, 2])
        }
        #expect(throws: LearningError.self) {
            try LocalTallyLearner(configuration: configuration, lanes: [-1] + lanes.dropFirst())
        }
    }
}
