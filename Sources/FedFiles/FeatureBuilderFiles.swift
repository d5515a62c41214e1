internal import FedCore

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// The files of features: written beside their places, moved there when all are whole.
struct FeatureFiles: ~Copyable {
    /// What a row is for.
    typealias Part = RawTransactions.Part

    private let output: FeatureBuilder.Output
    private let header: [UInt8]
    private let hasLabel: Bool
    /// One a part; all rows go to the first where the output is one file.
    private var files: [FeatureFile?] = [nil, nil, nil]

    init(output: FeatureBuilder.Output, standard: FeatureStandard, hasLabel: Bool) {
        self.output = output
        self.hasLabel = hasLabel
        var names = [standard.rowColumn] + standard.features.map(\.name)
        if hasLabel { names.append(standard.labelColumn) }
        header = Array(names.joined(separator: ",").utf8) + [0x0A]
    }

    /// Whether rows of a part are written.
    func isWritten(_ part: Part) -> Bool { part != .history || !output.needsPart }

    /// Writes one row.
    mutating func write(
        _ row: RawRow, _ features: ArraySlice<Double>, part: Part
    ) throws(FeatureBuilderError) {
        let index = output.needsPart ? part.rawValue : 0
        if files[index] == nil {
            files[index] = try FeatureFile(path: path(part), header: header)
        }
        try files[index]?.write(row, features, hasLabel: hasLabel)
    }

    /// Ends all files and moves them to their places.
    mutating func commit(_ summary: inout FeatureBuilder.Summary) throws(FeatureBuilderError) {
        for file in files { try file?.close() }
        for file in files {
            guard let file else { continue }
            try file.move()
            summary.rowsWritten[file.path] = file.rowCount
            summary.fraudsWritten[file.path] = file.fraudCount
        }
    }

    private func path(_ part: Part) -> String {
        switch output {
        case .file(let path): path
        case .folder(let folder, let bank): "\(folder)/bank_\(bank)_\(part).csv"
        }
    }
}

extension RawTransactions.Part {
    /// Reads the word or the number of a part.
    init?(field: UnsafeRawBufferPointer) {
        // One digit is the usual case and needs no text.
        if field.count == 1, let part = Self(rawValue: Int(field[0]) - 0x30), part != .history {
            self = part
            return
        }
        switch String(decoding: field, as: UTF8.self) {
        case "fit", "0": self = .fit
        case "valid", "1": self = .valid
        case "test", "2": self = .test
        case "history", "-1", "": self = .history
        default: return nil
        }
    }
}

/// One file under a temporary name, which goes away unless the file is moved to its place.
final class FeatureFile {
    private static let bufferBytes = 1 << 20

    let path: String
    private(set) var rowCount = 0
    private(set) var fraudCount = 0
    private let temporaryPath: String
    private var descriptor: Int32
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    /// Bytes of the buffer that wait to be written.
    private var pending: Int
    private var isMoved = false

    init(path: String, header: [UInt8]) throws(FeatureBuilderError) {
        self.path = path
        temporaryPath = "\(path).\(getpid()).partial"
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        buffer = .allocate(capacity: Self.bufferBytes + header.count)
        pending = buffer.update(fromContentsOf: header)
        guard descriptor >= 0 else {
            isMoved = true
            throw failure()
        }
    }

    deinit {
        if descriptor >= 0 { _ = systemClose(descriptor) }
        if !isMoved { unlink(temporaryPath) }
        buffer.deallocate()
    }

    func write(
        _ row: RawRow, _ features: ArraySlice<Double>, hasLabel: Bool
    ) throws(FeatureBuilderError) {
        let bytesMax = (features.count + 2) * DecimalText.bytesMax
        precondition(bytesMax <= Self.bufferBytes, "\(features.count) features in one row")
        if pending + bytesMax > buffer.count { try flush() }
        guard let start = buffer.baseAddress else { return }
        var text = start + pending
        DecimalText.append(row.number, to: &text)
        for value in features {
            text.append(0x2C)
            DecimalText.append(value, to: &text)
        }
        if hasLabel {
            text.append(0x2C)
            if let isFraud = row.isFraud { text.append(isFraud ? 0x31 : 0x30) }
        }
        text.append(0x0A)
        pending = text - start
        rowCount += 1
        if row.isFraud == true { fraudCount += 1 }
    }

    func close() throws(FeatureBuilderError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw failure() }
        let closed = systemClose(descriptor)
        descriptor = -1
        guard closed == 0 else { throw failure() }
    }

    func move() throws(FeatureBuilderError) {
        guard rename(temporaryPath, path) == 0 else { throw failure() }
        isMoved = true
    }

    private func flush() throws(FeatureBuilderError) {
        var start = 0
        while start < pending {
            let count = systemWrite(
                descriptor,
                UnsafeRawBufferPointer(
                    start: buffer.baseAddress.map { $0 + start }, count: pending - start))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            start += count
        }
        pending = 0
    }

    private func failure() -> FeatureBuilderError {
        .cannotWrite(path: path, reason: String(cString: strerror(errno)).lowercased())
    }
}

private func systemClose(_ descriptor: Int32) -> Int32 {
    #if canImport(Darwin)
        Darwin.close(descriptor)
    #elseif canImport(Musl)
        Musl.close(descriptor)
    #else
        Glibc.close(descriptor)
    #endif
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Darwin)
        Darwin.write(descriptor, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
        Musl.write(descriptor, bytes.baseAddress, bytes.count)
    #else
        Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    #endif
}

extension UnsafeMutablePointer<UInt8> {
    /// Writes a byte and moves behind it.
    fileprivate mutating func append(_ byte: UInt8) {
        pointee = byte
        self += 1
    }
}

/// Writes numbers as `%.7g` does, but whole numbers with all their digits.
///
/// The text goes to memory with room for ``bytesMax`` bytes a number, a byte between them included.
enum DecimalText {
    static let bytesMax = 40

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
    ]

    static func append(_ value: Int64, to text: inout UnsafeMutablePointer<UInt8>) {
        if value < 0 { text.append(0x2D) }
        appendDigits(value.magnitude, to: &text)
    }

    /// Appends a number; nothing for NaN, which is a missing value.
    static func append(_ value: Double, to text: inout UnsafeMutablePointer<UInt8>) {
        guard !value.isNaN else { return }
        let magnitude = abs(value)
        if magnitude < 1e15, magnitude == magnitude.rounded(.towardZero) {
            if value < 0 { text.append(0x2D) }
            appendDigits(UInt64(magnitude), to: &text)
        } else if magnitude >= 1e-4, magnitude < 1e7 {
            if value < 0 { text.append(0x2D) }
            appendSevenDigits(magnitude, to: &text)
        } else {
            appendRare(value, to: &text)
        }
    }

    private static func appendDigits(
        _ value: UInt64, to text: inout UnsafeMutablePointer<UInt8>
    ) {
        guard value >= 10 else {
            text.append(0x30 + UInt8(truncatingIfNeeded: value))
            return
        }
        var count = 1
        var power: UInt64 = 10
        while value >= power {
            count += 1
            let (next, overflow) = power.multipliedReportingOverflow(by: 10)
            if overflow { break }
            power = next
        }
        appendDigits(value, count: count, to: &text)
    }

    /// Writes just `count` digits, from the last to the first.
    private static func appendDigits(
        _ value: UInt64, count: Int, to text: inout UnsafeMutablePointer<UInt8>
    ) {
        var rest = value
        for place in stride(from: count - 1, through: 0, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            text[place] = 0x30 + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
        text += count
    }

    private static func appendSevenDigits(
        _ magnitude: Double, to text: inout UnsafeMutablePointer<UInt8>
    ) {
        // magnitude · 10^scale has seven digits before its point.
        var scale = 0
        while scale < 10, magnitude * powers[scale + 1] < 1e7 { scale += 1 }
        let product = magnitude * powers[scale]
        var rounded = product.rounded(.toNearestOrEven)
        if abs(product - rounded) == 0.5 {
            // What the product lost in its own rounding decides between the two.
            let lost = (-product).addingProduct(magnitude, powers[scale])
            if lost > 0 { rounded = product.rounded(.up) }
            if lost < 0 { rounded = product.rounded(.down) }
        }
        var digits = UInt64(rounded)
        while scale > 0, digits % 10 == 0 {
            digits /= 10
            scale -= 1
        }
        let divisor = UInt64(powers[scale])
        appendDigits(digits / divisor, to: &text)
        guard scale > 0 else { return }
        text.append(0x2E)
        appendDigits(digits % divisor, count: scale, to: &text)
    }

    /// Other magnitudes, by the C library.
    private static func appendRare(
        _ value: Double, to text: inout UnsafeMutablePointer<UInt8>
    ) {
        var bytes = [CChar](repeating: 0, count: 32)
        let count = withVaList([value]) { vsnprintf(&bytes, 32, "%.7g", $0) }
        for byte in bytes[..<Int(count)] { text.append(UInt8(bitPattern: byte)) }
    }
}
