internal import CFedKernels

/// Some hundred rows between the kernel that reads lines and the columns that keep them: small
/// enough to be checked while they are in the cache.
struct CSVChunk {
    /// Why the kernel stopped.
    enum State {
        case end
        case odd
        case full
    }

    /// Rows in the chunk.
    private(set) var rowCount = 0
    /// Bytes that they took.
    private(set) var byteCount = 0
    /// Not 0 for a row that breaks a rule, after ``check(_:hasFeature:into:)``.
    private(set) var flags: [UInt8]

    private let rowLimit: Int
    private let stride: Int
    private var features: [Double]
    private var labels: [UInt8]
    private var rowNumbers: [Int64]

    init(standard: FeatureStandard) {
        let count = standard.features.count
        rowLimit = min(max(16384 / count, 32), 1024) & ~7
        // Columns a power of two apart would share a few sets of the cache.
        stride = rowLimit + 8
        features = [Double](repeating: 0, count: stride * count)
        labels = [UInt8](repeating: 0, count: rowLimit)
        rowNumbers = [Int64](repeating: 0, count: rowLimit)
        flags = [UInt8](repeating: 0, count: rowLimit)
    }

    /// Rows labelled 1.
    var fraudCount: Int { labels[..<rowCount].reduce(0) { $0 + Int($1) } }

    /// Fills the chunk from whole lines.
    mutating func parse(_ bytes: UnsafeRawBufferPointer, roles: [Int32]) -> State {
        var rows = 0
        var state: Int32 = 0
        let limit = rowLimit
        let columnStride = stride
        byteCount = features.withUnsafeMutableBufferPointer { features in
            labels.withUnsafeMutableBufferPointer { labels in
                rowNumbers.withUnsafeMutableBufferPointer { numbers in
                    var target = fed_csv_rows(
                        features: features.baseAddress, stride: columnStride,
                        labels: labels.baseAddress, row_numbers: numbers.baseAddress,
                        row_limit: limit)
                    return fed_csv_parse_rows(
                        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, roles,
                        roles.count, &target, &rows, &state)
                }
            }
        }
        rowCount = rows
        switch state {
        case FED_CSV_ODD: return .odd
        case FED_CSV_FULL: return .full
        default: return .end
        }
    }

    /// Sums up every column and flags rows that break the standard.
    ///
    /// - Returns: whether a row is flagged.
    mutating func check(
        _ standard: FeatureStandard, hasFeature: [Bool], into summaries: inout [ColumnSummary]
    ) -> Bool {
        var isFlagged = false
        let features = features
        for index in flags.indices { flags[index] = 0 }
        for (index, feature) in standard.features.enumerated() where hasFeature[index] {
            var summary = fed_csv_summary()
            let start = index * stride
            let flagged = features.withUnsafeBufferPointer { values in
                fed_csv_check_column(
                    values.baseAddress.map { $0 + start }, rowCount, feature.range.lowerBound,
                    feature.range.upperBound, feature.type == .continuous ? 0 : 1,
                    feature.missing == .refuse ? 0 : 1, &flags, &summary)
            }
            if flagged != 0 { isFlagged = true }
            summaries[index].add(
                count: rowCount, missing: summary.missing_count, min: summary.min,
                max: summary.max, sum: summary.sum, isWhole: summary.is_whole != 0)
            if case .categorical = feature.type {
                for row in 0..<rowCount {
                    let value = features[start + row]
                    guard !value.isNaN, !feature.accepts(value) else { continue }
                    flags[row] = 1
                    isFlagged = true
                }
            }
        }
        return isFlagged
    }

    func appendFeature(_ index: Int, isPresent: Bool, to column: inout [Double]) {
        if isPresent {
            column.append(contentsOf: features[(index * stride)..<(index * stride + rowCount)])
        } else {
            column.append(contentsOf: repeatElement(.nan, count: rowCount))
        }
    }

    func appendLabels(to column: inout [UInt8]) { column.append(contentsOf: labels[..<rowCount]) }

    func appendRowNumbers(to column: inout [Int64]) {
        column.append(contentsOf: rowNumbers[..<rowCount])
    }
}
