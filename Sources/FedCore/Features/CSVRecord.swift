/// One record of a CSV file (RFC 4180), read with care: quotes, doubled quotes, quoted line ends.
struct CSVRecord {
    /// The fields without their quotes.
    var fields: [[UInt8]] = []
    /// Bytes, the line end included.
    var byteCount = 0
    /// Lines; more than one where a quoted field holds line ends.
    var lineCount = 1

    /// A line without fields.
    init() {}

    /// Reads the record that begins at the start of `bytes`.
    ///
    /// - Returns: `nil` when the bytes end before the record does.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var position = 0
        var field: [UInt8] = []
        while true {
            field.removeAll(keepingCapacity: true)
            if position < bytes.count, bytes[position] == 0x22 {
                guard let after = readQuoted(bytes, from: position + 1, into: &field) else {
                    return nil
                }
                position = after
            }
            let start = field.count
            while position < bytes.count, bytes[position] != 0x2C, bytes[position] != 0x0A {
                field.append(bytes[position])
                position += 1
            }
            guard position < bytes.count else { return nil }
            let isLast = bytes[position] == 0x0A
            if isLast, field.count > start, field.last == 0x0D { field.removeLast() }
            fields.append(field)
            position += 1
            if isLast { break }
        }
        byteCount = position
    }

    /// Reads up to the closing quote and gives the position behind it.
    private mutating func readQuoted(
        _ bytes: UnsafeRawBufferPointer, from start: Int, into field: inout [UInt8]
    ) -> Int? {
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == 0x22 {
                guard position < bytes.count else { return nil }
                guard bytes[position] == 0x22 else { return position }
                position += 1
            } else if byte == 0x0A {
                lineCount += 1
            }
            field.append(byte)
        }
        return nil
    }

    /// Whether it is a line with nothing on it.
    var isEmptyLine: Bool { fields.count == 1 && fields[0].isEmpty }
}
