internal import CFedKernels

/// Reads the rows of a CSV file into columns, fed with blocks of bytes cut anywhere.
///
/// The usual line is read by a C kernel; a line that it refuses is read again with care, and either
/// is fine or yields violations. Memory: rows × (features × 8 + 9) bytes and some 100 KiB.
package struct CSVTableParser {
    /// What is read, and how strictly.
    package struct Options: Sendable {
        /// Whether columns that the standard does not have are passed over.
        package var ignoresUnknownColumns = false
        /// Whether the file must have labels; without them all are read as 0.
        package var requiresLabel = true
        /// Whether rows are kept, or only counted and checked.
        package var keepsRows = true
        /// How many violations are kept.
        package var violationLimit = 20

        package init() {}
    }

    /// The most bytes of one record: more than that is an unclosed quote.
    package static let recordBytesMax = 1 << 18

    /// The agreed columns.
    package let standard: FeatureStandard
    /// What is read, and how strictly.
    package let options: Options
    /// The file's name in violations.
    package let file: String
    /// What is wrong so far.
    package private(set) var violations: ViolationList
    /// Figures a feature.
    package private(set) var summaries: [ColumnSummary]
    /// Rows read; those with a wrong number of fields do not count.
    package private(set) var rowCount = 0
    /// Rows labelled 1.
    package private(set) var fraudCount = 0
    /// Bytes fed.
    package private(set) var byteCount = 0

    private var header: CSVHeader?
    private var roles: [Int32] = []
    private var pending: [UInt8] = []
    private var line = 1
    private var columns: [[Double]]
    private var labels: [UInt8] = []
    private var rowNumbers: [Int64] = []
    private var chunk: CSVChunk

    /// The column names of a file that begins with `block`; `nil` where its first line is longer.
    package static func headerNames(_ block: UnsafeRawBufferPointer) -> [String]? {
        let skipped = block.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let bytes = UnsafeRawBufferPointer(rebasing: block[skipped...])
        return CSVRecord(bytes)?.fields.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Begins a file.
    package init(standard: FeatureStandard, file: String, options: Options = Options()) {
        self.standard = standard
        self.options = options
        self.file = file
        violations = ViolationList(limit: options.violationLimit)
        summaries = [ColumnSummary](repeating: ColumnSummary(), count: standard.features.count)
        columns = [[Double]](repeating: [], count: standard.features.count)
        chunk = CSVChunk(standard: standard)
    }

    /// Whether the header is read and at fault: every row is then, too.
    package private(set) var hasHeaderFaults = false

    /// Makes room for the rows of a whole file, so that columns do not grow by doubling; best
    /// before any are there.
    package mutating func reserve(rows: Int) {
        guard options.keepsRows else { return }
        // What an array takes beside its elements.
        let columnBytes = rows * MemoryLayout<Double>.stride + 64
        let together = max(1, Int(FED_PREPARE_BYTES_MAX) / columnBytes)
        for start in stride(from: 0, to: columns.count, by: together) {
            let group = start..<min(start + together, columns.count)
            fed_prepare_heap(group.count * columnBytes)
            for index in group { columns[index].reserveCapacity(rows) }
        }
        labels.reserveCapacity(rows)
        rowNumbers.reserveCapacity(rows)
    }

    /// Takes the next bytes of the file.
    package mutating func feed(_ block: UnsafeRawBufferPointer) {
        var rest = block[...]
        byteCount += block.count
        // A record that began in earlier blocks is completed line by line.
        while !pending.isEmpty {
            guard let end = rest.firstIndex(of: 0x0A) else {
                pending.append(contentsOf: rest)
                limitPending()
                return
            }
            pending.append(contentsOf: rest[...end])
            rest = rest[(end + 1)...]
            parsePending(isFinal: false)
        }
        guard let end = rest.lastIndex(of: 0x0A) else {
            pending.append(contentsOf: rest)
            return
        }
        let lines = UnsafeRawBufferPointer(rebasing: rest[...end])
        let consumed = parse(lines, isFinal: false)
        pending.append(contentsOf: rest[(rest.startIndex + consumed)...])
    }

    /// Ends the file and gives its rows.
    ///
    /// - Returns: the rows; without meaning where ``violations`` has errors.
    package mutating func finish() -> Dataset {
        if let last = pending.last, last != 0x0A { pending.append(0x0A) }
        if !pending.isEmpty { parsePending(isFinal: true) }
        noteWholeFile()
        return Dataset(columns: columns, labels: labels, rowNumbers: rowNumbers)
    }

    // MARK: - Bytes

    /// Whether the header could not be read, so that nothing can be said of the rows.
    private var isGivenUp: Bool { header?.roles.isEmpty == true }

    private mutating func parsePending(isFinal: Bool) {
        var bytes = pending
        pending = []
        let consumed = bytes.withUnsafeBytes { parse($0, isFinal: isFinal) }
        bytes.removeFirst(consumed)
        pending = bytes
    }

    /// A line without an end cannot fill the memory: it is cut into one.
    private mutating func limitPending() {
        guard pending.count > Self.recordBytesMax else { return }
        pending.append(0x0A)
        parsePending(isFinal: true)
    }

    /// Reads whole lines; returns the bytes consumed, all but those of a record that goes on.
    private mutating func parse(_ bytes: UnsafeRawBufferPointer, isFinal: Bool) -> Int {
        var offset = 0
        if header == nil, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
        while offset < bytes.count, !isGivenUp {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            if header != nil {
                let state = chunk.parse(rest, roles: roles)
                keepChunk(rest)
                offset += chunk.byteCount
                if state != .odd { continue }
            }
            let record = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            let window = UnsafeRawBufferPointer(rebasing: record.prefix(Self.recordBytesMax))
            if let fields = CSVRecord(window) {
                if header == nil { readHeader(fields) } else { readCarefully(fields) }
                offset += fields.byteCount
                line += fields.lineCount
            } else if isFinal || record.count > Self.recordBytesMax {
                offset += skipLine(record)
            } else {
                return offset
            }
        }
        return isGivenUp ? bytes.count : offset
    }

    /// Notes a record that never ends, and goes on behind its first line.
    private mutating func skipLine(_ record: UnsafeRawBufferPointer) -> Int {
        let length = (record.firstIndex(of: 0x0A) ?? record.count - 1) + 1
        note(.truncatedQuote, expected: "a closing quote", got: "the end of the record without one")
        if header == nil {
            // Without column names nothing more can be said of the file.
            var unsaid = ViolationList(limit: 0)
            header = CSVHeader(
                CSVRecord(), standard: standard, options: options, file: file, violations: &unsaid)
            hasHeaderFaults = true
        }
        line += 1
        return length
    }

    // MARK: - Rows

    private mutating func readHeader(_ record: CSVRecord) {
        let header = CSVHeader(
            record, standard: standard, options: options, file: file, violations: &violations)
        roles = header.roles.map { role in
            switch role {
            case .feature(let index): Int32(index)
            case .row: FED_CSV_ROW_NUMBER
            case .label: FED_CSV_LABEL
            case .ignored: FED_CSV_IGNORED
            }
        }
        self.header = header
        hasHeaderFaults = violations.errorCount > 0
    }

    /// Takes over the rows that the kernel read, after their check.
    private mutating func keepChunk(_ bytes: UnsafeRawBufferPointer) {
        guard let header, chunk.rowCount > 0 else { return }
        let hasFlags = chunk.check(standard, hasFeature: header.hasFeature, into: &summaries)
        if hasFlags { noteFlaggedRows(bytes) }
        rowCount += chunk.rowCount
        line += chunk.rowCount
        fraudCount += chunk.fraudCount
        guard options.keepsRows else { return }
        for index in columns.indices {
            chunk.appendFeature(index, isPresent: header.hasFeature[index], to: &columns[index])
        }
        chunk.appendLabels(to: &labels)
        if header.hasRow { chunk.appendRowNumbers(to: &rowNumbers) }
    }

    /// Reads the lines of flagged rows again, for the text of their violations.
    private mutating func noteFlaggedRows(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        for row in 0..<chunk.rowCount {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            let length = (rest.firstIndex(of: 0x0A) ?? rest.count - 1) + 1
            if chunk.flags[row] != 0, let record = CSVRecord(rest) {
                _ = examine(record, line: line + row)
            }
            start += length
        }
    }

    /// Reads a line that the kernel refused.
    private mutating func readCarefully(_ record: CSVRecord) {
        guard let values = examine(record, line: line) else { return }
        rowCount += 1
        fraudCount += Int(values.label)
        for (index, value) in values.features.enumerated() where header?.hasFeature[index] == true {
            let missing = value.isNaN ? 1 : 0
            summaries[index].add(
                count: 1, missing: missing, min: value, max: value, sum: value,
                isWhole: value == value.rounded(.towardZero))
        }
        guard options.keepsRows else { return }
        for (index, value) in values.features.enumerated() { columns[index].append(value) }
        labels.append(values.label)
        if header?.hasRow == true { rowNumbers.append(values.rowNumber ?? 0) }
    }

    /// Checks a record field by field; `nil` when its fields cannot be told apart.
    private mutating func examine(_ record: CSVRecord, line: Int) -> CSVRowValues? {
        guard let header else { return nil }
        let examination = CSVRowValues.examine(
            record, line: line, header: header, standard: standard, file: file)
        for violation in examination.violations { violations.append(violation) }
        return examination.values
    }

    // MARK: - The whole file

    private mutating func noteWholeFile() {
        guard byteCount > 0 else {
            note(.emptyFile, expected: "a header line and rows", got: "0 bytes", line: nil)
            return
        }
        guard rowCount > 0 else {
            // Rows that could not be read are reported already.
            if violations.errorCount == 0 {
                note(.noRows, expected: "rows below the header", got: "none", line: nil)
            }
            return
        }
        for (index, summary) in summaries.enumerated() where header?.hasFeature[index] == true {
            guard rowCount > 1, summary.min == summary.max,
                summary.missingCount * summary.valueCount == 0
            else { continue }
            let value = summary.min.map { CanonicalJSON.format($0) } ?? "nothing"
            violations.append(
                DataViolation(
                    file: file, column: standard.features[index].name, kind: .constantColumn,
                    expected: "more than one value", got: "\(value) in all \(rowCount) rows"))
        }
        if header?.hasLabel == true, fraudCount == 0 || fraudCount == rowCount {
            violations.append(
                DataViolation(
                    file: file, column: standard.labelColumn, kind: .oneClass,
                    expected: "rows of both labels", got: "\(fraudCount) frauds in \(rowCount) rows"
                ))
        }
    }

    /// Adds a fault that the caller found, such as a file that cannot be read.
    package mutating func note(_ violation: DataViolation) { violations.append(violation) }

    private mutating func note(_ kind: DataViolationKind, expected: String, got: String) {
        note(kind, expected: expected, got: got, line: line)
    }

    private mutating func note(
        _ kind: DataViolationKind, expected: String, got: String, line: Int?
    ) {
        violations.append(
            DataViolation(file: file, line: line, kind: kind, expected: expected, got: got))
    }
}
