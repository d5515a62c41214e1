internal import NIOCore
internal import Synchronization

/// Counts the requests that an event loop found at once and refuses those beyond a bound: they
/// would wait longest.
///
/// Whatever a loop finds readable it works off before its tasks; so a task that it is given at the
/// first request ends the round. Touched on its loop only, which is what makes it sendable.
final class LoopLoad: @unchecked Sendable {
    private let bound: Int
    private var count = 0

    init(bound: Int) { self.bound = bound }

    /// Counts a request; `false` where it is one too many.
    func enter(_ loop: any EventLoop) -> Bool {
        loop.assertInEventLoop()
        if count == 0 { loop.execute { self.count = 0 } }
        count += 1
        return count <= bound
    }
}

/// One count for each event loop.
final class LoopLoads: Sendable {
    private let bound: Int
    private let loads = Mutex<[ObjectIdentifier: LoopLoad]>([:])

    init(bound: Int) { self.bound = bound }

    /// The count of a loop.
    func load(of loop: any EventLoop) -> LoopLoad {
        loads.withLock { loads in
            if let known = loads[ObjectIdentifier(loop)] { return known }
            let load = LoopLoad(bound: bound)
            loads[ObjectIdentifier(loop)] = load
            return load
        }
    }
}
