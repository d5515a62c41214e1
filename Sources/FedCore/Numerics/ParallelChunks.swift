private import Dispatch

/// Shares numbered pieces of work out to threads.
///
/// What a piece computes must depend on its number only and go to its own place; then results do
/// not depend on the number of threads.
enum ParallelChunks {
    /// Runs `body` once for each of 0..<count, on at most `threads` threads, and waits for all.
    static func run(count: Int, threads: Int, _ body: (Int) -> Void) {
        let workers = min(count, threads)
        guard workers > 1 else {
            for index in 0..<count { body(index) }
            return
        }
        // The call returns when all workers have, so the closure does not outlive it.
        withoutActuallyEscaping(body) { body in
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                for index in stride(from: worker, to: count, by: workers) { body(index) }
            }
        }
    }
}
