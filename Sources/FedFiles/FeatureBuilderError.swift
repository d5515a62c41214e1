public import FedCore

/// Why features could not be built from a file of raw transactions.
public enum FeatureBuilderError: Error, Equatable, Sendable {
    /// A fault of the raw file, or a feature that the standard does not allow.
    case violation(DataViolation)
    /// A row is older than the one before it.
    case notInTimeOrder(file: String, line: Int, column: String)
    /// The derivation does not fit the standard.
    case derivation(DerivationError)
    /// A row, or one of the same time right below it, cannot be taken in.
    case row(DerivationError, file: String, line: Int)
    /// The mapping names a raw column that the derivation does not have.
    case unknownRawColumn(String)
    /// The name of the bank is no part of a file name.
    case invalidBankName(got: String)
    /// A source of rows failed.
    case sourceFailed(name: String, reason: String)
    /// A file of features could not be written.
    case cannotWrite(path: String, reason: String)
}

extension FeatureBuilderError: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .violation(let violation): violation.description
        case .notInTimeOrder(let file, let line, let column):
            "\(file):\(line) column \(column): expected rows in the order of time, got an older one"
        case .derivation(let error): "\(error)"
        case .row(let error, let file, let line): "\(file):\(line): \(error)"
        case .unknownRawColumn(let name):
            "mapping: the derivation has no raw column \"\(name.prefix(40))\""
        case .invalidBankName(let got):
            "bank: expected 1 to 63 letters, digits, _ and -, got \"\(got.prefix(40))\""
        case .sourceFailed(let name, let reason): "cannot read \(name): \(reason)"
        case .cannotWrite(let path, let reason): "cannot write \(path): \(reason)"
        }
    }
}
