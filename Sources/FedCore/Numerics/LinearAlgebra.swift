import COpenBLAS

/// Dense linear algebra in double precision, column-major.
///
/// The only file that calls BLAS and LAPACK; shapes are checked here. The library
/// runs single-threaded: blocks are small, and callers share the work out themselves.
package enum LinearAlgebra {
    /// Set up once, before the first call.
    private static let singleThreaded: Void = openblas_set_num_threads(1)

    /// The name of the core whose kernels OpenBLAS picked, such as `Zen` or `Haswell`.
    static var coreName: String {
        _ = singleThreaded
        guard let name = openblas_get_corename() else { return "unknown" }
        return String(cString: name)
    }

    /// Adds AᵀA to the upper triangle of `gram`.
    ///
    /// - Parameters:
    ///   - matrix: A, `rows` × `columns`, its columns `stride` elements apart.
    ///   - gram: `columns` × `columns`; element (j, k) with j <= k at j + k · columns.
    package static func addGram(
        of matrix: UnsafePointer<Double>, rows: Int, columns: Int, stride: Int,
        to gram: UnsafeMutablePointer<Double>
    ) {
        checkShape(rows: rows, columns: columns, stride: stride)
        _ = singleThreaded
        cblas_dsyrk(
            CblasColMajor, CblasUpper, CblasTrans, numericCast(columns), numericCast(rows), 1,
            matrix, numericCast(stride), 1, gram, numericCast(columns))
    }

    /// Adds A·x to `result`: `rows` elements; x has `columns`.
    package static func addProduct(
        of matrix: UnsafePointer<Double>, rows: Int, columns: Int, stride: Int,
        with vector: UnsafePointer<Double>, to result: UnsafeMutablePointer<Double>
    ) {
        checkShape(rows: rows, columns: columns, stride: stride)
        _ = singleThreaded
        cblas_dgemv(
            CblasColMajor, CblasNoTrans, numericCast(rows), numericCast(columns), 1, matrix,
            numericCast(stride), vector, 1, 1, result, 1)
    }

    /// Adds Aᵀ·x to `result`: `columns` elements; x has `rows`.
    package static func addTransposedProduct(
        of matrix: UnsafePointer<Double>, rows: Int, columns: Int, stride: Int,
        with vector: UnsafePointer<Double>, to result: UnsafeMutablePointer<Double>
    ) {
        checkShape(rows: rows, columns: columns, stride: stride)
        _ = singleThreaded
        cblas_dgemv(
            CblasColMajor, CblasTrans, numericCast(rows), numericCast(columns), 1, matrix,
            numericCast(stride), vector, 1, 1, result, 1)
    }

    private static func checkShape(rows: Int, columns: Int, stride: Int) {
        precondition(rows >= 0 && columns >= 0, "a matrix of \(rows) × \(columns)")
        precondition(stride >= max(rows, 1), "stride \(stride) for \(rows) rows")
    }

    /// Factors the upper triangle in place; gives LAPACK's `info`.
    fileprivate static func factor(_ elements: inout [Double], order: Int) -> Int {
        _ = singleThreaded
        var upper = Int8(UInt8(ascii: "U"))
        var size = Int32(order)
        var stride = Int32(order)
        var info: Int32 = 0
        dpotrf_(&upper, &size, &elements, &stride, &info)
        return Int(info)
    }

    fileprivate static func solve(
        _ factor: [Double], order: Int, _ rightSide: inout [Double]
    ) {
        var upper = Int8(UInt8(ascii: "U"))
        var size = Int32(order)
        var stride = Int32(order)
        var columns: Int32 = 1
        var info: Int32 = 0
        dpotrs_(&upper, &size, &columns, factor, &stride, &rightSide, &size, &info)
        precondition(info == 0, "dpotrs: argument \(-info)")
    }

    fileprivate static func invert(_ factor: inout [Double], order: Int) {
        var upper = Int8(UInt8(ascii: "U"))
        var size = Int32(order)
        var stride = Int32(order)
        var info: Int32 = 0
        dpotri_(&upper, &size, &factor, &stride, &info)
        precondition(info == 0, "dpotri: \(info)")
    }
}

/// The Cholesky factor of a symmetric positive definite matrix.
package struct CholeskyFactor: Sendable {
    /// Rows of the matrix.
    package let order: Int
    /// The upper factor, column-major.
    private let elements: [Double]

    /// Factors a matrix of which the upper triangle is given, column-major.
    ///
    /// - Throws: ``NumericsError/notFinite`` and
    ///   ``NumericsError/notPositiveDefinite(order:pivot:)``.
    package init(upperTriangleOf matrix: [Double], order: Int) throws(NumericsError) {
        precondition(
            order > 0 && matrix.count == order * order, "\(matrix.count) elements, order \(order)")
        guard matrix.allSatisfy(\.isFinite) else { throw .notFinite }
        var elements = matrix
        let info = LinearAlgebra.factor(&elements, order: order)
        guard info == 0 else { throw .notPositiveDefinite(order: order, pivot: info - 1) }
        self.order = order
        self.elements = elements
    }

    /// Solves A·x = `rightSide`.
    package func solve(_ rightSide: [Double]) -> [Double] {
        precondition(rightSide.count == order, "\(rightSide.count) elements, order \(order)")
        var solution = rightSide
        LinearAlgebra.solve(elements, order: order, &solution)
        return solution
    }

    /// The diagonal of the inverse of A.
    package func inverseDiagonal() -> [Double] {
        var inverse = elements
        LinearAlgebra.invert(&inverse, order: order)
        return (0..<order).map { inverse[$0 + $0 * order] }
    }
}
