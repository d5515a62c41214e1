internal import FedCore

/// Gives the lines of raw transactions, the columns' names first: the one way in for files and
/// for tables.
struct RawLineSource {
    private enum Kind {
        case file(String)
        case rows(any RawRowSource)
    }

    /// What messages call it.
    let name: String
    private let kind: Kind

    /// A file, or a table of a database as ``RawInput`` names it.
    ///
    /// - Parameter order: the bank's names of the columns to sort a table by.
    init(_ text: String, orderedBy order: [String]) {
        let input = RawInput(text)
        name = input.name
        if let table = input.table {
            kind = .rows(SQLiteRows(path: input.path, table: table, order: order))
        } else {
            kind = .file(input.path)
        }
    }

    /// Anything that gives typed values; its rows have numbers from 2.
    init(_ source: any RawRowSource) {
        name = source.name
        kind = .rows(source)
    }

    /// Gives line after line to `body`, with numbers from 1, until it says `false`.
    ///
    /// - Throws: what `body` throws; ``FeatureBuilderError`` for what cannot be read, or is empty.
    func forEachLine(
        _ body: (RawLine, Int) throws(FeatureBuilderError) -> Bool
    ) throws(FeatureBuilderError) {
        switch kind {
        case .file(let path): try readFile(path, body)
        case .rows(let source): try readRows(source, body)
        }
    }

    private func readFile(
        _ path: String, _ body: (RawLine, Int) throws(FeatureBuilderError) -> Bool
    ) throws(FeatureBuilderError) {
        var lines = RawLines(file: name)
        var goesOn = true
        var isEmpty = true
        var failure: FeatureBuilderError?
        func take(_ line: RawLine, _ number: Int) throws(FeatureBuilderError) {
            isEmpty = false
            if goesOn { goesOn = try body(line, number) }
        }
        do {
            try BlockReader.read(path) { block, _ in
                do throws(FeatureBuilderError) {
                    try lines.feed(block) { (line, number) throws(FeatureBuilderError) in
                        try take(line, number)
                    }
                    return goesOn
                } catch {
                    failure = error
                    return false
                }
            }
        } catch {
            throw .violation(error.violation(file: name))
        }
        if let failure { throw failure }
        if goesOn {
            try lines.finish { (line, number) throws(FeatureBuilderError) in
                try take(line, number)
            }
        }
        guard !isEmpty else {
            throw .violation(
                DataViolation(
                    file: name, kind: .emptyFile, expected: "a header line and rows",
                    got: "0 bytes"))
        }
    }

    private func readRows(
        _ source: any RawRowSource, _ body: (RawLine, Int) throws(FeatureBuilderError) -> Bool
    ) throws(FeatureBuilderError) {
        var line = RawValueLine()
        var number = 1
        _ = try line.give(try source.columnNames().map { .text($0) }, number: number, body)
        try source.forEachRow { values throws(FeatureBuilderError) in
            number += 1
            return try line.give(values, number: number, body)
        }
    }
}

/// Typed values as the fields of one line; the storage is used again.
struct RawValueLine {
    private var bytes: [UInt8] = []
    private var bounds: [(start: Int, end: Int)] = []

    mutating func give(
        _ values: [RawValue], number: Int,
        _ body: (RawLine, Int) throws(FeatureBuilderError) -> Bool
    ) throws(FeatureBuilderError) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        bounds.removeAll(keepingCapacity: true)
        for value in values {
            let start = bytes.count
            value.append(to: &bytes)
            bounds.append((start, bytes.count))
        }
        var result: Result<Bool, FeatureBuilderError> = .success(true)
        bytes.withUnsafeBytes { bytes in
            do throws(FeatureBuilderError) {
                result = .success(try body(RawLine(bytes: bytes, bounds: bounds), number))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }
}
