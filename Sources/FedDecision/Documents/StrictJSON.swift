package import FedCore

/// Reads JSON (RFC 8259) without leniency: no repeated members, no lone surrogates, no numbers
/// beyond the doubles, nothing after the value, no more than ``depthMax`` levels.
///
/// Whole numbers within ±(2^53 - 1) written without point or exponent come out as
/// `CanonicalJSON.integer`, all others as `.number`.
package struct StrictJSON {
    /// The deepest nesting that is read.
    package static let depthMax = 32

    private let bytes: [UInt8]
    private var at = 0

    /// Reads one value.
    ///
    /// - Throws: ``DocumentError/tooLarge(gotBytes:bytesMax:)``, ``DocumentError/notJSON(at:)``,
    ///   ``DocumentError/repeatedMember(name:at:)``.
    package static func parse(
        _ bytes: [UInt8], bytesMax: Int = 1 << 20
    ) throws(DocumentError) -> CanonicalJSON {
        guard bytes.count <= bytesMax else {
            throw .tooLarge(gotBytes: bytes.count, bytesMax: bytesMax)
        }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .notJSON(at: 0) }
        var parser = StrictJSON(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.at == bytes.count else { throw .notJSON(at: parser.at) }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at += 1
        return true
    }

    private mutating func word(
        _ word: StaticString, _ value: CanonicalJSON
    ) throws(DocumentError) -> CanonicalJSON {
        for byte in word.description.utf8 {
            guard take(byte) else { throw .notJSON(at: at) }
        }
        return value
    }

    private mutating func value(depth: Int) throws(DocumentError) -> CanonicalJSON {
        guard depth < Self.depthMax else { throw .notJSON(at: at) }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(DocumentError) -> CanonicalJSON {
        at += 1
        var members: [String: CanonicalJSON] = [:]
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            let start = at
            guard next == UInt8(ascii: "\"") else { throw .notJSON(at: at) }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw .notJSON(at: at) }
            let value = try value(depth: depth + 1)
            guard members.updateValue(value, forKey: name) == nil else {
                throw .repeatedMember(name: String(name.prefix(64)), at: start)
            }
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw .notJSON(at: at) }
        }
    }

    private mutating func array(depth: Int) throws(DocumentError) -> CanonicalJSON {
        at += 1
        var values: [CanonicalJSON] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(values) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(values) }
            guard take(UInt8(ascii: ",")) else { throw .notJSON(at: at) }
        }
    }

    private mutating func number() throws(DocumentError) -> CanonicalJSON {
        let start = at
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        _ = take(UInt8(ascii: "-"))
        guard isDigit(next) else { throw .notJSON(at: at) }
        if !take(UInt8(ascii: "0")) { while isDigit(next) { at += 1 } }
        var isWhole = true
        if take(UInt8(ascii: ".")) {
            isWhole = false
            guard isDigit(next) else { throw .notJSON(at: at) }
            while isDigit(next) { at += 1 }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isWhole = false
            at += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            guard isDigit(next) else { throw .notJSON(at: at) }
            while isDigit(next) { at += 1 }
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isWhole, let value = Int64(text), value.magnitude < 1 << 53 { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw .notJSON(at: start) }
        return .number(value)
    }

    private mutating func string() throws(DocumentError) -> String {
        at += 1
        var text: [UInt8] = []
        while true {
            let plain = at..<endOfPlain()
            text.append(contentsOf: bytes[plain])
            at = plain.upperBound
            guard let byte = next else { throw .notJSON(at: at) }
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
            default: throw .notJSON(at: at - 1)
            }
        }
    }

    /// Where bytes that stand for themselves end: models within documents are megabytes of them.
    private func endOfPlain() -> Int {
        bytes.withUnsafeBufferPointer { bytes in
            var end = at
            while end < bytes.count, bytes[end] >= 0x20, bytes[end] != 0x22, bytes[end] != 0x5C {
                end += 1
            }
            return end
        }
    }

    private mutating func escape() throws(DocumentError) -> [UInt8] {
        guard let byte = next else { throw .notJSON(at: at) }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var scalar = try hexadecimalQuad()
            if (0xD800..<0xDC00).contains(scalar) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                    throw .notJSON(at: at)
                }
                let low = try hexadecimalQuad()
                guard (0xDC00..<0xE000).contains(low) else { throw .notJSON(at: at) }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw .notJSON(at: at) }
            return Array(String(Character(scalar)).utf8)
        default: throw .notJSON(at: at - 1)
        }
    }

    private mutating func hexadecimalQuad() throws(DocumentError) -> UInt32 {
        guard at + 4 <= bytes.count else { throw .notJSON(at: at) }
        let digits = bytes[at..<at + 4]
        guard
            digits.allSatisfy({
                (0x30...0x39).contains($0) || (0x41...0x46).contains($0)
                    || (0x61...0x66).contains($0)
            }), let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw .notJSON(at: at) }
        at += 4
        return value
    }
}
