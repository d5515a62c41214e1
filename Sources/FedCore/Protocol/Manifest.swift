internal import FedCrypto
internal import FoundationEssentials

/// What one run will do.
///
/// Every bank reads it, consents to its hash by its signature, and binds every mask to it.
public struct Manifest: Equatable, Sendable {
    /// Format identifier of the document.
    public static let format = "fed-manifest/1"
    /// The one suite of this version.
    public static let suite = "X25519-HKDF-SHA256-AES256CTR-Ed25519"
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
    /// The canonical document.
    public let bytes: [UInt8]
    /// SHA-256 of the document.
    public let digest: [UInt8]

    /// Wraps the parts.
    public init(
        run: RunID, algorithm: AlgorithmConfiguration, standardDigest: [UInt8],
        standardName: String, rowsMax: Int = Manifest.rowsMaxDefault, roster: Roster
    ) {
        self.run = run
        self.algorithm = algorithm
        self.standardDigest = standardDigest
        self.standardName = standardName
        self.rowsMax = rowsMax
        self.roster = roster
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
                "roster": .array(
                    roster.members.map {
                        .object([
                            "bank": .string($0.bank.name),
                            "identity_key": .string($0.identityKey.hexadecimal),
                        ])
                    }),
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
            (1...(1 << 40)).contains(document.rowsMax)
        else { throw .malformed }
        var members: [Member] = []
        for entry in document.roster {
            guard let bank = NodeID(entry.bank),
                let key = [UInt8](hexadecimal: entry.identityKey),
                let member = Member(bank: bank, identityKey: key)
            else { throw .malformed }
            members.append(member)
        }
        let roster: Roster
        do {
            roster = try Roster(members)
        } catch {
            throw .roster(error)
        }
        let algorithm: AlgorithmConfiguration
        do {
            algorithm = try AlgorithmConfiguration(
                name: document.algorithm, manifestBytes: bytes)
        } catch {
            throw .algorithm(error)
        }
        self.init(
            run: run, algorithm: algorithm, standardDigest: digest,
            standardName: document.standard.name, rowsMax: document.rowsMax, roster: roster)
        // One value has one spelling: whatever the fields above left out cannot be in the bytes.
        guard self.bytes == bytes else { throw .notCanonical }
    }

    private struct Document: Decodable {
        struct Standard: Decodable {
            let name: String
            let sha256: String
        }
        struct Entry: Decodable {
            let bank: String
            let identityKey: String
        }
        let format: String
        let suite: String
        let run: String
        let algorithm: String
        let standard: Standard
        let rowsMax: Int
        let roster: [Entry]
    }
}

/// Why a manifest is refused.
public enum ManifestFailure: Error, Equatable, Sendable {
    case malformed
    case unknownFormat(format: String, suite: String)
    case roster(RosterFailure)
    case algorithm(LearningError)
    case notCanonical
}
