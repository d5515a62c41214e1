import FedCore
import Testing

@Suite("Linear algebra")
struct LinearAlgebraTests {
    @Test(arguments: 1...10)
    func productsEqualThoseOfPlainLoops(seed: Int) {
        var generator = SampleGenerator(seed: seed)
        let (rows, columns) = (1 + generator.below(40), 1 + generator.below(9))
        let stride = rows + generator.below(5)
        let matrix = (0..<stride * columns).map { _ in generator.uniform() - 0.5 }
        let (right, left) = (
            (0..<columns).map { _ in generator.uniform() },
            (0..<rows).map { _ in generator.uniform() }
        )
        var gram = [Double](repeating: 1, count: columns * columns)
        LinearAlgebra.addGram(of: matrix, rows: rows, columns: columns, stride: stride, to: &gram)
        var product = [Double](repeating: 2, count: rows)
        LinearAlgebra.addProduct(
            of: matrix, rows: rows, columns: columns, stride: stride, with: right, to: &product)
        var transposed = [Double](repeating: 3, count: columns)
        LinearAlgebra.addTransposedProduct(
            of: matrix, rows: rows, columns: columns, stride: stride, with: left, to: &transposed)
        for j in 0..<columns {
            var sum = 3.0
            for i in 0..<rows { sum += matrix[i + j * stride] * left[i] }
            #expect((transposed[j] - sum).magnitude < 1e-12, "seed \(seed)")
            for k in j..<columns {
                var dot = 1.0
                for i in 0..<rows { dot += matrix[i + j * stride] * matrix[i + k * stride] }
                #expect((gram[j + k * columns] - dot).magnitude < 1e-12, "seed \(seed)")
            }
        }
        for i in 0..<rows {
            var sum = 2.0
            for j in 0..<columns { sum += matrix[i + j * stride] * right[j] }
            #expect((product[i] - sum).magnitude < 1e-12, "seed \(seed)")
        }
    }

    @Test func choleskySolvesAndInverts() throws {
        // Upper triangle of [[4, 2, 0], [2, 5, 1], [0, 1, 3]], determinant 44.
        let factor = try CholeskyFactor(upperTriangleOf: [4, 0, 0, 2, 5, 0, 0, 1, 3], order: 3)
        let solution = factor.solve([8, 15, 11])
        for (got, expected) in zip(solution, [1.0, 2, 3]) {
            #expect((got - expected).magnitude < 1e-14)
        }
        for (got, expected) in zip(factor.inverseDiagonal(), [14.0 / 44, 12.0 / 44, 16.0 / 44]) {
            #expect((got - expected).magnitude < 1e-15)
        }
    }

    @Test func matricesWithoutAFactorAreRefused() {
        #expect(throws: NumericsError.notPositiveDefinite(order: 2, pivot: 1)) {
            try CholeskyFactor(upperTriangleOf: [1, 0, 2, 1], order: 2)
        }
        #expect(throws: NumericsError.notFinite) {
            try CholeskyFactor(upperTriangleOf: [.nan], order: 1)
        }
    }
}
