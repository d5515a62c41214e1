import FedCore
import Testing

/// The federated model is the pooled one, byte for byte.
@Suite struct JointEqualityTests {
    private func pooledModel(
        _ table: TreeTable, _ configuration: GradientBoostingConfiguration
    ) throws -> ModelDocument {
        try GradientBoostingTrainer.train(
            datasets: [table.pooled], schema: table.schema, configuration: configuration
        ).document
    }

    @Test(arguments: [3, 5, 8, 50])
    func `any dealing of the rows gives the pooled model`(banks: Int) throws {
        for seed: UInt64 in 1...2 {
            let table = try TreeTable(rows: 2000, seed: seed)
            let configuration = try quickConfiguration([.seed: Double(seed)])
            let expected = try pooledModel(table, configuration)
            let dealt = table.dealt(banks: banks, seed: seed &+ 99)
            let joint = try trainJointly(
                dealt, schema: table.schema, configuration: configuration, threads: 2)
            #expect(joint == expected, "seed \(seed), \(banks) banks")
            let reversed = try trainJointly(
                dealt.reversed(), schema: table.schema, configuration: configuration)
            #expect(reversed == expected, "seed \(seed), \(banks) banks in reverse")
        }
    }

    @Test func `an empty bank and one without frauds change nothing`() throws {
        let table = try TreeTable(rows: 2000, seed: 5)
        let configuration = try quickConfiguration()
        let honest = table.pooled.labels.indices.filter { table.pooled.labels[$0] == 0 }
        let first = Set(honest.prefix(600))
        let others = table.pooled.labels.indices.filter { !first.contains($0) }
        let banks = [
            TreeTable.rows(first.sorted(), of: table.pooled), TreeTable.rows([], of: table.pooled),
            TreeTable.rows(others, of: table.pooled),
        ]
        let joint = try trainJointly(banks, schema: table.schema, configuration: configuration)
        #expect(try joint == pooledModel(table, configuration))
    }

    @Test func `heavy fraud weights, deep trees and all rows give the pooled model`() throws {
        let table = try TreeTable(rows: 1500, seed: 6, fraudShare: 0.3)
        let configuration = try quickConfiguration([
            .fraudWeight: 500, .depthMax: 8, .rowSample: 1, .columnSample: 1,
            .childHessianMin: 1e-3, .leafRegularisation: 0,
        ])
        let expected = try pooledModel(table, configuration)
        let joint = try trainJointly(
            table.dealt(banks: 4, seed: 1), schema: table.schema, configuration: configuration,
            threads: 3)
        #expect(joint == expected)
    }

    @Test func `with floors the joint model is that of the same datasets in one process`() throws {
        let table = try TreeTable(rows: 2000, seed: 8)
        let banks = table.dealt(banks: 5, seed: 3)
        let configuration = try quickConfiguration([.contributorsMin: 3, .childRowsMin: 20])
        let expected = try GradientBoostingTrainer.train(
            datasets: banks.reversed(), schema: table.schema, configuration: configuration,
            threads: 2)
        let joint = try trainJointly(banks, schema: table.schema, configuration: configuration)
        #expect(joint == expected.document)
        #expect(try joint != pooledModel(table, quickConfiguration()))
    }

    @Test func `rows of one class are refused`() throws {
        let table = try TreeTable(rows: 200, seed: 9)
        let honest = table.pooled.labels.indices.filter { table.pooled.labels[$0] == 0 }
        #expect(throws: LearningError.self) {
            try GradientBoostingTrainer.train(
                datasets: [TreeTable.rows(honest, of: table.pooled)], schema: table.schema,
                configuration: quickConfiguration())
        }
    }

    @Test func `constant columns alone give a model of the base rate`() throws {
        let schema = try TreeSchema(
            features: [
                TreeFeature(name: "c", kind: .continuous, range: 0...9, allowsMissing: true)
            ], standardHash: [UInt8](repeating: 1, count: 32))
        let rows = Dataset(columns: [[3, 3, 3, 3]], labels: [1, 0, 0, 0])
        let model = try GradientBoostingTrainer.train(
            datasets: [rows], schema: schema, configuration: quickConfiguration())
        #expect(model.trees.isEmpty)
        #expect(abs(TreeScorer(model).probability(of: [3]) - 0.25) < 1e-6)
    }

    @Test func `early stopping keeps the trees of the best validation`() throws {
        let table = try TreeTable(rows: 1200, seed: 10)
        let valid = try TreeTable(rows: 600, seed: 11)
        let configuration = try quickConfiguration([
            .treesMax: 60, .patience: 10, .evaluationPeriod: 2, .learningRate: 0.5,
        ])
        let joint = try trainJointly(
            table.dealt(banks: 4, seed: 2), validation: valid.dealt(banks: 4, seed: 3),
            schema: table.schema, configuration: configuration)
        let pooled = try GradientBoostingTrainer.train(
            datasets: [table.pooled], validation: [valid.pooled], schema: table.schema,
            configuration: configuration)
        #expect(joint == pooled.document)
        #expect(pooled.trees.count < 60)
        let full = try GradientBoostingTrainer.train(
            datasets: [table.pooled], schema: table.schema,
            configuration: quickConfiguration([.treesMax: 60, .learningRate: 0.5]))
        #expect(Array(full.trees.prefix(pooled.trees.count)) == pooled.trees)
    }
}
