internal import Foundation
internal import Glibc

/// Threads that yield to all others.
enum QuietThread {
    /// `SCHED_IDLE` of Linux's `sched.h`, which the C library's module does not show.
    private static let idlePolicy: Int32 = 5

    /// Does work that takes long while others are waiting for answers, such as reading a model of
    /// megabytes: on a thread of its own that the system runs only while a processor has nothing
    /// else to do, and takes off it at once when somebody else wakes.
    ///
    /// A thread of low priority does not suffice: it keeps its processor for the rest of its slice,
    /// a millisecond or more, while a thread that answers waits. On a machine without a free moment
    /// the work still gets about one part in three hundred.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                // Of Linux's threads each has its own policy; 0 is the one that calls. Where it
                // cannot be changed the work is done all the same.
                var parameters = sched_param()
                _ = sched_setscheduler(0, idlePolicy, &parameters)
                continuation.resume(returning: work())
            }
        }
    }
}
