package import FedCore

/// The members of one JSON object, read by name and type with the place kept for messages.
package struct DocumentObject {
    /// The members.
    package let members: [String: CanonicalJSON]
    /// Where the object stands, empty for the document itself.
    package let place: String

    /// Takes an object whose members are all allowed.
    ///
    /// - Throws: ``DocumentError/wrongType(place:expected:)``,
    ///   ``DocumentError/unknownMember(place:)`` with the first name in order.
    package init(
        _ value: CanonicalJSON, place: String = "", allowed: [String]
    ) throws(DocumentError) {
        guard case .object(let members) = value else {
            throw .wrongType(place: place.isEmpty ? "the document" : place, expected: "an object")
        }
        self.members = members
        self.place = place
        if let unknown = members.keys.filter({ !allowed.contains($0) }).min() {
            throw .unknownMember(place: self.place(of: String(unknown.prefix(64))))
        }
    }

    /// Takes a document: its `format` first, since a later one may have members that this one does
    /// not know.
    package init(
        document value: CanonicalJSON, format: String, allowed: [String]
    ) throws(DocumentError) {
        if case .object(let members) = value {
            guard let stated = members["format"] else { throw .missingMember(place: "format") }
            guard case .string(let text) = stated else {
                throw .wrongType(place: "format", expected: "a string")
            }
            guard text == format else {
                throw .unknownFormat(got: String(text.prefix(64)), expected: format)
            }
        }
        try self.init(value, allowed: allowed + ["format"])
    }

    /// The place of a member.
    package func place(of name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

    /// Whether a member stands there; `null` counts as absent.
    package func has(_ name: String) -> Bool { members[name].map { $0 != .null } ?? false }

    /// A member that must stand there.
    package func value(_ name: String) throws(DocumentError) -> CanonicalJSON {
        guard let value = members[name] else { throw .missingMember(place: place(of: name)) }
        return value
    }

    /// A string whose UTF-8 form has so many bytes.
    package func string(
        _ name: String, bytes: ClosedRange<Int> = 1...4000
    ) throws(DocumentError) -> String {
        guard case .string(let text) = try value(name) else {
            throw .wrongType(place: place(of: name), expected: "a string")
        }
        guard bytes.contains(text.utf8.count) else {
            throw .invalidValue(
                place: place(of: name), got: "\(text.utf8.count) bytes",
                expected: "\(bytes.lowerBound)...\(bytes.upperBound) bytes")
        }
        return text
    }

    /// A string that may be absent.
    package func optionalString(
        _ name: String, bytes: ClosedRange<Int> = 1...4000
    ) throws(DocumentError) -> String? {
        has(name) ? try string(name, bytes: bytes) : nil
    }

    /// A string that is one of some words.
    package func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, _: Word.Type = Word.self
    ) throws(DocumentError) -> Word where Word.RawValue == String {
        let text = try string(name, bytes: 0...4000)
        guard let word = Word(rawValue: text) else {
            throw .invalidValue(
                place: place(of: name), got: "\"\(text.prefix(40))\"",
                expected: Word.allCases.map(\.rawValue).joined(separator: " | "))
        }
        return word
    }

    /// A whole number within bounds.
    package func integer(
        _ name: String, in bounds: ClosedRange<Int64>
    ) throws(DocumentError) -> Int64 {
        guard case .integer(let number) = try value(name) else {
            throw .wrongType(place: place(of: name), expected: "a whole number")
        }
        guard bounds.contains(number) else {
            throw .invalidValue(
                place: place(of: name), got: "\(number)",
                expected: "\(bounds.lowerBound)...\(bounds.upperBound)")
        }
        return number
    }

    /// A number within bounds.
    package func number(
        _ name: String, in bounds: ClosedRange<Double> = -1e15...1e15
    ) throws(DocumentError) -> Double {
        let number = try Self.number(try value(name), place: place(of: name))
        guard bounds.contains(number) else {
            throw .invalidValue(
                place: place(of: name), got: "\(number)",
                expected: "\(bounds.lowerBound)...\(bounds.upperBound)")
        }
        return number
    }

    /// A value that is a number.
    package static func number(
        _ value: CanonicalJSON, place: String
    ) throws(DocumentError) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        default: throw .wrongType(place: place, expected: "a number")
        }
    }

    /// `true` or `false`.
    package func bool(_ name: String) throws(DocumentError) -> Bool {
        guard case .bool(let flag) = try value(name) else {
            throw .wrongType(place: place(of: name), expected: "true or false")
        }
        return flag
    }

    /// A list of so many elements, each with its place.
    package func list(
        _ name: String, count: ClosedRange<Int>
    ) throws(DocumentError) -> [(value: CanonicalJSON, place: String)] {
        guard case .array(let values) = try value(name) else {
            throw .wrongType(place: place(of: name), expected: "a list")
        }
        guard count.contains(values.count) else {
            throw .invalidValue(
                place: place(of: name), got: "\(values.count) elements",
                expected: "\(count.lowerBound)...\(count.upperBound) elements")
        }
        return values.enumerated().map { ($1, "\(place(of: name))[\($0)]") }
    }

    /// An object with allowed members.
    package func object(
        _ name: String, allowed: [String]
    ) throws(DocumentError) -> DocumentObject {
        try DocumentObject(try value(name), place: place(of: name), allowed: allowed)
    }

    /// A SHA-256 as 64 lower-case hexadecimal digits.
    package func digest(_ name: String) throws(DocumentError) -> [UInt8] {
        let text = try string(name, bytes: 64...64)
        guard let digest = [UInt8](hexadecimal: text), digest.count == 32,
            digest.hexadecimal == text
        else {
            throw .invalidValue(
                place: place(of: name), got: "other characters",
                expected: "64 lower-case hexadecimal digits")
        }
        return digest
    }
}
