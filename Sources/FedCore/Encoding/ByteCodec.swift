/// Writes the canonical byte form of protocol messages.
///
/// Big-endian integers, byte strings behind a 32-bit length. One value has one encoding, so its
/// hash identifies it.
public struct ByteWriter: Sendable {
    /// What has been written so far.
    public private(set) var bytes: [UInt8] = []

    /// Begins with nothing written.
    public init() {}

    /// Makes room for so many more bytes.
    public mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    /// Appends an unsigned integer, most significant byte first.
    public mutating func write<Value: FixedWidthInteger & UnsignedInteger>(_ value: Value) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends a signed integer in two's complement.
    public mutating func write(_ value: Int64) { write(UInt64(bitPattern: value)) }

    /// Appends the IEEE 754 bit pattern.
    public mutating func write(_ value: Double) { write(value.bitPattern) }

    /// Appends the length as 32 bits and then the bytes.
    public mutating func write(_ value: [UInt8]) {
        precondition(value.count <= UInt32.max, "byte string of \(value.count) bytes")
        write(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// Appends the UTF-8 form behind its length.
    public mutating func write(_ value: String) { write(Array(value.utf8)) }

    /// Appends the bytes without a length, for fields of a fixed size.
    public mutating func writeFixed(_ value: [UInt8]) { bytes.append(contentsOf: value) }

    /// Appends the count as 32 bits and each element by `body`.
    public mutating func writeEach<Element>(
        _ elements: [Element], _ body: (inout ByteWriter, Element) -> Void
    ) {
        write(UInt32(elements.count))
        for element in elements { body(&self, element) }
    }
}

/// Why bytes are not a message.
public enum DecodingFailure: Error, Equatable, Sendable {
    /// The bytes ended inside a field.
    case truncated(at: Int, needed: Int, available: Int)
    /// Bytes were left after the last field.
    case trailingBytes(count: Int)
    /// A field holds a value that its type does not have.
    case invalidValue(field: String, at: Int)
}

/// Reads what ``ByteWriter`` wrote.
///
/// Every read is checked; no input can trap.
public struct ByteReader: Sendable {
    private let bytes: [UInt8]
    private var offset = 0

    /// Reads from the start of `bytes`.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Where the next read begins.
    public var position: Int { offset }

    /// Reads an unsigned integer.
    public mutating func read<Value: FixedWidthInteger & UnsignedInteger>(
        _: Value.Type = Value.self
    ) throws(DecodingFailure) -> Value {
        let size = Value.bitWidth / 8
        try require(size)
        var value: Value = 0
        for _ in 0..<size {
            value = value << 8 | Value(truncatingIfNeeded: bytes[offset])
            offset += 1
        }
        return value
    }

    /// Reads a signed integer.
    public mutating func readInt64() throws(DecodingFailure) -> Int64 {
        Int64(bitPattern: try read(UInt64.self))
    }

    /// Reads a finite double; infinities and NaN are refused.
    public mutating func readDouble() throws(DecodingFailure) -> Double {
        let start = offset
        let value = Double(bitPattern: try read(UInt64.self))
        guard value.isFinite else { throw .invalidValue(field: "double", at: start) }
        return value
    }

    /// Reads a byte string of at most `limit` bytes.
    public mutating func readBytes(limit: Int = 1 << 28) throws(DecodingFailure) -> [UInt8] {
        let start = offset
        let count = Int(try read(UInt32.self))
        guard count <= limit else { throw .invalidValue(field: "length", at: start) }
        return try readFixed(count)
    }

    /// Reads exactly `count` bytes.
    public mutating func readFixed(_ count: Int) throws(DecodingFailure) -> [UInt8] {
        try require(count)
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// Reads a string; invalid UTF-8 is refused.
    public mutating func readString(limit: Int = 1 << 20) throws(DecodingFailure) -> String {
        let start = offset
        let raw = try readBytes(limit: limit)
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw .invalidValue(field: "UTF-8", at: start)
        }
        return text
    }

    /// Reads a counted list of at most `limit` elements.
    public mutating func readEach<Element>(
        limit: Int = 1 << 24, _ body: (inout ByteReader) throws(DecodingFailure) -> Element
    ) throws(DecodingFailure) -> [Element] {
        let start = offset
        let count = Int(try read(UInt32.self))
        guard count <= limit else { throw .invalidValue(field: "count", at: start) }
        var elements: [Element] = []
        elements.reserveCapacity(min(count, (bytes.count - offset)))
        for _ in 0..<count { elements.append(try body(&self)) }
        return elements
    }

    /// Ends the reading; left-over bytes are an error.
    public func finish() throws(DecodingFailure) {
        guard offset == bytes.count else { throw .trailingBytes(count: bytes.count - offset) }
    }

    private func require(_ count: Int) throws(DecodingFailure) {
        guard count >= 0, bytes.count - offset >= count else {
            throw .truncated(at: offset, needed: count, available: bytes.count - offset)
        }
    }
}
