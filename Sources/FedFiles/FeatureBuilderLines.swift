internal import FedCore

/// The fields of one line: bytes and bounds, valid until the next line.
struct RawLine {
    let bytes: UnsafeRawBufferPointer
    /// Start and end of each field.
    let bounds: [(start: Int, end: Int)]

    /// A field without its quotes.
    func field(_ index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[bounds[index].start..<bounds[index].end])
    }
}

/// Cuts blocks of a CSV file into lines and fields (RFC 4180, without line ends in quotes).
struct RawLines {
    /// The most bytes of one line.
    static let lineBytesMax = 1 << 18

    private let file: String
    private var pending: [UInt8] = []
    private var number = 0
    private var bounds: [(start: Int, end: Int)] = []

    init(file: String) { self.file = file }

    /// Gives every line that ends in the block to `body`, with its number from 1.
    mutating func feed(
        _ block: UnsafeRawBufferPointer,
        _ body: (RawLine, Int) throws(FeatureBuilderError) -> Void
    ) throws(FeatureBuilderError) {
        var start = 0
        if !pending.isEmpty {
            let end = block.firstIndex(of: 0x0A) ?? block.count
            pending.append(contentsOf: block[..<end])
            start = end + 1
            if end < block.count { try flush(body) }
        }
        while start < block.count {
            let rest = UnsafeRawBufferPointer(rebasing: block[start...])
            guard let length = try split(rest) else {
                pending.append(contentsOf: rest)
                break
            }
            try give(RawLine(bytes: rest, bounds: bounds), body)
            start += length
        }
        guard pending.count <= Self.lineBytesMax else {
            throw fault(.fieldCount, "lines of at most \(Self.lineBytesMax) bytes", "a longer one")
        }
    }

    /// Gives the last line where the file does not end in a line end.
    mutating func finish(
        _ body: (RawLine, Int) throws(FeatureBuilderError) -> Void
    ) throws(FeatureBuilderError) {
        if !pending.isEmpty { try flush(body) }
    }

    private mutating func flush(
        _ body: (RawLine, Int) throws(FeatureBuilderError) -> Void
    ) throws(FeatureBuilderError) {
        let line = pending + [0x0A]
        pending.removeAll(keepingCapacity: true)
        var result: Result<Void, FeatureBuilderError> = .success(())
        line.withUnsafeBytes { bytes in
            do throws(FeatureBuilderError) {
                _ = try split(bytes)
                try give(RawLine(bytes: bytes, bounds: bounds), body)
            } catch {
                result = .failure(error)
            }
        }
        try result.get()
    }

    private mutating func give(
        _ line: RawLine, _ body: (RawLine, Int) throws(FeatureBuilderError) -> Void
    ) throws(FeatureBuilderError) {
        number += 1
        guard !line.bytes[..<line.lineEnd].contains(0x22) else {
            try unquote(line, body)
            return
        }
        try body(line, number)
    }

    /// Finds the fields of the first line; `nil` where it does not end here.
    private mutating func split(
        _ bytes: UnsafeRawBufferPointer
    ) throws(FeatureBuilderError) -> Int? {
        bounds.removeAll(keepingCapacity: true)
        var start = 0
        if number == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { start = 3 }
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x2C {
                bounds.append((start, position))
                start = position + 1
            } else if byte == 0x0A {
                let isReturn = position > start && bytes[position - 1] == 0x0D
                bounds.append((start, isReturn ? position - 1 : position))
                return position + 1
            }
            position += 1
        }
        return nil
    }

    /// Reads a line with quotes again, with care.
    private func unquote(
        _ line: RawLine, _ body: (RawLine, Int) throws(FeatureBuilderError) -> Void
    ) throws(FeatureBuilderError) {
        let bytes = line.bytes[(line.bounds.first?.start ?? 0)..<line.lineEnd]
        var plain: [UInt8] = []
        var bounds: [(start: Int, end: Int)] = []
        var start = 0
        var isQuoted = false
        var position = bytes.startIndex
        while position < bytes.endIndex {
            let byte = bytes[position]
            if byte == 0x22 {
                let isDoubled =
                    isQuoted && position + 1 < bytes.endIndex && bytes[position + 1] == 0x22
                if isDoubled {
                    plain.append(byte)
                    position += 1
                } else {
                    isQuoted.toggle()
                }
            } else if byte == 0x2C, !isQuoted {
                bounds.append((start, plain.count))
                start = plain.count
            } else {
                plain.append(byte)
            }
            position += 1
        }
        guard !isQuoted else {
            throw fault(.truncatedQuote, "a closing quote", "the end of the line without one")
        }
        bounds.append((start, plain.count))
        let fields = bounds
        var result: Result<Void, FeatureBuilderError> = .success(())
        plain.withUnsafeBytes { bytes in
            do throws(FeatureBuilderError) {
                try body(RawLine(bytes: bytes, bounds: fields), number)
            } catch {
                result = .failure(error)
            }
        }
        try result.get()
    }

    private func fault(
        _ kind: DataViolationKind, _ expected: String, _ got: String
    ) -> FeatureBuilderError {
        .violation(
            DataViolation(
                file: file, line: max(number, 1), kind: kind, expected: expected, got: got))
    }
}

extension RawLine {
    /// Where the last field ends.
    fileprivate var lineEnd: Int { bounds.last?.end ?? 0 }
}
