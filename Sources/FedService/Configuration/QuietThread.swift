internal import Foundation
internal import Glibc

/// Threads that yield to all others of the process.
enum QuietThread {
    /// Does work that takes long while others are waiting for answers, such as reading a model of
    /// megabytes: on a thread of its own, at a lower priority than those that answer.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                // Of Linux's threads each has its own priority; 0 is the one that calls. Where it
                // cannot be lowered the work is done all the same.
                _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10)
                continuation.resume(returning: work())
            }
        }
    }
}
