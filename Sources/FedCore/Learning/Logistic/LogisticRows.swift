private import CFedKernels

/// Gradient, Hessian and loss of the unpenalised log-loss at one point; additive over rows.
package struct NewtonTerms: Sendable {
    /// One derivative a feature, then that of the intercept.
    package var gradient: [Double]
    /// The upper triangle row by row: (0, 0), (0, 1) … (p, p); the intercept is index p.
    package var hessian: [Double]
    /// The sum of the rows' weighted log-losses.
    package var loss: Double

    static func zero(features: Int) -> Self {
        Self(
            gradient: [Double](repeating: 0, count: features + 1),
            hessian: [Double](repeating: 0, count: (features + 1) * (features + 2) / 2), loss: 0)
    }

    mutating func add(_ other: Self) {
        for index in gradient.indices { gradient[index] += other.gradient[index] }
        for index in hessian.indices { hessian[index] += other.hessian[index] }
        loss += other.loss
    }
}

/// Labelled rows as a linear model reads them: transformed, in blocks of ``blockRows``, column by
/// column inside a block, so that one block's work stays in the cache.
///
/// Sums are taken over chunks of a fixed number of blocks and added up in order: results do not
/// depend on the number of threads. Memory: 8 bytes a value and 1 a label.
package struct LogisticRows: Sendable {
    static let blockRows = 1024
    private static let chunkBlocks = 16

    package let rowCount: Int
    package let featureCount: Int
    private let threads: Int
    private var values: [Double]
    private let labels: [UInt8]
    /// What the values are shifted and scaled by, once they are.
    package private(set) var standardisation: Standardisation?

    private var blockCount: Int { (rowCount + Self.blockRows - 1) / Self.blockRows }
    private var chunkCount: Int { (blockCount + Self.chunkBlocks - 1) / Self.chunkBlocks }

    /// Transforms a bank's rows; missing values become the imputed ones, and all are held to the
    /// standard's range.
    ///
    /// - Throws: ``LearningError/unusableData(reason:)`` when the columns are not the standard's.
    package init(
        _ dataset: Dataset, space: LinearFeatureSpace, threads: Int
    ) throws(LearningError) {
        guard dataset.columns.count == space.count else {
            throw .unusableData(
                reason: "\(dataset.columns.count) feature columns, "
                    + "the feature standard has \(space.count)")
        }
        let rows = dataset.rowCount
        let features = space.count
        let blocks = (rows + Self.blockRows - 1) / Self.blockRows
        let stride = Self.blockRows
        self.rowCount = rows
        self.featureCount = features
        self.threads = threads
        self.labels = dataset.labels
        self.values = [Double](unsafeUninitializedCapacity: blocks * features * stride) {
            buffer, initialised in
            if let base = buffer.baseAddress {
                base.initialize(repeating: 0, count: blocks * features * stride)
                nonisolated(unsafe) let target = base
                ParallelChunks.run(count: blocks, threads: threads) { block in
                    for feature in 0..<features {
                        let start = block * stride
                        dataset.columns[feature].withUnsafeBufferPointer { column in
                            Self.fill(
                                target + (block * features + feature) * stride,
                                from: column[start..<min(start + stride, rows)],
                                transform: space.transforms[feature],
                                imputed: space.imputedValues[feature],
                                range: space.transformedRanges[feature])
                        }
                    }
                }
            }
            initialised = blocks * features * stride
        }
    }

    private static func fill(
        _ target: UnsafeMutablePointer<Double>, from column: Slice<UnsafeBufferPointer<Double>>,
        transform: LinearFeatureSpace.Transform, imputed: Double, range: ClosedRange<Double>
    ) {
        for (offset, value) in column.enumerated() {
            target[offset] = value.isNaN ? imputed : value
        }
        if transform == .signedLog { fed_signed_log(target, column.count) }
        for offset in 0..<column.count {
            target[offset] = min(max(target[offset], range.lowerBound), range.upperBound)
        }
    }

    /// Rows labelled as frauds.
    package var fraudCount: Int { labels.reduce(0) { $0 + Int($1) } }

    /// Sums of t - centre and of (t - centre)², one a feature.
    package func centredSums(about centres: [Double]) -> (first: [Double], second: [Double]) {
        precondition(centres.count == featureCount, "\(centres.count) of \(featureCount) centres")
        let partials = chunkSums(width: 2 * featureCount, scratch: 0) { _, block, count, sums, _ in
            for feature in 0..<featureCount {
                fed_centred_sums(
                    block + feature * Self.blockRows, count, centres[feature], sums + 2 * feature)
            }
        }
        return (
            stride(from: 0, to: partials.count, by: 2).map { partials[$0] },
            stride(from: 1, to: partials.count, by: 2).map { partials[$0] }
        )
    }

    /// Shifts and scales the values in place; done once.
    package mutating func standardise(_ standardisation: Standardisation) {
        precondition(self.standardisation == nil, "standardised twice")
        precondition(standardisation.means.count == featureCount, "another number of features")
        self.standardisation = standardisation
        let (features, blocks, threads) = (featureCount, blockCount, threads)
        values.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            ParallelChunks.run(count: blocks, threads: threads) { block in
                for feature in 0..<features {
                    fed_standardise(
                        base + (block * features + feature) * Self.blockRows, Self.blockRows,
                        standardisation.means[feature],
                        standardisation.varies[feature]
                            ? 1 / standardisation.deviations[feature] : 0)
                }
            }
        }
    }

    /// Gradient, Hessian and loss at a point.
    ///
    /// - Parameter point: coefficients of the standardised inputs, then the intercept.
    package func terms(at point: [Double], configuration: LogisticConfiguration) -> NewtonTerms {
        let features = featureCount
        let order = features + 1
        precondition(point.count == order, "\(point.count) of \(order) coefficients")
        let stride = Self.blockRows
        // loss, gradient of the intercept, gradients of the features, Gram matrix.
        let width = 2 + features + order * order
        let sums = chunkSums(width: width, scratch: (order + 4) * stride) {
            index, block, count, sums, scratch in
            let (eta, residual) = (scratch, scratch + stride)
            let (root, loss) = (scratch + 2 * stride, scratch + 3 * stride)
            let scaled = scratch + 4 * stride
            eta.update(repeating: point[features], count: count)
            point.withUnsafeBufferPointer { coefficients in
                guard let coefficients = coefficients.baseAddress else { return }
                LinearAlgebra.addProduct(
                    of: block, rows: count, columns: features, stride: stride,
                    with: coefficients, to: eta)
            }
            labels.withUnsafeBufferPointer { labels in
                guard let labels = labels.baseAddress else { return }
                fed_logistic_terms(
                    eta, labels + index * stride, count, configuration.normalWeight,
                    configuration.fraudWeight, residual, root, loss, sums)
            }
            LinearAlgebra.addTransposedProduct(
                of: block, rows: count, columns: features, stride: stride, with: residual,
                to: sums + 2)
            fed_logistic_scale(block, root, features, stride, count, scaled)
            LinearAlgebra.addGram(
                of: scaled, rows: count, columns: order, stride: stride,
                to: sums + 2 + features)
        }
        let gram = sums[(2 + features)...]
        var hessian: [Double] = []
        hessian.reserveCapacity(order * (order + 1) / 2)
        for row in 0..<order {
            for column in row..<order {
                hessian.append(gram[gram.startIndex + row + column * order])
            }
        }
        return NewtonTerms(
            gradient: Array(sums[2..<2 + features]) + [sums[1]], hessian: hessian, loss: sums[0])
    }

    /// The log-odds of each row at a point.
    package func logOdds(at point: [Double]) -> [Double] {
        precondition(point.count == featureCount + 1, "\(point.count) of \(featureCount + 1)")
        var result = [Double](repeating: point[featureCount], count: rowCount)
        let blockWidth = featureCount * Self.blockRows
        values.withUnsafeBufferPointer { values in
            result.withUnsafeMutableBufferPointer { result in
                point.withUnsafeBufferPointer { point in
                    guard let base = values.baseAddress, let target = result.baseAddress,
                        let point = point.baseAddress
                    else { return }
                    ParallelChunks.run(count: blockCount, threads: threads) { block in
                        let first = block * Self.blockRows
                        LinearAlgebra.addProduct(
                            of: base + block * blockWidth,
                            rows: min(Self.blockRows, rowCount - first), columns: featureCount,
                            stride: Self.blockRows, with: point, to: target + first)
                    }
                }
            }
        }
        return result
    }

    /// Adds up `width` sums that `body` computes block by block.
    private func chunkSums(
        width: Int, scratch: Int,
        _ body: (
            _ index: Int, _ block: UnsafePointer<Double>, _ rows: Int,
            _ sums: UnsafeMutablePointer<Double>,
            _ scratch: UnsafeMutablePointer<Double>
        ) -> Void
    ) -> [Double] {
        var partials = [Double](repeating: 0, count: max(chunkCount, 1) * width)
        let blockWidth = featureCount * Self.blockRows
        values.withUnsafeBufferPointer { values in
            partials.withUnsafeMutableBufferPointer { partials in
                guard let base = values.baseAddress, let sums = partials.baseAddress else { return }
                ParallelChunks.run(count: chunkCount, threads: threads) { chunk in
                    let room = UnsafeMutablePointer<Double>.allocate(capacity: max(scratch, 1))
                    defer { room.deallocate() }
                    let end = min((chunk + 1) * Self.chunkBlocks, blockCount)
                    for block in chunk * Self.chunkBlocks..<end {
                        let rows = min(Self.blockRows, rowCount - block * Self.blockRows)
                        body(block, base + block * blockWidth, rows, sums + chunk * width, room)
                    }
                }
            }
        }
        var total = Array(partials.prefix(width))
        for chunk in stride(from: width, to: partials.count, by: width) {
            for index in 0..<width { total[index] += partials[chunk + index] }
        }
        return total
    }
}
