internal import FedCrypto

/// The columns that all banks of a consortium agreed on: names, types, units, allowed ranges, the
/// treatment of missing values, transforms.
///
/// A standard is a versioned JSON document. Its identity is the SHA-256 of its canonical form, so
/// white space, the order of members and the spelling of numbers in the file do not matter. Runs
/// name the hash in their manifest; banks with another standard cannot take part by accident.
public struct FeatureStandard: Equatable, Sendable {
    /// The format of the document and its version.
    public static let format = "fed-feature-standard/1"
    /// The most features of a standard.
    public static let featureCountMax = 4096
    /// The most bytes of a document.
    public static let documentBytesMax = 1 << 23
    /// The greatest magnitude of a range, level or imputed value.
    public static let magnitudeMax = 1e15

    /// The name of the standard, the same for all its versions.
    public let name: String
    /// 1 for the first, one more for each change.
    public let version: Int
    /// What the rows are and what the label means.
    public let description: String
    /// The header name of the column that numbers rows; files may go without that column.
    public let rowColumn: String
    /// The header name of the label's column: 1 for a fraud, else 0.
    public let labelColumn: String
    /// The features; their order is the order of columns in ``Dataset`` and of a model's inputs.
    public let features: [Feature]
    /// The document in canonical JSON (RFC 8785).
    public let canonicalBytes: [UInt8]
    /// SHA-256 of ``canonicalBytes``, 32 bytes: the identity of the standard.
    public let sha256: [UInt8]

    /// Checks and wraps a standard.
    ///
    /// - Throws: ``FeatureStandardError/invalidValue(place:got:expected:)`` or
    ///   ``FeatureStandardError/duplicateName(place:name:)`` with the first place that is wrong.
    public init(
        name: String, version: Int, description: String, rowColumn: String = "row",
        labelColumn: String = "fraud", features: [Feature]
    ) throws(FeatureStandardError) {
        self.name = name
        self.version = version
        self.description = description
        self.rowColumn = rowColumn
        self.labelColumn = labelColumn
        self.features = features
        try StandardRules.check(
            name: name, version: version, description: description, rowColumn: rowColumn,
            labelColumn: labelColumn, features: features)
        self.canonicalBytes = StandardDocument.canonicalBytes(
            name: name, version: version, description: description, rowColumn: rowColumn,
            labelColumn: labelColumn, features: features)
        self.sha256 = SHA256.hash(canonicalBytes)
    }

    /// Reads a document.
    ///
    /// - Parameter json: the file's bytes, canonical or not.
    /// - Throws: every case of ``FeatureStandardError``; unknown members are refused.
    public init(json: [UInt8]) throws(FeatureStandardError) {
        let document = try StandardDocument.parse(json)
        var features: [Feature] = []
        features.reserveCapacity(document.features.count)
        for (index, member) in document.features.enumerated() {
            features.append(try member.feature(place: "features[\(index)]"))
        }
        try self.init(
            name: document.name, version: document.version, description: document.description,
            rowColumn: document.row, labelColumn: document.label, features: features)
    }
}

extension FeatureStandard {
    /// The document for people: one feature a line, members in canonical order.
    ///
    /// It reads back as the same standard.
    public var readableBytes: [UInt8] {
        var output: [UInt8] = []
        var depth = 0
        var isInString = false
        var isEscaped = false
        for byte in canonicalBytes {
            if isInString {
                output.append(byte)
                if byte == 0x22, !isEscaped { isInString = false }
                isEscaped = byte == 0x5C && !isEscaped
                continue
            }
            let closes = byte == 0x7D || byte == 0x5D
            if closes {
                depth -= 1
                if depth < 2 { Self.breakLine(depth, &output) }
            }
            output.append(byte)
            if byte == 0x7B || byte == 0x5B {
                depth += 1
                if depth <= 2 { Self.breakLine(depth, &output) }
            } else if byte == 0x2C {
                if depth <= 2 { Self.breakLine(depth, &output) } else { output.append(0x20) }
            } else if byte == 0x3A {
                output.append(0x20)
            } else if byte == 0x22 {
                isInString = true
            }
        }
        return output + [0x0A]
    }

    private static func breakLine(_ depth: Int, _ output: inout [UInt8]) {
        output.append(0x0A)
        output.append(contentsOf: repeatElement(0x20, count: 2 * depth))
    }
}
