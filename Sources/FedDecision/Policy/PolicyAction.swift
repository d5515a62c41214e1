/// What the bank does with a transaction, from the mildest to the strictest.
package enum PolicyAction: String, CaseIterable, Comparable, Sendable {
    /// It goes through.
    case pass
    /// The customer proves once more who they are.
    case stepUp = "step_up"
    /// It waits for a reviewer.
    case hold
    /// It is refused.
    case block

    private var severity: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Orders actions by strictness.
    package static func < (left: Self, right: Self) -> Bool { left.severity < right.severity }
}
