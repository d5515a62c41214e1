/// Reads a table's canonical bytes in one pass, front to back.
///
/// A table holds millions of numbers, for which a general reader of JSON takes seconds. Canonical
/// bytes have one form only, so whatever stands elsewhere is no table.
struct IndicatorTableScanner {
    /// What a file says, not yet held against a declaration.
    struct File {
        let banks: Int
        let format: String
        let indicator: String
        let indicatorSHA256: [UInt8]
        let manifestSHA256: [UInt8]?
        let measures: [String]
        let periods: [IndicatorTable.Period]
        let revision: Int
    }

    private let bytes: [UInt8]
    private var at = 0

    /// Reads a file.
    ///
    /// - Throws: ``IndicatorError/notATable(reason:)``, naming the byte.
    static func file(_ bytes: [UInt8]) throws(IndicatorError) -> File {
        var scanner = IndicatorTableScanner(bytes: bytes)
        try scanner.take("{\"banks\":")
        let banks = try scanner.integer()
        try scanner.take(",\"format\":")
        let format = try scanner.text()
        try scanner.take(",\"indicator\":")
        let indicator = try scanner.text()
        try scanner.take(",\"indicator_sha256\":")
        let digest = try scanner.digest()
        var manifest: [UInt8]?
        if scanner.passes(",\"manifest_sha256\":") { manifest = try scanner.digest() }
        try scanner.take(",\"measures\":")
        let measures = try scanner.list { (own) throws(IndicatorError) in try own.text() }
        try scanner.take(",\"periods\":")
        let periods = try scanner.list { (own) throws(IndicatorError) in try own.period() }
        try scanner.take(",\"revision\":")
        let revision = try scanner.integer()
        try scanner.take("}")
        guard scanner.at == bytes.count else { throw scanner.failure }
        return File(
            banks: Int(banks), format: format, indicator: indicator, indicatorSHA256: digest,
            manifestSHA256: manifest, measures: measures, periods: periods,
            revision: Int(revision))
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var failure: IndicatorError {
        .notATable(reason: "byte \(at) is not as in a \(IndicatorTable.format)")
    }

    private mutating func passes(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard at + count <= bytes.count else { return false }
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: count)
        guard bytes[at..<at + count].elementsEqual(expected) else { return false }
        at += count
        return true
    }

    private mutating func take(_ text: StaticString) throws(IndicatorError) {
        guard passes(text) else { throw failure }
    }

    /// A string without escapes: no name has any.
    private mutating func text() throws(IndicatorError) -> String {
        try take("\"")
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") {
            at += 1
        }
        guard let text = String(validating: bytes[start..<at], as: UTF8.self) else { throw failure }
        try take("\"")
        return text
    }

    private mutating func digest() throws(IndicatorError) -> [UInt8] {
        guard let digest = [UInt8](hexadecimal: try text()), digest.count == 32 else {
            throw failure
        }
        return digest
    }

    private mutating func integer() throws(IndicatorError) -> Int64 {
        let isNegative = passes("-")
        let start = at
        var value: Int64 = 0
        while at < bytes.count, case let digit = bytes[at] &- UInt8(ascii: "0"), digit < 10 {
            guard at - start < 16 else { throw failure }
            value = value * 10 + Int64(digit)
            at += 1
        }
        guard at > start, value < 1 << 53 else { throw failure }
        return isNegative ? -value : value
    }

    private mutating func list<Element>(
        _ element: (inout IndicatorTableScanner) throws(IndicatorError) -> Element
    ) throws(IndicatorError) -> [Element] {
        try take("[")
        var elements: [Element] = []
        if passes("]") { return elements }
        while true {
            elements.append(try element(&self))
            if passes("]") { return elements }
            try take(",")
        }
    }

    private mutating func period() throws(IndicatorError) -> IndicatorTable.Period {
        try take("{\"cells\":")
        let cells = try list { (own) throws(IndicatorError) in
            let cell = try own.integer()
            guard let cell = Int32(exactly: cell) else { throw own.failure }
            return cell
        }
        try take(",\"period\":")
        let number = try integer()
        try take(",\"permitted\":")
        let permitted = try integer()
        try take(",\"values\":")
        let values = try list { (own) throws(IndicatorError) in
            try own.list { (own) throws(IndicatorError) in try own.integer() }
        }
        try take("}")
        return IndicatorTable.Period(
            number: number, permittedCount: Int(permitted), cells: cells, values: values)
    }
}
