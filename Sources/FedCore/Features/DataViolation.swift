/// What can be wrong with a data file.
public enum DataViolationKind: String, CaseIterable, Sendable {
    case missingFile = "missing_file"
    case unreadableFile = "unreadable_file"
    /// No byte at all.
    case emptyFile = "empty_file"
    /// A header and nothing else.
    case noRows = "no_rows"
    case missingColumn = "missing_column"
    case unknownColumn = "unknown_column"
    case duplicateColumn = "duplicate_column"
    case fieldCount = "field_count"
    case truncatedQuote = "truncated_quote"
    case notANumber = "not_a_number"
    /// NaN, an infinity, or beyond the range of doubles.
    case notFinite = "not_finite"
    case outOfRange = "out_of_range"
    case notAnInteger = "not_an_integer"
    case notACategory = "not_a_category"
    case invalidLabel = "invalid_label"
    case missingValue = "missing_value"
    /// A warning: a feature with one value only.
    case constantColumn = "constant_column"
    /// A warning: all labels are 0 or all are 1.
    case oneClass = "one_class"

    /// Whether rows can be trained on in spite of it.
    public var isWarning: Bool { self == .constantColumn || self == .oneClass }
}

/// One fault of a data file, for the screen of the bank that owns the file.
///
/// It quotes the file, so it must not leave the bank.
public struct DataViolation: Equatable, Sendable {
    /// The name of the file.
    public let file: String
    /// The line, from 1 for the header; `nil` where the whole file is meant.
    public let line: Int?
    /// The row's own number, where it could be read.
    public let row: Int64?
    /// The column's name.
    public let column: String?
    /// The kind of fault.
    public let kind: DataViolationKind
    /// What the standard wants, in words.
    public let expected: String
    /// What is there, in words; quoted where it is text of the file.
    public let got: String

    package init(
        file: String, line: Int? = nil, row: Int64? = nil, column: String? = nil,
        kind: DataViolationKind, expected: String, got: String
    ) {
        self.file = file
        self.line = line
        self.row = row
        self.column = column
        self.kind = kind
        self.expected = expected
        self.got = got
    }

    /// Bytes of a field as a quoted text of at most 40 characters without control characters.
    static func quote(_ field: some Collection<UInt8>) -> String {
        let text = String(decoding: field.prefix(200), as: UTF8.self)
        let shown = text.prefix(40).map { character in
            character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
                ? "\u{FFFD}" : character
        }
        return "\"\(String(shown))\(text.count > 40 ? "…" : "")\""
    }
}

extension DataViolation: CustomStringConvertible {
    /// One line: `bank_A_fit.csv:17 column amount: expected a number in 0...50000, got "abc"`.
    public var description: String {
        var place = file
        if let line { place += ":\(line)" }
        if let column { place += " column \(column)" }
        return "\(place): expected \(expected), got \(got)"
    }

    /// The members that are known, for reports.
    package var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "file": .string(file), "kind": .string(kind.rawValue),
            "expected": .string(expected), "got": .string(got),
        ]
        if let line { members["line"] = .integer(Int64(line)) }
        if let row { members["row"] = .string(String(row)) }
        if let column { members["column"] = .string(column) }
        return .object(members)
    }
}

/// The violations of one file: the first ones, and how many there are of each kind.
public struct ViolationList: Equatable, Sendable {
    /// The first ones, in the order of the file.
    public private(set) var first: [DataViolation] = []
    /// How many of each kind, those beyond the first ones too.
    public private(set) var counts: [DataViolationKind: Int] = [:]
    /// How many are kept.
    public let limit: Int

    package init(limit: Int) { self.limit = limit }

    /// All violations that are no warnings.
    public var errorCount: Int {
        counts.reduce(0) { $0 + ($1.key.isWarning ? 0 : $1.value) }
    }

    /// All warnings.
    public var warningCount: Int {
        counts.reduce(0) { $0 + ($1.key.isWarning ? $1.value : 0) }
    }

    package mutating func append(_ violation: DataViolation) {
        counts[violation.kind, default: 0] += 1
        if first.count < limit { first.append(violation) }
    }
}
