internal import CFedKernels

/// A bank's rows as bins, in the two forms that the kernels read.
///
/// `columns` has one byte column a feature, for moving rows and walking trees. `matrix` has one byte
/// row a row, for histograms; in it features of few bins share a byte (mixed radix, product of
/// their numbers of occupied bins at most 256), so one addition sums them all and the sums of each
/// follow exactly when the cells of the byte are added up by digit.
struct BankMatrix: Sendable {
    /// A byte of `matrix` and the features in it.
    struct Byte: Sendable {
        var features: [Int] = []
        var lows: [Int] = []
        var radixes: [Int] = []
        var cells = 1
    }

    let rowCount: Int
    let bins: [FeatureBins]
    let columns: [UInt8]
    let labels: [UInt8]
    let bytes: [Byte]
    let matrix: [UInt8]
    /// A hash of each row's bins and label, by which rows are sampled.
    let hashes: [UInt64]

    /// Bytes of one row of `matrix`.
    var stride: Int { bytes.count }

    init(dataset: Dataset, bins: [FeatureBins], tasks: ParallelTasks) {
        rowCount = dataset.rowCount
        self.bins = bins
        labels = dataset.labels
        columns = Self.binned(dataset, bins: bins, tasks: tasks)
        bytes = Self.plan(columns, rowCount: rowCount, featureCount: bins.count, tasks: tasks)
        matrix = Self.interleaved(columns, bytes: bytes, rowCount: rowCount, tasks: tasks)
        hashes = Self.hashed(columns, labels: labels, featureCount: bins.count, tasks: tasks)
    }

    /// The bins of each feature, one after the other.
    static func binned(_ dataset: Dataset, bins: [FeatureBins], tasks: ParallelTasks) -> [UInt8] {
        let rows = dataset.rowCount
        return [UInt8](unsafeUninitializedCapacity: rows * bins.count) { output, count in
            count = rows * bins.count
            guard let start = output.baseAddress else { return }
            let target = start
            let pieces = (rows + 65535) / 65536
            tasks.run(bins.count * pieces) { task in
                let feature = task / pieces
                let range = task % pieces * 65536..<min(rows, (task % pieces + 1) * 65536)
                dataset.columns[feature].withUnsafeBufferPointer { values in
                    bins[feature].assign(
                        UnsafeBufferPointer(rebasing: values[range]),
                        to: target + feature * rows + range.lowerBound)
                }
            }
        }
    }

    private static func plan(
        _ columns: [UInt8], rowCount: Int, featureCount: Int, tasks: ParallelTasks
    ) -> [Byte] {
        var limits = [(low: Int, high: Int)](repeating: (0, 0), count: featureCount)
        limits.withUnsafeMutableBufferPointer { limits in
            tasks.run(featureCount) { feature in
                let column = columns[feature * rowCount..<(feature + 1) * rowCount]
                var low = UInt8.max
                var high = UInt8.min
                for bin in column {
                    low = min(low, bin)
                    high = max(high, bin)
                }
                limits[feature] = rowCount == 0 ? (0, 0) : (Int(low), Int(high))
            }
        }
        let narrowFirst = (0..<featureCount).sorted {
            let left = limits[$0].high - limits[$0].low
            let right = limits[$1].high - limits[$1].low
            return left != right ? left < right : $0 < $1
        }
        var bytes: [Byte] = []
        for feature in narrowFirst {
            let radix = limits[feature].high - limits[feature].low + 1
            if bytes.isEmpty || bytes[bytes.count - 1].cells * radix > 256 { bytes.append(Byte()) }
            bytes[bytes.count - 1].features.append(feature)
            bytes[bytes.count - 1].lows.append(limits[feature].low)
            bytes[bytes.count - 1].radixes.append(radix)
            bytes[bytes.count - 1].cells *= radix
        }
        return bytes
    }

    private static func interleaved(
        _ columns: [UInt8], bytes: [Byte], rowCount: Int, tasks: ParallelTasks
    ) -> [UInt8] {
        let stride = bytes.count
        var matrix = [UInt8](repeating: 0, count: rowCount * stride)
        matrix.withUnsafeMutableBufferPointer { matrix in
            guard let start = matrix.baseAddress else { return }
            let target = start
            columns.withUnsafeBufferPointer { columns in
                guard let source = columns.baseAddress else { return }
                let codes = source
                tasks.runRanges(rowCount, size: 1024) { range in
                    for (index, byte) in bytes.enumerated() {
                        var divisor = 1
                        for (digit, feature) in byte.features.enumerated() {
                            fed_matrix_add(
                                codes + feature * rowCount + range.lowerBound, range.count,
                                UInt8(byte.lows[digit]), UInt8(truncatingIfNeeded: divisor),
                                target + range.lowerBound * stride + index, stride)
                            divisor *= byte.radixes[digit]
                        }
                    }
                }
            }
        }
        return matrix
    }

    private static func hashed(
        _ columns: [UInt8], labels: [UInt8], featureCount: Int, tasks: ParallelTasks
    ) -> [UInt64] {
        let rows = labels.count
        return [UInt64](unsafeUninitializedCapacity: rows) { output, count in
            count = rows
            guard let start = output.baseAddress else { return }
            let target = start
            columns.withUnsafeBufferPointer { columns in
                labels.withUnsafeBufferPointer { labels in
                    guard let codes = columns.baseAddress, let label = labels.baseAddress else {
                        return
                    }
                    tasks.runRanges(rows, size: 16384) { range in
                        fed_hash_rows(
                            codes + range.lowerBound, rows, featureCount, label + range.lowerBound,
                            range.count, target + range.lowerBound)
                    }
                }
            }
        }
    }
}

/// Which bytes of a bank's matrix a tree reads, and where the sums of each feature go.
struct HistogramPlan {
    let columns: [fed_histogram_column]
    let members: [fed_histogram_member]

    init(bytes: [BankMatrix.Byte], layout: HistogramLayout) {
        let offsets = Dictionary(uniqueKeysWithValues: zip(layout.features, layout.offsets))
        var columns: [fed_histogram_column] = []
        var members: [fed_histogram_member] = []
        for (index, byte) in bytes.enumerated() {
            let first = members.count
            var divisor = 1
            for (digit, feature) in byte.features.enumerated() {
                if let offset = offsets[feature] {
                    members.append(
                        fed_histogram_member(
                            output: UInt32(offset + 2 * byte.lows[digit]), divisor: UInt32(divisor),
                            bins: UInt32(byte.radixes[digit])))
                }
                divisor *= byte.radixes[digit]
            }
            guard members.count > first else { continue }
            columns.append(
                fed_histogram_column(
                    column: UInt32(index), cells: UInt32(byte.cells), first_member: UInt32(first),
                    member_count: UInt32(members.count - first)))
        }
        self.columns = columns
        self.members = members
    }
}
