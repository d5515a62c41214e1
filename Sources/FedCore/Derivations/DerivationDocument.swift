internal import FoundationEssentials

/// The JSON form of ``Derivation``: member names and types, no rules.
struct DerivationDocument: Decodable {
    let name: String
    let version: Int
    let description: String
    let standard: String
    let labelDelay: Int64
    let ties: Derivation.Ties
    let columns: [RawColumn]
    let indicators: [Indicator]
    let features: [Derivation.DerivedFeature]

    /// Every member; all but `indicators` are required.
    static let memberNames = [
        "format", "name", "version", "description", "standard", "label_delay", "ties", "columns",
        "indicators", "features",
    ]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder)
        // The format comes first: a later one may have members that this one does not know.
        let format = try members.value(String.self, "format", "a string")
        guard format == Derivation.format else {
            throw FeatureStandardError.unknownFormat(
                got: String(format.prefix(64)), expected: Derivation.format)
        }
        try members.allow(Self.memberNames)
        name = try members.value(String.self, "name", "a string")
        version = try members.value(Int.self, "version", "a whole number")
        description = try members.value(String.self, "description", "a string")
        standard = try members.value(String.self, "standard", "a string")
        let delay = try members.value(Int64.self, "label_delay", "a whole number")
        labelDelay = delay
        ties = try members.word("ties", place: "ties")
        let columnMembers = try members.value(
            [RawColumnMembers].self, "columns", "a list of objects")
        columns = try columnMembers.enumerated().map { index, member in
            try member.column(place: "columns[\(index)]")
        }
        indicators =
            try members.has("indicators")
            ? members.value([IndicatorMembers].self, "indicators", "a list of objects")
                .map { $0.indicator.resolved(delay: delay) } : []
        features = try members.value(
            [DerivedFeatureMembers].self, "features", "a list of objects"
        ).map { Derivation.DerivedFeature(name: $0.name, value: $0.value.resolved(delay: delay)) }
    }

    static func parse(_ json: [UInt8]) throws(FeatureStandardError) -> DerivationDocument {
        guard json.count <= Derivation.documentBytesMax else {
            throw .tooLarge(gotBytes: json.count, bytesMax: Derivation.documentBytesMax)
        }
        let document: DerivationDocument
        do {
            document = try JSONDecoder().decode(DerivationDocument.self, from: Data(json))
        } catch let error as FeatureStandardError {
            throw error
        } catch let error as DecodingError {
            throw FeatureStandardError(error)
        } catch {
            throw .notJSON(reason: "the decoder failed")
        }
        if let name = RepeatedMembers.first(in: json) { throw .repeatedMember(name: name) }
        return document
    }

    /// The one byte form.
    static func canonicalBytes(
        name: String, version: Int, description: String, standard: String, labelDelay: Int64,
        ties: Derivation.Ties, columns: [RawColumn], indicators: [Indicator],
        features: [Derivation.DerivedFeature]
    ) -> [UInt8] {
        var members: [String: CanonicalJSON] = [
            "format": .string(Derivation.format),
            "name": .string(name),
            "version": .integer(Int64(version)),
            "description": .string(description),
            "standard": .string(standard),
            "label_delay": .integer(labelDelay),
            "ties": .string(ties.rawValue),
            "columns": .array(columns.map(RawColumnMembers.json)),
            "features": .array(
                features.map {
                    .object(["name": .string($0.name), "value": ExpressionMembers.json($0.value)])
                }),
        ]
        // Left out where there are none, as it is in documents from before there were any.
        if !indicators.isEmpty {
            members["indicators"] = .array(indicators.map(IndicatorMembers.json))
        }
        return CanonicalJSON.object(members).bytes
    }
}

/// The JSON form of ``RawColumn``.
struct RawColumnMembers: Decodable {
    private let name: String
    private let role: String
    private let type: String
    private let missing: String?
    private let levels: [String]?

    /// Every member; `missing` and `levels` stand with some roles only.
    static let memberNames = ["name", "role", "type", "missing", "levels"]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder, allowed: Self.memberNames)
        name = try members.value(String.self, "name", "a string")
        role = try members.value(String.self, "role", "a string")
        type = try members.value(String.self, "type", "a string")
        missing =
            try members.has("missing") ? members.value(String.self, "missing", "a string") : nil
        levels =
            try members.has("levels")
            ? members.value([String].self, "levels", "a list of strings") : nil
    }

    func column(place: String) throws(FeatureStandardError) -> RawColumn {
        let role: RawColumn.Role = try word(self.role, place: place + ".role")
        let kind: RawColumn.Kind = try word(type, place: place + ".type")
        if role.hasMissingPolicy, missing == nil {
            throw .missingMember(place: place + ".missing")
        }
        if !role.hasMissingPolicy, missing != nil {
            throw .unknownMember(place: place + ".missing")
        }
        let hasLevels = role == .category && kind == .text
        if hasLevels, levels == nil { throw .missingMember(place: place + ".levels") }
        if !hasLevels, levels != nil { throw .unknownMember(place: place + ".levels") }
        let policy: RawColumn.Missing =
            if let missing { try word(missing, place: place + ".missing") } else { .refuse }
        return RawColumn(
            name: name, role: role, kind: kind, missing: policy, levels: levels ?? [])
    }

    static func json(_ column: RawColumn) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "name": .string(column.name),
            "role": .string(column.role.rawValue),
            "type": .string(column.kind.rawValue),
        ]
        if column.role.hasMissingPolicy { members["missing"] = .string(column.missing.rawValue) }
        if column.role == .category, column.kind == .text {
            members["levels"] = .array(column.levels.map { .string($0) })
        }
        return .object(members)
    }
}

/// The JSON form of a derived feature.
struct DerivedFeatureMembers: Decodable {
    let name: String
    let value: ExpressionMembers

    static let memberNames = ["name", "value"]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder, allowed: Self.memberNames)
        name = try members.value(String.self, "name", "a string")
        value = try members.value(ExpressionMembers.self, "value", "an object")
    }
}

extension StrictMembers {
    /// Reads one of the words of a vocabulary.
    func word<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, place: String
    ) throws -> Choice {
        try FedCore.word(value(String.self, name, "a string"), place: place)
    }
}

/// Finds a word in its vocabulary.
func word<Choice: RawRepresentable<String> & CaseIterable>(
    _ word: String, place: String
) throws(FeatureStandardError) -> Choice {
    guard let value = Choice(rawValue: word) else {
        throw .invalidValue(
            place: place, got: "\"\(word.prefix(40))\"",
            expected: Choice.allCases.map(\.rawValue).joined(separator: " | "))
    }
    return value
}

/// The member names and words of the format, to be compared with its schema.
package enum DerivationVocabulary {
    /// Members of the document.
    package static var documentMembers: [String] { DerivationDocument.memberNames }
    /// Members of a raw column.
    package static var columnMembers: [String] { RawColumnMembers.memberNames }
    /// Members of a derived feature.
    package static var featureMembers: [String] { DerivedFeatureMembers.memberNames }
    /// The members of every operator beside `op`.
    package static var operatorMembers: [String: [String]] {
        Dictionary(
            uniqueKeysWithValues: ExpressionMembers.Operator.allCases.map {
                ($0.rawValue, $0.memberNames)
            })
    }
}
