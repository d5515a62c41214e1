package import NIOCore

/// Runs tasks on one event loop: what is read there is worked on without a change of threads.
///
/// A message that is handed to another thread waits for that thread to wake; where messages are
/// small and many, that is most of what they cost.
package final class EventLoopExecutor: TaskExecutor {
    /// Where the tasks run.
    package let loop: any EventLoop

    /// Runs tasks on this loop.
    package init(_ loop: any EventLoop) { self.loop = loop }

    /// Runs a piece of a task as soon as the loop is free.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
