internal import Synchronization

/// The engine that scores now: read once a request, replaced whole.
///
/// Requests under way keep the engine that they began with, so a swap fails none of them.
package final class EngineReference: Sendable {
    private let engine: Mutex<ScoringEngine>
    /// The one before, held until ``letGo()``.
    private let retired = Mutex<ScoringEngine?>(nil)
    private let swaps = Atomic<Int>(0)

    /// Begins with an engine.
    package init(_ engine: ScoringEngine) { self.engine = Mutex(engine) }

    /// The engine of now.
    package var current: ScoringEngine { engine.withLock { $0 } }

    /// How often it was replaced.
    package var swapCount: Int { swaps.load(ordering: .relaxed) }

    /// Replaces the engine.
    ///
    /// The one before stays for those requests that still use it: freeing megabytes takes longer
    /// than a score, and would fall to the last of them.
    package func swap(_ next: ScoringEngine) {
        let former = engine.withLock { engine in
            defer { engine = next }
            return engine
        }
        let older = retired.withLock { retired in
            defer { retired = former }
            return retired
        }
        swaps.add(1, ordering: .relaxed)
        // Not freed while a lock is held.
        _ = consume older
    }

    /// Frees the engine before this one; called some time after a swap, by a thread that may take
    /// its time.
    package func letGo() {
        let former = retired.withLock { $0.take() }
        _ = consume former
    }
}
