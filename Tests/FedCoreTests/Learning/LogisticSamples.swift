import FedCore
import Foundation
import Testing

/// splitmix64 in counter mode, as the generator of the vectors uses it.
struct SampleGenerator {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) &* 1_000_003 }

    mutating func next() -> UInt64 {
        state &+= 1
        var z = state &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in [0, 1).
    mutating func uniform() -> Double { Double(next() >> 11) / 0x1p53 }

    /// Uniform in 0..<bound.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// Seeded rows, feature spaces and files for the tests of linear models.
enum LogisticSamples {
    /// The rows of the vectors: values on a grid of 2^-10, so that every language has the same.
    static func dataset(seed: Int, rows: Int, features: Int, rateShift: Double) -> Dataset {
        var generator = SampleGenerator(seed: seed)
        var columns = [[Double]](repeating: [], count: features)
        var labels: [UInt8] = []
        for _ in 0..<rows {
            var score = 0.0
            for feature in 0..<features {
                let size = [1.0, 10.0, 100.0][feature % 3]
                let grid = (generator.uniform() * 1024).rounded(.down) / 1024
                let value = grid * size - Double(feature % 2) * 0.5
                columns[feature].append(value)
                score += value / size * (feature.isMultiple(of: 2) ? 1 : -1)
            }
            labels.append(generator.uniform() * 4 < score - rateShift ? 1 : 0)
        }
        return Dataset(columns: columns, labels: labels)
    }

    static func space(
        features: Int, transform: LinearFeatureSpace.Transform = .signedLog,
        range: ClosedRange<Double> = -28...28, imputed: Double = 0
    ) throws -> LinearFeatureSpace {
        try LinearFeatureSpace(
            names: (0..<features).map { "feature\($0)" },
            transforms: .init(repeating: transform, count: features),
            imputedValues: .init(repeating: imputed, count: features),
            transformedRanges: .init(repeating: range, count: features),
            standardHash: .init(repeating: 7, count: 32))
    }

    /// Deals rows to banks: row i goes to bank `owner(i)`.
    static func deal(_ dataset: Dataset, to banks: Int, owner: (Int) -> Int) -> [Dataset] {
        let owners = (0..<dataset.rowCount).map(owner)
        return (0..<banks).map { bank in
            let rows = owners.indices.filter { owners[$0] == bank }
            return Dataset(
                columns: dataset.columns.map { column in rows.map { column[$0] } },
                labels: rows.map { dataset.labels[$0] })
        }
    }

    /// Runs a joint training in one process on plaintext sums; gives the model and how many sums.
    static func trainJointly(
        _ banks: [Dataset], space: LinearFeatureSpace, configuration: LogisticConfiguration
    ) throws -> (model: LogisticModel, sums: Int) {
        var joint = try JointLogisticLearner(
            space: space, configuration: configuration, contributors: banks.count,
            manifestHash: nil)
        var locals = try banks.map {
            try LocalLogisticLearner(dataset: $0, space: space, configuration: configuration)
        }
        var sums = 0
        while case .query(let query) = try joint.next() {
            var vectors: [EncodedVector] = []
            for index in locals.indices {
                vectors.append(try locals[index].answer(query, contributors: banks.count))
            }
            try joint.absorb(Aggregate(plaintextSumOf: vectors))
            sums += 1
        }
        return (try #require(joint.model), sums)
    }

    /// The largest relative difference of two lists, coefficients far below the largest compared
    /// with a thousandth of it.
    static func largestDifference(_ left: [Double], _ right: [Double]) -> Double {
        let floor = 1e-3 * (right.map(\.magnitude).max() ?? 0)
        return zip(left, right).map { ($0 - $1).magnitude / max($1.magnitude, floor) }.max() ?? 0
    }

    static func vectors<File: Decodable>(_ name: String, as: File.Type) throws -> File {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Vectors"))
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: url))
    }
}
