import FedCore
import Foundation
import Testing

/// The published schema says what the code does.
@Suite struct ModelSchemaTests {
    private struct Bound: Decodable {
        let type: String
        let minimum: Double
        let maximum: Double
    }

    private struct Object<Value: Decodable>: Decodable {
        let required: [String]
        let properties: Value
    }

    private struct Root: Decodable {
        let configuration: Object<[String: Bound]>
    }

    @Test func `its bounds of hyper-parameters are the declared ones`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Schemas/gbdt-model.v1.schema.json")
        let schema = try JSONDecoder().decode(Object<Root>.self, from: Data(contentsOf: root))
        let stated = schema.properties.configuration
        let names = BoostingParameter.allCases.map(\.rawValue).sorted()
        #expect(stated.required == names)
        #expect(stated.properties.keys.sorted() == names)
        for parameter in BoostingParameter.allCases {
            let bound = try #require(stated.properties[parameter.rawValue])
            let declaration = parameter.declaration
            #expect(bound.minimum...bound.maximum == declaration.bounds, "\(parameter)")
            #expect((bound.type == "integer") == declaration.isInteger, "\(parameter)")
        }
    }

    @Test func `its members are those of a model file`() throws {
        struct Ignored: Decodable { init(from decoder: any Decoder) throws {} }
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Schemas/gbdt-model.v1.schema.json")
        let schema = try JSONDecoder().decode(
            Object<[String: Ignored]>.self, from: Data(contentsOf: root))
        let table = try TreeTable(rows: 200, seed: 1)
        let model = try GradientBoostingTrainer.train(
            datasets: [table.pooled], schema: table.schema,
            configuration: quickConfiguration([.treesMax: 1]))
        let members = try JSONDecoder().decode(
            [String: Ignored?].self, from: Data(model.document.bytes))
        #expect(schema.properties.keys.sorted() == members.keys.sorted())
        #expect(schema.required == members.keys.sorted())
    }
}
