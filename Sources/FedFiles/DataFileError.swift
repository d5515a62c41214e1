public import FedCore

/// Why a data file cannot be used.
public enum DataFileError: Error, Equatable, Sendable {
    /// Faults of the file: the first ones, and how many there are in the part that was read.
    case violations([DataViolation], total: Int)
    /// What was drafted is no feature standard, such as a column name with a blank.
    case notAStandard(FeatureStandardError)
}

extension DataFileError: CustomStringConvertible {
    /// One line a fault.
    public var description: String {
        switch self {
        case .violations(let first, let total):
            var lines = first.map(\.description)
            if total > first.count { lines.append("and \(total - first.count) more") }
            return lines.joined(separator: "\n")
        case .notAStandard(let error): return "not a standard: \(error)"
        }
    }
}
