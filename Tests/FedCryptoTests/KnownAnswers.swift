import Foundation

/// A byte string that a vector file writes in hexadecimal digits.
struct Hex: Decodable, Sendable {
    let bytes: [UInt8]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let digits = Array(try container.decode(String.self))
        bytes = try stride(from: 0, to: digits.count, by: 2).map { index in
            let pair = String(digits[index..<min(index + 2, digits.count)])
            guard pair.count == 2, let byte = UInt8(pair, radix: 16) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "no hexadecimal byte: \(pair)")
            }
            return byte
        }
    }
}

/// Reads a vector file.
func knownAnswers<File: Decodable>(_ type: File.Type, from name: String) throws -> File {
    let url = Bundle.module.bundleURL.appending(path: "Vectors/\(name).json")
    return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}
