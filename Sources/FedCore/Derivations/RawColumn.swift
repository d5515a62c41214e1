/// A column of a bank's raw transactions.
public struct RawColumn: Equatable, Sendable {
    /// What the column is for.
    public enum Role: String, CaseIterable, Sendable {
        /// The time of the transaction: whole seconds.
        case time
        /// The amount of money.
        case amount
        /// A customer, card, merchant, terminal, payee or device: a key of windows.
        case entity
        /// 1 for a fraud, else 0; empty while not known.
        case label
        /// Another number.
        case number
        /// A code or word of a small set: for one-hot features and keys of windows.
        case category
        /// The row's own number.
        case row
        /// Which file a row goes to: `fit`, `valid`, `test`, or none of them.
        case part
    }

    /// How a field is written.
    public enum Kind: String, CaseIterable, Sendable {
        /// A whole number.
        case integer
        /// A decimal number.
        case number
        /// Any text.
        case text
    }

    /// What an empty field means.
    public enum Missing: String, CaseIterable, Sendable {
        /// It is a fault.
        case refuse
        /// It is a missing value; operators say what they do with it.
        case keep
    }

    /// The column's name; a bank maps its own name to it.
    public let name: String
    /// What it is for.
    public let role: Role
    /// How its fields are written.
    public let kind: Kind
    /// What an empty field means; always ``Missing/refuse`` for time, row and part, and
    /// ``Missing/keep`` for the label.
    public let missing: Missing
    /// With category of text only: the words, whose positions from 0 are the category's numbers.
    ///
    /// A word beside them counts as missing.
    public let levels: [String]

    /// Wraps the members; ``Derivation`` checks them.
    public init(
        name: String, role: Role, kind: Kind, missing: Missing = .refuse, levels: [String] = []
    ) {
        self.name = name
        self.role = role
        self.kind = kind
        self.missing = role == .label ? .keep : role.hasMissingPolicy ? missing : .refuse
        self.levels = levels
    }
}

extension RawColumn.Role {
    /// Whether the document states what an empty field means.
    var hasMissingPolicy: Bool {
        switch self {
        case .amount, .entity, .number, .category: true
        case .time, .label, .row, .part: false
        }
    }

    /// Whether the column is one of ``RawRow/numbers``.
    var isNumeric: Bool { self == .amount || self == .number || self == .category }

    /// The ways in which its fields may be written.
    var kinds: [RawColumn.Kind] {
        switch self {
        case .time, .label, .row: [.integer]
        case .amount, .number: [.integer, .number]
        case .entity, .category, .part: [.integer, .text]
        }
    }
}
