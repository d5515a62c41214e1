public import FedCore

/// Reads a bank's CSV file into a ``Dataset``.
public enum DatasetLoader {
    /// How strictly a file is read.
    public struct Options: Equatable, Sendable {
        /// Whether columns that the standard does not have are passed over; else they are faults.
        public var ignoresUnknownColumns = false
        /// Whether a file must have the label's column; a file without reads as labels 0, which is
        /// fit for scoring only.
        public var requiresLabel = true
        /// Whether a file must have rows; a bank may be too small to set any aside to choose by.
        public var requiresRows = true
        /// How many violations the error carries.
        public var violationLimit = 20

        /// The strict reading.
        public init() {}

        var parserOptions: CSVTableParser.Options {
            var options = CSVTableParser.Options()
            options.ignoresUnknownColumns = ignoresUnknownColumns
            options.requiresLabel = requiresLabel
            options.violationLimit = violationLimit
            return options
        }
    }

    /// Reads a file.
    ///
    /// Memory: 8 bytes a value and one block of the file.
    ///
    /// Reading ends early once `violationLimit` faults are found, at the header for a wrong one.
    ///
    /// - Returns: features in the order of the standard; warnings such as constant columns or
    ///   labels of one class are not looked at.
    /// - Throws: ``DataFileError/violations(_:total:)``.
    public static func load(
        path: String, standard: FeatureStandard, options: Options = Options()
    ) throws(DataFileError) -> Dataset {
        let file = BlockReader.fileName(path)
        var parser = CSVTableParser(
            standard: standard, file: file, options: options.parserOptions)
        var isComplete = true
        do {
            try BlockReader.read(path) { block, fileBytes in
                if parser.byteCount == 0 {
                    parser.reserve(rows: expectedRows(firstBlock: block, fileBytes: fileBytes))
                }
                parser.feed(block)
                isComplete =
                    !parser.hasHeaderFaults
                    && parser.violations.errorCount < max(options.violationLimit, 1)
                return isComplete
            }
        } catch {
            throw .violations([error.violation(file: file)], total: 1)
        }
        // Where reading ended early, the rest of the last line is missing and no fault.
        let dataset = isComplete ? parser.finish() : nil
        let errors = parser.violations.errorCount
        if let dataset, !options.requiresRows, errors == 1,
            parser.violations.counts[.noRows] == 1
        {
            return dataset
        }
        guard errors == 0, let dataset else {
            throw .violations(
                parser.violations.first.filter { !$0.kind.isWarning }, total: errors)
        }
        return dataset
    }

    /// How many rows a file has room for when the rest of it looks like its first block.
    ///
    /// Too few cost time, too many nothing: memory that is not written to is not taken.
    private static func expectedRows(firstBlock: UnsafeRawBufferPointer, fileBytes: Int) -> Int {
        let lines = firstBlock.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
        guard fileBytes > firstBlock.count else { return lines }
        let linesPerByte = Double(lines) / Double(firstBlock.count)
        return Int(linesPerByte * Double(fileBytes) * 1.03) + 1024
    }
}
