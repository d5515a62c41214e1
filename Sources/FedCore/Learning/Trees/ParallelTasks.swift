internal import Dispatch
internal import Synchronization

/// Runs independent pieces of work on a fixed number of threads.
///
/// Pieces write to places of their own and all sums are integers, so results do not depend on the
/// number of threads.
struct ParallelTasks: Sendable {
    let threads: Int

    init(threads: Int) { self.threads = max(1, threads) }

    /// Calls `body` once for each index in `0..<count`, in any order.
    func run(_ count: Int, _ body: (Int) -> Void) {
        guard threads > 1, count > 1 else {
            for index in 0..<count { body(index) }
            return
        }
        let next = Atomic<Int>(0)
        withoutActuallyEscaping(body) { body in
            // Sound as long as pieces write to places of their own, which is this type's contract.
            nonisolated(unsafe) let work = body
            DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
                while true {
                    let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard index < count else { return }
                    work(index)
                }
            }
        }
    }

    /// Cuts `0..<count` into ranges of at most `size` and calls `body` for each.
    func runRanges(_ count: Int, size: Int, _ body: (Range<Int>) -> Void) {
        run((count + size - 1) / size) { index in
            body(index * size..<min(count, (index + 1) * size))
        }
    }
}
