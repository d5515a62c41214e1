/// A JSON value with one canonical byte form (RFC 8785, JSON Canonicalization Scheme): members
/// sorted by their UTF-16 code units, no white space, shortest round-trip numbers.
///
/// Documents whose SHA-256 is an identity (feature standards, manifests, models) are written by
/// this type. Reading is `JSONDecoder`'s work; a document is accepted as canonical when writing it
/// again gives the same bytes.
public enum CanonicalJSON: Equatable, Sendable {
    case null
    case bool(Bool)
    /// An integer within ±(2^53 - 1), the range in which every JSON reader agrees.
    case integer(Int64)
    /// A finite number.
    case number(Double)
    case string(String)
    case array([CanonicalJSON])
    case object([String: CanonicalJSON])

    /// The canonical bytes, UTF-8.
    public var bytes: [UInt8] {
        var output: [UInt8] = []
        write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value):
            precondition(value.magnitude < 1 << 53, "integer \(value) is beyond 2^53")
            output.append(contentsOf: String(value).utf8)
        case .number(let value): Self.append(value, to: &output)
        case .string(let value): Self.write(value, to: &output)
        case .array(let values):
            output.append(0x5B)
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(0x2C) }
                value.write(to: &output)
            }
            output.append(0x5D)
        case .object(let members):
            output.append(0x7B)
            let names = members.keys.sorted { $0.utf16.lexicographicallyPrecedes($1.utf16) }
            for (index, name) in names.enumerated() {
                if index > 0 { output.append(0x2C) }
                Self.write(name, to: &output)
                output.append(0x3A)
                members[name]?.write(to: &output)
            }
            output.append(0x7D)
        }
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(0x22)
        var text = text
        text.withUTF8 { bytes in
            // Documents within documents are megabytes of which few bytes need an escape.
            var start = 0
            for index in bytes.indices where needsEscape(bytes[index]) {
                output.append(contentsOf: bytes[start..<index])
                output.append(contentsOf: escape(bytes[index]))
                start = index + 1
            }
            output.append(contentsOf: bytes[start...])
        }
        output.append(0x22)
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x22 || byte == 0x5C
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case 0x08: Array("\\b".utf8)
        case 0x09: Array("\\t".utf8)
        case 0x0A: Array("\\n".utf8)
        case 0x0C: Array("\\f".utf8)
        case 0x0D: Array("\\r".utf8)
        case 0..<0x20: Array(("\\u00" + [byte].hexadecimal).utf8)
        default: [0x5C, byte]
        }
    }

    /// Appends a finite number as ``bytes`` writes it.
    package static func append(_ value: Double, to output: inout [UInt8]) {
        precondition(value.isFinite, "JSON has no \(value)")
        // Swift's description has the same digits, and the same form but for a whole number's ".0",
        // for minus zero, and where one of both writes an exponent.
        var text = value.description
        let isSame = text.withUTF8 { written in
            guard !written.contains(0x65), value != 0 else { return false }
            let isWhole = written.count > 2 && written.suffix(2).elementsEqual([0x2E, 0x30])
            output.append(contentsOf: written.dropLast(isWhole ? 2 : 0))
            return true
        }
        if !isSame { output.append(contentsOf: format(value).utf8) }
    }

    /// Formats a finite number as ECMAScript's `Number::toString` does (ECMA-262, 6.1.6.1.20).
    package static func format(_ value: Double) -> String {
        precondition(value.isFinite, "JSON has no \(value)")
        if value == 0 { return "0" }
        if value < 0 { return "-" + format(-value) }
        // Swift's description gives the shortest digits that read back as the same number.
        var digits: [UInt8] = []
        var exponent = 0
        var fractionDigits = 0
        var inFraction = false
        var text = Array(value.description.utf8)[...]
        if let mark = text.firstIndex(of: 0x65) {
            exponent = Int(String(decoding: text[(mark + 1)...], as: UTF8.self)) ?? 0
            text = text[..<mark]
        }
        for byte in text {
            if byte == 0x2E {
                inFraction = true
            } else {
                digits.append(byte)
                if inFraction { fractionDigits += 1 }
            }
        }
        while digits.count > 1, digits.last == 0x30 {
            digits.removeLast()
            fractionDigits -= 1
        }
        let leadingZeros = digits.prefix { $0 == 0x30 }.count
        digits.removeFirst(leadingZeros)
        let point = digits.count - fractionDigits + exponent  // value = 0.digits · 10^point
        return assemble(digits: digits, point: point)
    }

    private static func assemble(digits: [UInt8], point: Int) -> String {
        let count = digits.count
        func text(_ slice: ArraySlice<UInt8>) -> String { String(decoding: slice, as: UTF8.self) }
        func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
        if count <= point, point <= 21 { return text(digits[...]) + zeros(point - count) }
        if 0 < point, point <= 21 { return text(digits[..<point]) + "." + text(digits[point...]) }
        if -6 < point, point <= 0 { return "0." + zeros(-point) + text(digits[...]) }
        let power = point - 1
        let mantissa =
            count == 1 ? text(digits[...]) : text(digits[..<1]) + "." + text(digits[1...])
        return mantissa + "e" + (power < 0 ? "-" : "+") + String(power.magnitude)
    }
}
