internal import Synchronization

/// Counts work under way and refuses more than its bound.
final class LoadGate: Sendable {
    private let count = Atomic<Int>(0)
    private let bound: Int

    init(bound: Int) { self.bound = bound }

    /// Work under way.
    var inFlight: Int { count.load(ordering: .relaxed) }

    /// Takes a place; `false` where none is left.
    func enter() -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= bound { return true }
        count.subtract(1, ordering: .relaxed)
        return false
    }

    /// Gives a place back.
    func leave() { count.subtract(1, ordering: .relaxed) }
}
