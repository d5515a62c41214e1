internal import FedCrypto
internal import FoundationEssentials

/// What one run will do.
///
/// Every bank reads it, consents to its hash by its signature, and binds every mask to it.
public struct Manifest: Equatable, Sendable {
    /// Format identifier of the document.
    public static let format = "fed-manifest/1"
    /// The one suite of this version.
    public static let suite = "X25519-HKDF-SHA256-AES256CTR-AES256GCM-Shamir256-Ed25519"
    /// The most attempts of groups that one epoch can be prepared for.
    public static let gatesMax = 4096
    /// The most rows that a bank may bring by default: 2^27.
    public static let rowsMaxDefault = 1 << 27

    /// The run.
    public let run: RunID
    /// What is trained, and how.
    public let algorithm: AlgorithmConfiguration
    /// SHA-256 of the feature standard.
    public let standardDigest: [UInt8]
    /// Name and version of the standard, for messages.
    public let standardName: String
    /// The most rows that a bank may bring.
    public let rowsMax: Int
    /// The banks and their identity keys.
    public let roster: Roster
    /// SHA-256 of the consortium's charter.
    public let charterDigest: [UInt8]
    /// Attempts of groups for which self-masks are shared before the first one.
    public let gates: Int
    /// The canonical document.
    public let bytes: [UInt8]
    /// SHA-256 of the document.
    public let digest: [UInt8]

    /// Wraps the parts of a run of all banks of a charter.
    public init(
        run: RunID, algorithm: AlgorithmConfiguration, standardDigest: [UInt8],
        standardName: String, rowsMax: Int = Manifest.rowsMaxDefault, charter: Charter
    ) {
        self.init(
            run: run, algorithm: algorithm, standardDigest: standardDigest,
            standardName: standardName, rowsMax: rowsMax, roster: charter.roster,
            charterDigest: charter.digest, gates: algorithm.gatesDefault)
    }

    init(
        run: RunID, algorithm: AlgorithmConfiguration, standardDigest: [UInt8],
        standardName: String, rowsMax: Int, roster: Roster, charterDigest: [UInt8], gates: Int
    ) {
        self.run = run
        self.algorithm = algorithm
        self.standardDigest = standardDigest
        self.standardName = standardName
        self.rowsMax = rowsMax
        self.roster = roster
        self.charterDigest = charterDigest
        self.gates = gates
        bytes =
            CanonicalJSON.object([
                "format": .string(Self.format),
                "suite": .string(Self.suite),
                "run": .string(run.description),
                "algorithm": .string(algorithm.name),
                "configuration": algorithm.canonical,
                "standard": .object([
                    "name": .string(standardName), "sha256": .string(standardDigest.hexadecimal),
                ]),
                "rows_max": .integer(Int64(rowsMax)),
                "roster": roster.json, "charter": .string(charterDigest.hexadecimal),
                "gates": .integer(Int64(gates)),
            ]).bytes
        digest = SHA256.hash(bytes)
    }

    /// Reads a manifest, strictly: what it does not understand it refuses.
    ///
    /// - Throws: ``ManifestFailure``.
    public init(bytes: [UInt8]) throws(ManifestFailure) {
        let document: Document
        do {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            document = try decoder.decode(Document.self, from: Data(bytes))
        } catch {
            throw .malformed
        }
        guard document.format == Self.format, document.suite == Self.suite else {
            throw .unknownFormat(format: document.format, suite: document.suite)
        }
        guard let run = RunID(document.run),
            let digest = [UInt8](hexadecimal: document.standard.sha256), digest.count == 32,
            (1...(1 << 40)).contains(document.rowsMax),
            let charterDigest = [UInt8](hexadecimal: document.charter),
            (1...Self.gatesMax).contains(document.gates)
        else { throw .malformed }
        guard let roster = Roster(entries: document.roster) else { throw .malformed }
        let algorithm: AlgorithmConfiguration
        do {
            algorithm = try AlgorithmConfiguration(
                name: document.algorithm, manifestBytes: bytes)
        } catch {
            throw .algorithm(error)
        }
        self.init(
            run: run, algorithm: algorithm, standardDigest: digest,
            standardName: document.standard.name, rowsMax: document.rowsMax, roster: roster,
            charterDigest: charterDigest, gates: document.gates)
        // One value has one spelling: whatever the fields above left out cannot be in the bytes.
        guard self.bytes == bytes else { throw .notCanonical }
    }

    private struct Document: Decodable {
        struct Standard: Decodable {
            let name: String
            let sha256: String
        }
        let format: String
        let suite: String
        let run: String
        let algorithm: String
        let standard: Standard
        let rowsMax: Int
        let roster: [Roster.Entry]
        let charter: String
        let gates: Int
    }
}

/// Why a manifest is refused.
public enum ManifestFailure: Error, Equatable, Sendable {
    case malformed
    case unknownFormat(format: String, suite: String)
    case algorithm(LearningError)
    case notCanonical
}
