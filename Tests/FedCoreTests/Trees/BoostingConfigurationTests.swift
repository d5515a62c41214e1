import FedCore
import Testing

@Suite struct BoostingConfigurationTests {
    @Test func `defaults lie within their bounds and have a sentence each`() throws {
        let configuration = try GradientBoostingConfiguration()
        for parameter in BoostingParameter.allCases {
            let declaration = parameter.declaration
            #expect(configuration[parameter] == declaration.standard)
            #expect(declaration.bounds.contains(declaration.standard))
            #expect(declaration.summary.hasSuffix("."))
        }
    }

    @Test func `a configuration reads back as itself`() throws {
        let configuration = try GradientBoostingConfiguration([.seed: 12, .learningRate: 0.037])
        let read = try GradientBoostingConfiguration(jsonBytes: configuration.json.bytes)
        #expect(read == configuration)
    }

    @Test func `values out of bounds are refused, each by name`() {
        for parameter in BoostingParameter.allCases {
            let bounds = parameter.declaration.bounds
            for value in [bounds.lowerBound - 1, bounds.upperBound * 2 + 1, .nan, .infinity] {
                #expect(throws: LearningError.self, "\(parameter) \(value)") {
                    try GradientBoostingConfiguration([parameter: value])
                }
            }
        }
        #expect(throws: LearningError.self) { try GradientBoostingConfiguration([.depthMax: 2.5]) }
    }

    @Test(arguments: ["{}", "", "[]", "{\"treesMax\":1}", "{\"treesMax\":\"1\"}", "null"])
    func `other documents are refused`(text: String) {
        #expect(throws: LearningError.self) {
            try GradientBoostingConfiguration(jsonBytes: Array(text.utf8))
        }
    }

    @Test func `an unknown parameter is refused`() throws {
        guard case .object(var members) = try GradientBoostingConfiguration().json else { return }
        members["depth"] = .integer(3)
        #expect(throws: LearningError.self) {
            try GradientBoostingConfiguration(jsonBytes: CanonicalJSON.object(members).bytes)
        }
    }

    @Test func `more contributors than banks are refused`() throws {
        let table = try TreeTable(rows: 50, seed: 1)
        #expect(throws: LearningError.self) {
            try JointBoostingLearner(
                schema: table.schema, configuration: GradientBoostingConfiguration(), bankCount: 2)
        }
    }
}
