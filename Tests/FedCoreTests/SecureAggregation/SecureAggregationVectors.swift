import FedCore
import Foundation

/// Reads a vector file of the secure aggregation tests.
func secureAggregationVectors<File: Decodable>(_ type: File.Type, _ name: String) throws -> File {
    let url = Bundle.module.bundleURL.appending(path: "Vectors/\(name).json")
    return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

/// Bytes that a vector file writes in hexadecimal digits.
struct VectorBytes: Decodable {
    let bytes: [UInt8]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = [UInt8](hexadecimal: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "no hexadecimal digits")
        }
        self.bytes = bytes
    }
}

/// A small seeded generator for test inputs ; never for secrets.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
