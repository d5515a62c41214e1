/// Reads the members of one JSON object and refuses those that it does not know.
struct StrictMembers {
    private let container: KeyedDecodingContainer<Key>

    struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(_ decoder: any Decoder) throws {
        do {
            container = try decoder.container(keyedBy: Key.self)
        } catch {
            throw FeatureStandardError.wrongType(
                place: place(of: decoder.codingPath), expected: "an object")
        }
    }

    init(_ decoder: any Decoder, allowed: [String]) throws {
        try self.init(decoder)
        try allow(allowed)
    }

    /// Refuses every other member; the first one in the order of names is reported.
    func allow(_ names: [String]) throws(FeatureStandardError) {
        let unknown = container.allKeys.map(\.stringValue).filter { !names.contains($0) }
        guard let first = unknown.min() else { return }
        let known = FedCore.place(of: container.codingPath + [Key(String(first.prefix(64)))])
        throw .unknownMember(place: known)
    }

    func has(_ name: String) -> Bool { container.contains(Key(name)) }

    /// Reads a required member.
    func value<Value: Decodable>(
        _ type: Value.Type, _ name: String, _ expected: String
    ) throws -> Value {
        let key = Key(name)
        let here = container.codingPath + [key]
        guard container.contains(key) else {
            throw FeatureStandardError.missingMember(place: place(of: here))
        }
        do {
            return try container.decode(type, forKey: key)
        } catch let error as FeatureStandardError {
            throw error
        } catch {
            // The decoder also throws errors of its own, as for 1.5 where a whole number is wanted.
            throw FeatureStandardError.wrongType(
                place: place(of: (error as? DecodingError)?.path ?? here), expected: expected)
        }
    }
}

extension FeatureStandardError {
    /// Maps what the decoder says of bytes that are not JSON, or not an object.
    init(_ error: DecodingError) {
        if case .dataCorrupted(let context) = error, context.codingPath.isEmpty {
            self = .notJSON(reason: context.debugDescription)
        } else {
            self = .wrongType(place: place(of: error.path ?? []), expected: "another JSON type")
        }
    }
}

extension DecodingError {
    fileprivate var path: [any CodingKey]? {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .keyNotFound(_, let context), .dataCorrupted(let context):
            context.codingPath
        @unknown default: nil
        }
    }
}

/// Writes a path as `features[3].range.min`.
private func place(of path: [any CodingKey]) -> String {
    var text = ""
    for key in path {
        if let index = key.intValue {
            text += "[\(index)]"
        } else {
            text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
        }
    }
    return text.isEmpty ? "the document" : text
}

/// Finds a member that stands twice in one object, which JSON decoders pass over in silence, each
/// with a choice of its own; or one whose name is spelt with escapes.
enum RepeatedMembers {
    /// The first such member's name, as spelt in the file.
    ///
    /// - Parameter json: bytes that a decoder accepted.
    static func first(in json: [UInt8]) -> String? {
        var open: [Set<[UInt8]>] = []
        var position = 0
        while position < json.count {
            switch json[position] {
            case 0x7B, 0x5B: open.append([])
            case 0x7D, 0x5D: _ = open.popLast()
            case 0x22:
                let start = position + 1
                position = endOfString(json, from: start)
                let name = Array(json[start..<position])
                guard isMemberName(json, after: position), !open.isEmpty else { break }
                // No name of the format needs an escape, and one would hide a repetition.
                if !open[open.count - 1].insert(name).inserted || name.contains(0x5C) {
                    return String(decoding: name, as: UTF8.self)
                }
            default: break
            }
            position += 1
        }
        return nil
    }

    /// The position of the closing quote.
    private static func endOfString(_ json: [UInt8], from start: Int) -> Int {
        var position = start
        while position < json.count, json[position] != 0x22 {
            position += json[position] == 0x5C ? 2 : 1
        }
        return min(position, json.count - 1)
    }

    private static func isMemberName(_ json: [UInt8], after quote: Int) -> Bool {
        var position = quote + 1
        while position < json.count, [0x20, 0x09, 0x0A, 0x0D].contains(json[position]) {
            position += 1
        }
        return position < json.count && json[position] == 0x3A
    }
}
