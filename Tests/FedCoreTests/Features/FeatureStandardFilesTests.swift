import FedCore
import Foundation
import Testing

/// The files about standards that the repository carries.
struct FeatureStandardFilesTests {
    @Test(arguments: [
        "handbook": 17, "handbook_shared": 29, "sparkov": 32, "ulb_trunc": 29, "uci_default": 23,
        "synthetic_raw": 24, "synthetic_raw_shared": 32,
    ])
    func everyStandardOfADataSetIsValid(name: String, featureCount: Int) throws {
        let standard = try FeatureStandard(
            json: repositoryFile("Datasets/standards/\(name).json"))
        #expect(standard.name == name)
        #expect(standard.features.count == featureCount)
        for feature in standard.features {
            // What the linear baseline of these sets does.
            #expect(feature.transform == (feature.type == .binary ? .identity : .signedLog))
            #expect(feature.transformedRange.upperBound.isFinite)
            // Reasons are shown in both languages.
            #expect(feature.descriptionChinese?.isEmpty == false, "\(feature.name)")
        }
    }

    @Test func theSchemaHasTheMembersAndWordsOfTheParser() throws {
        let bytes = try repositoryFile("Schemas/feature-standard.v1.schema.json")
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        let vocabulary = FeatureStandardVocabulary.self

        func members(_ object: [String: Any]) throws -> Set<String> {
            #expect(object["additionalProperties"] as? Bool == false)
            return Set(try #require(object["properties"] as? [String: Any]).keys)
        }
        func words(_ definition: String, _ member: String) throws -> [String] {
            let properties = definitions[definition]?["properties"] as? [String: [String: Any]]
            return try #require(properties?[member]?["enum"] as? [String])
        }
        let feature = try #require(definitions["feature"])
        let range = try #require(definitions["range"])
        let missing = try #require(definitions["missing"])
        func required(_ object: [String: Any]) throws -> Set<String> {
            Set(try #require(object["required"] as? [String]))
        }
        #expect(try members(schema) == Set(vocabulary.documentMembers))
        #expect(try required(schema) == Set(vocabulary.documentMembers))
        #expect(try members(feature) == Set(vocabulary.featureMembers))
        let optional = ["levels", "description_zh"]
        #expect(try required(feature) == Set(vocabulary.featureMembers).subtracting(optional))
        #expect(try members(range) == Set(vocabulary.rangeMembers))
        #expect(try required(range) == Set(vocabulary.rangeMembers))
        #expect(try members(missing) == Set(vocabulary.missingMembers))
        #expect(try words("feature", "type") == vocabulary.types)
        #expect(
            try words("feature", "transform") == FeatureTransform.allCases.map(\.rawValue))
        #expect(
            try words("feature", "sensitivity") == SensitivityGrade.allCases.map(\.rawValue))
        #expect(try words("missing", "policy") == vocabulary.missingPolicies)
        let format = (schema["properties"] as? [String: [String: Any]])?["format"]
        #expect(format?["const"] as? String == FeatureStandard.format)
    }
}
