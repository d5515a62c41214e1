import FedCore
import FedCrypto
import FedDecision

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

    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// About normal: the sum of twelve.
    mutating func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + unit() } }
}

/// A small standard with every kind of feature, and rows for it.
struct SmallTable {
    let standard: FeatureStandard
    let rows: Dataset

    init(rows count: Int, seed: UInt64, fraudShare: Double = 0.1) throws {
        standard = try FeatureStandard(
            name: "small", version: 1, description: "A table for tests.",
            features: [
                Feature(
                    name: "amount", type: .continuous, unit: "CNY", range: 0...10_000,
                    transform: .signedLog, sensitivity: .internal,
                    description: "Amount of the payment.", descriptionChinese: "交易金额"),
                Feature(
                    name: "count", type: .integer, unit: "1", range: 0...40,
                    missing: .keep(imputed: 3), transform: .identity, sensitivity: .internal,
                    description: "Payments of the day."),
                Feature(
                    name: "night", type: .binary, unit: "1", range: 0...1, transform: .identity,
                    sensitivity: .public, description: "Whether it is night."),
                Feature(
                    name: "channel", type: .categorical(levels: [0, 1, 2, 3]), unit: "1",
                    range: 0...3, missing: .impute(0), transform: .identity,
                    sensitivity: .public, description: "Channel."),
            ])
        var random = SeededRandom(seed: seed)
        var columns = [[Double]](repeating: [], count: 4)
        var labels: [UInt8] = []
        for _ in 0..<count {
            let row = [
                random.unit() * random.unit() * 9000,
                random.unit() < 0.2 ? Double.nan : (random.unit() * 40).rounded(),
                random.unit() < 0.3 ? 1.0 : 0,
                random.unit() < 0.1 ? Double.nan : (random.unit() * 3).rounded(),
            ]
            var odds = fraudShare * (row[0] > 3000 ? 3 : 0.4) * (row[2] == 1 ? 2 : 0.6)
            odds *= row[1].isNaN ? 1.5 : (row[1] > 25 ? 2 : 0.7)
            odds *= row[3] == 2 ? 2.5 : 0.8
            labels.append(random.unit() < odds ? 1 : 0)
            for index in 0..<4 { columns[index].append(row[index]) }
        }
        rows = Dataset(columns: columns, labels: labels)
    }

    func row(_ index: Int) -> [Double] { rows.columns.map { $0[index] } }

    func trees(_ count: Int = 12, depth: Double = 4, seed: Double = 0) throws -> TrainedModel {
        let configuration = try GradientBoostingConfiguration([
            .treesMax: Double(count), .depthMax: depth, .contributorsMin: 1, .childRowsMin: 1,
            .gridCells: 512, .seed: seed, .leafRegularisation: 1,
        ])
        return try AlgorithmConfiguration.boosting(configuration)
            .train(standard: standard, fit: [rows], threads: 1)
    }

    func linear() throws -> TrainedModel {
        try AlgorithmConfiguration(name: "logistic")
            .train(standard: standard, fit: [rows], threads: 1)
    }
}

/// A consortium of banks that vote.
struct Voters {
    let keys: [NodeID: SigningKey]
    let charter: ConsensusCharter

    init(_ names: [String], quorum: Int) throws {
        var keys: [NodeID: SigningKey] = [:]
        for (index, name) in names.enumerated() {
            guard let bank = NodeID(name) else { continue }
            keys[bank] = try SigningKey(seed: [UInt8](repeating: UInt8(index + 1), count: 32))
        }
        guard
            let charter = ConsensusCharter(
                identityKeys: keys.mapValues(\.publicKey), quorum: quorum)
        else { throw BundleRefusal.malformed }
        self.keys = keys
        self.charter = charter
    }

    func candidate(
        _ version: UInt64, model: ModelDocument, standard: [UInt8],
        validity: Range<Int64> = 100..<200
    ) -> ModelCandidate {
        ModelCandidate(
            charterDigest: charter.digest, version: version, modelDigest: model.digest,
            standardDigest: standard, manifestDigest: [UInt8](repeating: 3, count: 32),
            receiptHead: [UInt8](repeating: 4, count: 32), validity: validity)
    }

    func bundle(
        _ candidate: ModelCandidate, accepting: Int? = nil
    ) -> ModelBundle {
        let banks = keys.keys.sorted()
        return ModelBundle(
            candidate: candidate,
            votes: banks.enumerated().compactMap { index, bank in
                keys[bank].map {
                    let accepts = index < accepting ?? banks.count
                    return ModelVote(
                        candidate: candidate, bank: bank, decision: accepts ? .accept : .reject,
                        reasons: [accepts ? .noWorse : .worseThanLocal], castAt: 100, key: $0)
                }
            })
    }
}
