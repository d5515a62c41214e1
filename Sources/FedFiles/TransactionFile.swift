public import FedCore

/// A bank's file of raw transactions, row by row.
public enum TransactionFile {
    /// Reads the file once, in blocks.
    ///
    /// The file is what ``FeatureBuilder`` takes: CSV with a header line, its rows in the order of
    /// time; columns that the derivation does not know are passed over.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - mapping: the bank's own column names, by the derivation's.
    ///   - body: called with every row; reading ends when it says `false`.
    /// - Throws: ``FeatureBuilderError`` with file, line and column.
    public static func read(
        _ path: String, mapping: [String: String] = [:], derivation: Derivation,
        _ body: (RawRow) -> Bool
    ) throws(FeatureBuilderError) {
        let file = BlockReader.fileName(path)
        var pass = Pass(file: file, mapping: mapping, derivation: derivation)
        var failure: FeatureBuilderError?
        var goesOn = true
        do {
            try BlockReader.read(path) { block, _ in
                do throws(FeatureBuilderError) {
                    goesOn = try pass.feed(block, body)
                    return goesOn
                } catch {
                    failure = error
                    return false
                }
            }
        } catch {
            throw .violation(error.violation(file: file))
        }
        if let failure { throw failure }
        if goesOn { try pass.finish(body) }
    }

    private struct Pass: ~Copyable {
        let file: String
        var lines: RawLines
        var reader: RawRowReader
        var row: RawRow
        var index = 0
        var latest = Int64.min

        init(file: String, mapping: [String: String], derivation: Derivation) {
            self.file = file
            lines = RawLines(file: file)
            reader = RawRowReader(
                file: file, derivation: derivation, mapping: mapping, partColumn: nil,
                needsPart: false)
            row = reader.emptyRow
        }

        mutating func feed(
            _ block: UnsafeRawBufferPointer, _ body: (RawRow) -> Bool
        ) throws(FeatureBuilderError) -> Bool {
            var lines = self.lines
            // The lines are taken out while their rows go to the other members.
            self.lines = RawLines(file: file)
            defer { self.lines = lines }
            var goesOn = true
            try lines.feed(block) { (line, number) throws(FeatureBuilderError) in
                if goesOn { goesOn = try read(line, number, body) }
            }
            return goesOn
        }

        mutating func finish(_ body: (RawRow) -> Bool) throws(FeatureBuilderError) {
            var lines = self.lines
            try lines.finish { (line, number) throws(FeatureBuilderError) in
                _ = try read(line, number, body)
            }
            guard reader.hasHeader else {
                throw .violation(
                    DataViolation(
                        file: file, kind: .emptyFile, expected: "a header line and rows",
                        got: "0 bytes"))
            }
        }

        private mutating func read(
            _ line: RawLine, _ number: Int, _ body: (RawRow) -> Bool
        ) throws(FeatureBuilderError) -> Bool {
            guard reader.hasHeader else {
                try reader.readHeader(line, number: number)
                return true
            }
            row.time = try reader.time(line, number: number)
            guard row.time >= latest else {
                throw .notInTimeOrder(file: file, line: number, column: reader.headerName(.time))
            }
            latest = row.time
            _ = try reader.read(line, number: number, index: index, into: &row)
            index += 1
            return body(row)
        }
    }
}
