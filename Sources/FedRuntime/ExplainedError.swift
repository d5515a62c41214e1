/// An error that an operator can act upon: what is wrong, and what to do about it.
///
/// `description` is one sentence without a final stop; `hint` says what to try, or is empty.
public protocol ExplainedError: Error, CustomStringConvertible {
    /// What to do about it; may be empty.
    var hint: String { get }
}
