internal import Synchronization

/// The engine that scores now: read once a request, replaced whole.
///
/// Requests under way keep the engine that they began with, so a swap fails none of them.
package final class EngineReference: Sendable {
    private let engine: Mutex<ScoringEngine>
    private let swaps = Atomic<Int>(0)

    /// Begins with an engine.
    package init(_ engine: ScoringEngine) { self.engine = Mutex(engine) }

    /// The engine of now.
    package var current: ScoringEngine { engine.withLock { $0 } }

    /// How often it was replaced.
    package var swapCount: Int { swaps.load(ordering: .relaxed) }

    /// Replaces the engine.
    package func swap(_ next: ScoringEngine) {
        engine.withLock { $0 = next }
        swaps.add(1, ordering: .relaxed)
    }
}
