import FedCore

/// SplitMix64: the seed of a failing property replays it.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }
}

/// A made table with every kind of column that binning must survive.
struct TreeTable {
    let schema: TreeSchema
    let pooled: Dataset
    let width: Int

    init(rows: Int, seed: UInt64, fraudShare: Double = 0.1) throws {
        var random = SeededRandom(seed: seed)
        let features = [
            try TreeFeature(
                name: "amount", kind: .continuous, range: 0...10_000, allowsMissing: false),
            try TreeFeature(name: "ties", kind: .continuous, range: -1...1, allowsMissing: false),
            try TreeFeature(name: "count", kind: .integer, range: 0...40, allowsMissing: true),
            try TreeFeature(name: "night", kind: .binary, range: 0...1, allowsMissing: false),
            try TreeFeature(
                name: "channel", kind: .categorical(levels: 6), range: 0...5, allowsMissing: true),
            try TreeFeature(
                name: "constant", kind: .continuous, range: 0...9, allowsMissing: false),
            try TreeFeature(name: "absent", kind: .continuous, range: 0...1, allowsMissing: true),
            try TreeFeature(name: "sparse", kind: .integer, range: 0...1e6, allowsMissing: true),
        ]
        schema = try TreeSchema(
            features: features, standardHash: [UInt8](repeating: 7, count: 32))
        width = features.count
        var columns = [[Double]](repeating: [], count: features.count)
        var labels: [UInt8] = []
        for _ in 0..<rows {
            let amount = random.unit() * random.unit() * random.unit() * 9000
            let count = random.unit() < 0.2 ? Double.nan : (random.unit() * 40).rounded()
            let channel = random.unit() < 0.1 ? Double.nan : (random.unit() * 5).rounded()
            let night = random.unit() < 0.3 ? 1.0 : 0
            let sparse = random.unit() < 0.9 ? Double.nan : (random.unit() * 1e6).rounded()
            columns[0].append(amount)
            columns[1].append((random.unit() * 4).rounded() / 4 - 0.5)
            columns[2].append(count)
            columns[3].append(night)
            columns[4].append(channel)
            columns[5].append(4)
            columns[6].append(.nan)
            columns[7].append(sparse)
            var odds = fraudShare * (amount > 800 ? 3 : 0.5) * (night == 1 ? 2 : 0.7)
            odds *= count.isNaN ? 1.5 : (count > 25 ? 2 : 0.8)
            odds *= channel == 3 ? 3 : 0.8
            labels.append(random.unit() < odds ? 1 : 0)
        }
        pooled = Dataset(columns: columns, labels: labels)
    }

    /// The rows at `indices`.
    static func rows(_ indices: [Int], of dataset: Dataset) -> Dataset {
        Dataset(
            columns: dataset.columns.map { column in indices.map { column[$0] } },
            labels: indices.map { dataset.labels[$0] })
    }

    /// Deals the rows to banks of unequal sizes, in a shuffled order.
    func dealt(banks: Int, seed: UInt64) -> [Dataset] {
        var random = SeededRandom(seed: seed)
        var hands = [[Int]](repeating: [], count: banks)
        for row in (0..<pooled.rowCount).shuffled(using: &random) {
            let bank = Int(random.unit() * random.unit() * Double(banks))
            hands[min(bank, banks - 1)].append(row)
        }
        return hands.map { Self.rows($0, of: pooled) }
    }
}

/// Trains by the two learners, through encoded vectors summed in the ring.
func trainJointly(
    _ banks: [Dataset], validation: [Dataset] = [], schema: TreeSchema,
    configuration: GradientBoostingConfiguration, threads: Int = 1
) throws -> ModelDocument {
    var joint = try JointBoostingLearner(
        schema: schema, configuration: configuration, bankCount: banks.count, threads: threads)
    var locals = try banks.enumerated().map { index, bank in
        try LocalBoostingLearner(
            fit: bank, valid: validation.isEmpty ? nil : validation[index], schema: schema,
            configuration: configuration, threads: threads)
    }
    while true {
        switch try joint.next() {
        case .finished(let document): return document
        case .query(let query):
            var answers: [EncodedVector] = []
            for index in locals.indices {
                answers.append(try locals[index].answer(query, contributors: banks.count))
            }
            try joint.absorb(EncodedVector.plainSum(answers))
        }
    }
}

/// A quick configuration with no floors on top of which tests replace values.
func quickConfiguration(
    _ replaced: [BoostingParameter: Double] = [:]
) throws -> GradientBoostingConfiguration {
    let quick: [BoostingParameter: Double] = [
        .treesMax: 6, .depthMax: 4, .contributorsMin: 1, .childRowsMin: 1, .gridCells: 512,
    ]
    return try GradientBoostingConfiguration(quick.merging(replaced) { $1 })
}
