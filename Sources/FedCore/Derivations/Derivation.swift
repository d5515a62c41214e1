internal import FedCrypto

/// How the features of a standard are computed from raw transactions: declared, not coded.
///
/// A derivation is a versioned JSON document beside the standard that it feeds. Its identity is the
/// SHA-256 of its canonical form. ``DerivationState`` carries it out, for files and for live
/// payments alike.
public struct Derivation: Equatable, Sendable {
    /// The format of the document and its version.
    public static let format = "fed-derivation/1"
    /// The most bytes of a document.
    public static let documentBytesMax = 1 << 23
    /// The most raw columns.
    public static let columnCountMax = 256
    /// The most seconds back that a window reaches, 68 years.
    public static let windowSecondsMax: Int64 = 1 << 31

    /// What rows of one time know of each other.
    public enum Ties: String, CaseIterable, Sendable {
        /// A window with `near` 0 takes in all rows of the group with the row's own time.
        case together
        /// It takes in those of them that came before the row, and the row.
        case arrival
    }

    /// A feature of the standard and how it is computed.
    public struct DerivedFeature: Equatable, Sendable {
        /// The feature's name in the standard.
        public let name: String
        /// How it is computed.
        public let value: Expression

        /// Wraps the members; ``Derivation`` checks them.
        public init(name: String, value: Expression) {
            self.name = name
            self.value = value
        }
    }

    /// The name of the derivation, the same for all its versions.
    public let name: String
    /// 1 for the first, one more for each change.
    public let version: Int
    /// What the raw rows are.
    public let description: String
    /// The name of the standard whose features it computes.
    public let standard: String
    /// Seconds until the label of a row is known.
    public let labelDelay: Int64
    /// What rows of one time know of each other.
    public let ties: Ties
    /// The raw columns.
    public let columns: [RawColumn]
    /// What banks count together; most derivations have none.
    public let indicators: [Indicator]
    /// One for each feature of the standard, in its order.
    public let features: [DerivedFeature]
    /// The document in canonical JSON (RFC 8785).
    public let canonicalBytes: [UInt8]
    /// SHA-256 of ``canonicalBytes``, 32 bytes: the identity of the derivation.
    public let sha256: [UInt8]

    /// Checks and wraps a derivation.
    ///
    /// - Throws: ``DerivationError/document(_:)`` with the first place that is wrong.
    public init(
        name: String, version: Int, description: String, standard: String, labelDelay: Int64,
        ties: Ties, columns: [RawColumn], indicators: [Indicator] = [],
        features: [DerivedFeature]
    ) throws(DerivationError) {
        self.name = name
        self.version = version
        self.description = description
        self.standard = standard
        self.labelDelay = labelDelay
        self.ties = ties
        self.columns = columns
        self.indicators = indicators
        self.features = features
        do {
            try DerivationRules.check(
                name: name, version: version, description: description, standard: standard,
                labelDelay: labelDelay, columns: columns, indicators: indicators,
                features: features)
        } catch {
            throw .document(error)
        }
        canonicalBytes = DerivationDocument.canonicalBytes(
            name: name, version: version, description: description, standard: standard,
            labelDelay: labelDelay, ties: ties, columns: columns, indicators: indicators,
            features: features)
        sha256 = SHA256.hash(canonicalBytes)
    }

    /// Reads a document.
    ///
    /// - Parameter json: the file's bytes, canonical or not.
    /// - Throws: ``DerivationError/document(_:)``; unknown members are refused.
    public init(json: [UInt8]) throws(DerivationError) {
        let document: DerivationDocument
        do {
            document = try DerivationDocument.parse(json)
        } catch {
            throw .document(error)
        }
        try self.init(
            name: document.name, version: document.version, description: document.description,
            standard: document.standard, labelDelay: document.labelDelay, ties: document.ties,
            columns: document.columns, indicators: document.indicators,
            features: document.features)
    }

    /// Checks that the derivation computes just the features of a standard, in its order.
    ///
    /// - Throws: ``DerivationError/anotherStandard(got:expected:)`` or
    ///   ``DerivationError/anotherFeature(place:got:expected:)``.
    public func requireFeeding(_ other: FeatureStandard) throws(DerivationError) {
        guard standard == other.name else {
            throw .anotherStandard(got: standard, expected: other.name)
        }
        for index in 0..<max(features.count, other.features.count) {
            let got = index < features.count ? features[index].name : "none"
            let expected = index < other.features.count ? other.features[index].name : "none"
            guard got == expected else {
                throw .anotherFeature(place: "features[\(index)]", got: got, expected: expected)
            }
        }
    }

    /// The columns of ``RawRow/numbers``.
    public var numberColumns: [RawColumn] { columns.filter { $0.role.isNumeric } }

    /// The columns of ``RawRow/entities``.
    public var entityColumns: [RawColumn] { columns.filter { $0.role == .entity } }

    /// The column of a role that is there once at most.
    public func column(_ role: RawColumn.Role) -> RawColumn? {
        columns.first { $0.role == role }
    }
}
