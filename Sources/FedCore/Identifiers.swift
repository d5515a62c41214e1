/// The name of a bank in the consortium, as its certificate and the roster carry it.
///
/// 1 to 63 characters, ASCII letters, digits, `-` and `_`, beginning with a letter or digit; so it
/// is safe in a URI, a file name and a log line.
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name itself.
    public let name: String

    /// Checks and wraps a name.
    ///
    /// - Returns: `nil` when the name breaks the rules above.
    public init?(_ name: String) {
        let bytes = Array(name.utf8)
        guard (1...63).contains(bytes.count), Self.isAlphanumeric(bytes[0]) else { return nil }
        guard bytes.allSatisfy({ Self.isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F }) else {
            return nil
        }
        self.name = name
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// The words for a person.
    public var description: String { name }

    /// Orders names byte by byte.
    public static func < (left: NodeID, right: NodeID) -> Bool {
        left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}

/// The identifier of one run: 16 random bytes, written as 32 hexadecimal digits.
public struct RunID: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes.
    public let bytes: [UInt8]

    /// Wraps 16 bytes.
    ///
    /// - Returns: `nil` for any other count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Parses 32 hexadecimal digits.
    public init?(_ text: String) {
        guard let bytes = [UInt8](hexadecimal: text) else { return nil }
        self.init(bytes: bytes)
    }

    /// The words for a person.
    public var description: String { bytes.hexadecimal }
}

extension [UInt8] {
    /// Lower-case hexadecimal digits, two a byte.
    public var hexadecimal: String {
        let digits = Array<UInt8>("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(count * 2)
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Parses an even number of hexadecimal digits, or gives `nil`.
    public init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.nibble(digits[index]), let low = Self.nibble(digits[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        self = bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
