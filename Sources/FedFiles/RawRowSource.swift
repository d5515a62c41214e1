internal import FedCore

/// A value of a raw column as a database gives it.
public enum RawValue: Equatable, Sendable {
    /// Nothing: a missing value.
    case null
    /// A whole number.
    case integer(Int64)
    /// Another number.
    case real(Double)
    /// A text.
    case text(String)

    /// The value as a field of a file.
    func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: break
        case .integer(let value): bytes.append(contentsOf: String(value).utf8)
        case .real(let value): bytes.append(contentsOf: "\(value)".utf8)
        case .text(let value): bytes.append(contentsOf: value.utf8)
        }
    }
}

/// Where raw transactions come from beside a file: a database's table, a queue.
public protocol RawRowSource {
    /// What messages call it.
    var name: String { get }
    /// The names of its columns, in the order of values.
    ///
    /// - Throws: ``FeatureBuilderError/sourceFailed(name:reason:)``.
    func columnNames() throws(FeatureBuilderError) -> [String]
    /// Gives the values of every row to `body`, in the order of time, until it says `false`.
    ///
    /// - Throws: what `body` throws, and ``FeatureBuilderError/sourceFailed(name:reason:)``.
    func forEachRow(
        _ body: ([RawValue]) throws(FeatureBuilderError) -> Bool
    ) throws(FeatureBuilderError)
}

/// Where a bank's raw transactions are: `FILE.csv`, or `FILE.sqlite?table=NAME`.
public struct RawInput: Equatable, Sendable {
    /// The file.
    public let path: String
    /// The table of a SQLite database; `nil` for CSV.
    public let table: String?

    private static let mark = "?table="

    /// Reads what a command line says.
    public init(_ text: String) {
        var position = text.endIndex
        while position > text.startIndex {
            position = text.index(before: position)
            guard text[position...].hasPrefix(Self.mark) else { continue }
            path = String(text[..<position])
            table = String(text[text.index(position, offsetBy: Self.mark.count)...])
            return
        }
        path = text
        table = nil
    }

    /// What messages call it: without its folder.
    public var name: String {
        BlockReader.fileName(path) + (table.map { Self.mark + $0 } ?? "")
    }
}
