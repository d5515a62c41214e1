internal import FoundationEssentials

/// The sums of a tally as a file.
public struct TallyDocument: Equatable, Sendable {
    /// The member `format`.
    public static let format = "fed-tally/1"

    /// What was counted.
    public let configuration: TallyConfiguration
    /// The sums over all banks, a lane each.
    public let sums: [Int64]
    /// SHA-256 of the run's manifest.
    public let manifestHash: [UInt8]?

    /// Wraps sums, one a lane of the configuration.
    init(configuration: TallyConfiguration, sums: [Int64], manifestHash: [UInt8]?) {
        self.configuration = configuration
        self.sums = sums
        self.manifestHash = manifestHash
    }

    /// The canonical file.
    ///
    /// Sums stand as text: they may be beyond 2^53.
    public var document: ModelDocument {
        ModelDocument(
            bytes: CanonicalJSON.object([
                "format": .string(Self.format), "subject": .string(configuration.name),
                "configuration": configuration.canonical,
                "sums": .array(sums.map { .string(String($0)) }),
                "manifest": manifestHash.map { .string($0.hexadecimal) } ?? .null,
            ]).bytes)
    }

    /// Reads a file.
    ///
    /// - Throws: ``LearningError/invalidModel(reason:)`` for anything but a canonical one.
    public init(bytes: [UInt8]) throws(LearningError) {
        struct Document: Decodable {
            let format: String
            let subject: String
            let configuration: [String: Double]
            let sums: [String]
            let manifest: String?
        }
        guard let read = try? JSONDecoder().decode(Document.self, from: Data(bytes)),
            read.format == Self.format,
            let configuration = try TallyConfiguration(
                name: read.subject, settings: read.configuration)
        else { throw .invalidModel(reason: "not a document of sums") }
        let sums = read.sums.compactMap { Int64($0) }
        guard sums.count == read.sums.count, sums.count == configuration.laneCount else {
            throw .invalidModel(reason: "its sums are not those of its subject")
        }
        self.init(
            configuration: configuration, sums: sums,
            manifestHash: read.manifest.flatMap { [UInt8](hexadecimal: $0) })
        guard document.bytes == bytes else {
            throw .invalidModel(reason: "not in canonical form")
        }
    }
}
