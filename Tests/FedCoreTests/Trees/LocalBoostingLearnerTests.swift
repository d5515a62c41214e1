import FedCore
import Testing

@Suite struct LocalBoostingLearnerTests {
    private static let quick: [BoostingParameter: Double] = [
        .treesMax: 2, .contributorsMin: 2, .patience: 2, .evaluationPeriod: 1,
    ]

    /// All queries of a training, with the rows that answer them.
    private func recorded() throws -> (
        queries: [Query], answering: () throws -> LocalBoostingLearner
    ) {
        let table = try TreeTable(rows: 400, seed: 41)
        let configuration = try quickConfiguration(Self.quick)
        let banks = table.dealt(banks: 2, seed: 1)
        let make = { (bank: Dataset) throws in
            try LocalBoostingLearner(
                fit: bank, valid: bank, schema: table.schema, configuration: configuration)
        }
        var joint = try JointBoostingLearner(
            schema: table.schema, configuration: configuration, bankCount: 2)
        var locals = try banks.map(make)
        var queries: [Query] = []
        while case .query(let query) = try joint.next() {
            queries.append(query)
            var answers: [EncodedVector] = []
            for index in locals.indices {
                answers.append(try locals[index].answer(query, contributors: 2))
            }
            try joint.absorb(EncodedVector.plainSum(answers))
        }
        return (queries, { try make(banks[0]) })
    }

    @Test func `queries out of order are refused and change nothing`() throws {
        let (queries, answering) = try recorded()
        var steady = try answering()
        for (step, query) in queries.enumerated() {
            for (other, wrong) in queries.enumerated()
            where other != step && wrong.kind.hasPrefix("tree")
                // A tree may end before its last step, as it does when banks are lost.
                && !(query.kind == "tree.step" && wrong.kind == "tree.validation"
                    && wrong.round == query.round)
            {
                var copy = steady
                #expect(throws: LearningError.self, "step \(step), query \(other)") {
                    try copy.lanes(for: wrong)
                }
                // The refused learner still answers the right query, in the right way.
                var fresh = steady
                #expect(try copy.lanes(for: query) == fresh.lanes(for: query))
            }
            _ = try steady.lanes(for: query)
        }
    }

    @Test func `damaged queries are refused or answered, never a crash`() throws {
        let (queries, answering) = try recorded()
        var random = SeededRandom(seed: 42)
        var steady = try answering()
        var refused = 0
        for query in queries {
            for _ in 0..<60 where !query.body.isEmpty {
                var body = query.body
                if random.next().isMultiple(of: 3) {
                    body.removeLast(1 + Int(random.next() % UInt64(body.count)))
                } else {
                    body[Int(random.next() % UInt64(body.count))] = UInt8(
                        truncatingIfNeeded: random.next())
                }
                var copy = steady
                let damaged = Query(
                    round: query.round, kind: query.kind, body: body, layout: query.layout)
                do { _ = try copy.lanes(for: damaged) } catch { refused += 1 }
            }
            _ = try steady.lanes(for: query)
        }
        #expect(refused > 100)
    }

    @Test func `a bank that restarts and replays answers as if it had not`() throws {
        let (queries, answering) = try recorded()
        var steady = try answering()
        for (step, query) in queries.enumerated() {
            var restarted = try answering()
            for earlier in queries[..<step] { try restarted.replay(earlier) }
            #expect(try restarted.lanes(for: query) == steady.lanes(for: query), "step \(step)")
        }
    }

    @Test func `a layout of another size is refused`() throws {
        let (queries, answering) = try recorded()
        var learner = try answering()
        let first = queries[0]
        let layout = try #require(
            VectorLayout(laneCount: first.layout.laneCount + 1, ringBits: first.layout.ringBits))
        #expect(throws: LearningError.self) {
            try learner.lanes(
                for: Query(round: 0, kind: first.kind, body: first.body, layout: layout))
        }
    }

    @Test func `histograms of a tree fit the stated number of bytes`() throws {
        let (queries, _) = try recorded()
        let table = try TreeTable(rows: 1, seed: 1)
        let tree = queries.filter { $0.kind == "tree.step" && $0.round == 1 }
        let bytes = tree.reduce(0) { $0 + $1.layout.laneCount * $1.layout.ringBits / 8 }
        let ring = tree[0].layout.ringBits / 8
        let depth = 4
        // Beside the histograms, at most 6 lanes of marks for each feature of a node.
        let marks = 6 * table.width * ring << depth
        let histograms = table.width * 256 * 2 * ring << (depth - 1)
        #expect(bytes <= histograms + marks)
    }

    @Test func `counters too narrow for the banks are not filled`() throws {
        let (queries, answering) = try recorded()
        let first = try #require(queries.firstIndex { $0.kind == "tree.step" })
        var learner = try answering()
        for query in queries[..<first] { _ = try learner.answer(query, contributors: 2) }
        // The counters have two bits, as two banks need: a fourth would run into the next counter.
        #expect(throws: LearningError.self) {
            try learner.answer(queries[first], contributors: 4)
        }
        // A refused query changes nothing.
        for banks in 1...3 {
            var copy = learner
            _ = try copy.answer(queries[first], contributors: banks)
        }
    }

    @Test func `rows that do not fit the schema are refused`() throws {
        let table = try TreeTable(rows: 10, seed: 1)
        let narrow = Dataset(columns: [[1]], labels: [0])
        let mislabelled = Dataset(
            columns: [[Double]](repeating: [1], count: table.width), labels: [2])
        for dataset in [narrow, mislabelled] {
            #expect(throws: LearningError.self) {
                try LocalBoostingLearner(
                    fit: dataset, schema: table.schema, configuration: quickConfiguration())
            }
        }
    }
}
