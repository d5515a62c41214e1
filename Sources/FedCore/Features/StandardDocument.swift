internal import FoundationEssentials

/// The JSON form of ``FeatureStandard``: member names and types, no rules.
struct StandardDocument: Decodable {
    let name: String
    let version: Int
    let description: String
    let row: String
    let label: String
    let features: [FeatureMembers]

    /// Every member, all of them required.
    ///
    /// The schema file lists the same.
    static let memberNames = [
        "format", "name", "version", "description", "row", "label", "features",
    ]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder)
        // The format comes first: a later one may have members that this one does not know.
        let format = try members.value(String.self, "format", "a string")
        guard format == FeatureStandard.format else {
            throw FeatureStandardError.unknownFormat(
                got: String(format.prefix(64)), expected: FeatureStandard.format)
        }
        try members.allow(Self.memberNames)
        name = try members.value(String.self, "name", "a string")
        version = try members.value(Int.self, "version", "a whole number")
        description = try members.value(String.self, "description", "a string")
        row = try members.value(String.self, "row", "a string")
        label = try members.value(String.self, "label", "a string")
        features = try members.value([FeatureMembers].self, "features", "a list of objects")
    }

    static func parse(_ json: [UInt8]) throws(FeatureStandardError) -> StandardDocument {
        guard json.count <= FeatureStandard.documentBytesMax else {
            throw .tooLarge(gotBytes: json.count, bytesMax: FeatureStandard.documentBytesMax)
        }
        let document: StandardDocument
        do {
            document = try JSONDecoder().decode(StandardDocument.self, from: Data(json))
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
        name: String, version: Int, description: String, rowColumn: String, labelColumn: String,
        features: [Feature]
    ) -> [UInt8] {
        let document: [String: CanonicalJSON] = [
            "format": .string(FeatureStandard.format),
            "name": .string(name),
            "version": .integer(Int64(version)),
            "description": .string(description),
            "row": .string(rowColumn),
            "label": .string(labelColumn),
            "features": .array(features.map(FeatureMembers.json)),
        ]
        return CanonicalJSON.object(document).bytes
    }
}

/// The JSON form of ``Feature``.
struct FeatureMembers: Decodable {
    let name: String
    let type: String
    let levels: [Int]?
    let unit: String
    let range: RangeMembers
    let missing: MissingMembers
    let transform: String
    let sensitivity: String
    let description: String
    let descriptionChinese: String?

    /// Every member; `levels` stands with the type `categorical` only, `description_zh` where there
    /// is one: without it the bytes, and so the hash, are those of standards before it.
    static let memberNames = [
        "name", "type", "levels", "unit", "range", "missing", "transform", "sensitivity",
        "description", "description_zh",
    ]
    static let typeNames = ["continuous", "integer", "binary", "categorical"]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder, allowed: Self.memberNames)
        name = try members.value(String.self, "name", "a string")
        type = try members.value(String.self, "type", "a string")
        levels =
            try members.has("levels")
            ? members.value([Int].self, "levels", "a list of whole numbers") : nil
        unit = try members.value(String.self, "unit", "a string")
        range = try members.value(RangeMembers.self, "range", "an object")
        missing = try members.value(MissingMembers.self, "missing", "an object")
        transform = try members.value(String.self, "transform", "a string")
        sensitivity = try members.value(String.self, "sensitivity", "a string")
        description = try members.value(String.self, "description", "a string")
        descriptionChinese =
            try members.has("description_zh")
            ? members.value(String.self, "description_zh", "a string") : nil
    }

    func feature(place: String) throws(FeatureStandardError) -> Feature {
        guard range.min < range.max else {
            throw StandardRules.minNotBelowMax(range.min, range.max, place: place + ".range")
        }
        // Zero has one sign, or equal documents would give unequal standards.
        return Feature(
            name: name, type: try featureType(place: place), unit: unit,
            range: (range.min + 0)...(range.max + 0), missing: try missing.policy(place: place),
            transform: try Self.choice(transform, place: place + ".transform"),
            sensitivity: try Self.choice(sensitivity, place: place + ".sensitivity"),
            description: description, descriptionChinese: descriptionChinese)
    }

    private func featureType(place: String) throws(FeatureStandardError) -> FeatureType {
        if type != "categorical", levels != nil {
            throw .unknownMember(place: place + ".levels")
        }
        switch type {
        case "continuous": return .continuous
        case "integer": return .integer
        case "binary": return .binary
        case "categorical":
            guard let levels else { throw .missingMember(place: place + ".levels") }
            return .categorical(levels: levels)
        default:
            throw .invalidValue(
                place: place + ".type", got: "\"\(type.prefix(40))\"",
                expected: Self.typeNames.joined(separator: " | "))
        }
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ word: String, place: String
    ) throws(FeatureStandardError) -> Choice {
        guard let value = Choice(rawValue: word) else {
            throw .invalidValue(
                place: place, got: "\"\(word.prefix(40))\"",
                expected: Choice.allCases.map(\.rawValue).joined(separator: " | "))
        }
        return value
    }

    static func json(_ feature: Feature) -> CanonicalJSON {
        var missing: [String: CanonicalJSON] = ["policy": .string(feature.missing.name)]
        if let value = feature.missing.imputedValue { missing["value"] = .number(value) }
        var members: [String: CanonicalJSON] = [
            "name": .string(feature.name),
            "type": .string(feature.type.name),
            "unit": .string(feature.unit),
            "range": .object([
                "min": .number(feature.range.lowerBound), "max": .number(feature.range.upperBound),
            ]),
            "missing": .object(missing),
            "transform": .string(feature.transform.rawValue),
            "sensitivity": .string(feature.sensitivity.rawValue),
            "description": .string(feature.description),
        ]
        if let text = feature.descriptionChinese { members["description_zh"] = .string(text) }
        if case .categorical(let levels) = feature.type {
            members["levels"] = .array(levels.map { .integer(Int64($0)) })
        }
        return .object(members)
    }
}

/// The JSON form of a range.
struct RangeMembers: Decodable {
    let min: Double
    let max: Double

    static let memberNames = ["min", "max"]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder, allowed: Self.memberNames)
        min = try members.value(Double.self, "min", "a number")
        max = try members.value(Double.self, "max", "a number")
    }
}

/// The JSON form of ``MissingPolicy``.
struct MissingMembers: Decodable {
    let policy: String
    let value: Double?

    /// Both members; `value` stands with `impute` and `keep` only.
    static let memberNames = ["policy", "value"]
    static let policyNames = ["refuse", "impute", "keep"]

    init(from decoder: any Decoder) throws {
        let members = try StrictMembers(decoder, allowed: Self.memberNames)
        policy = try members.value(String.self, "policy", "a string")
        value = try members.has("value") ? members.value(Double.self, "value", "a number") : nil
    }

    func policy(place: String) throws(FeatureStandardError) -> MissingPolicy {
        guard Self.policyNames.contains(policy) else {
            throw .invalidValue(
                place: place + ".missing.policy", got: "\"\(policy.prefix(40))\"",
                expected: Self.policyNames.joined(separator: " | "))
        }
        if policy == "refuse" {
            guard value == nil else { throw .unknownMember(place: place + ".missing.value") }
            return .refuse
        }
        guard let value else { throw .missingMember(place: place + ".missing.value") }
        return policy == "impute" ? .impute(value + 0) : .keep(imputed: value + 0)
    }
}

/// The member names and words of the format, to be compared with its schema.
package enum FeatureStandardVocabulary {
    /// Members of the document.
    package static var documentMembers: [String] { StandardDocument.memberNames }
    /// Members of a feature.
    package static var featureMembers: [String] { FeatureMembers.memberNames }
    /// Members of a range.
    package static var rangeMembers: [String] { RangeMembers.memberNames }
    /// Members of a missing policy.
    package static var missingMembers: [String] { MissingMembers.memberNames }
    /// Types of features.
    package static var types: [String] { FeatureMembers.typeNames }
    /// Missing policies.
    package static var missingPolicies: [String] { MissingMembers.policyNames }
}
