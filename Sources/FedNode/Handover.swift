internal import Synchronization

/// A value on its way to the one task that will own it.
///
/// A closure keeps what it captures until it has run; a value captured plainly would have two owners
/// while the task works on it, and each array that the task changes would be copied first.
final class Handover<Value: Sendable>: Sendable {
    private let value: Mutex<Value?>

    init(_ value: Value?) { self.value = Mutex(value) }

    /// Whether there is nothing to take.
    var isEmpty: Bool { value.withLock { $0 == nil } }

    /// The value; nothing is left.
    func take() -> Value? { value.withLock { $0.take() } }
}
