internal import CFedKernels
internal import Foundation

/// Threads that give way to those that answer.
enum QuietThread {
    /// What a thread gets while others are busy: one part in thirty of what they get.
    ///
    /// Far less would be worse: others would wait for it whenever it loses its processor inside of
    /// the system or of the allocator, where it holds what they need.
    private static let nice: Int32 = 15

    /// How long a thread may keep its processor when another wakes, in nanoseconds; the system's
    /// own measure of a millisecond and more would be seen in the slowest answers.
    private static let slice: UInt64 = 100_000

    /// Does work that takes long while others are waiting for answers, such as reading a model of
    /// megabytes: on a thread of its own, which gives way to those that answer.
    static func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                fed_thread_give_way(nice, slice)
                continuation.resume(returning: work())
            }
        }
    }
}
