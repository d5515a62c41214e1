internal import Glibc

/// The clocks that the service reads.
package enum WallClock {
    /// Seconds since 1970.
    package static let seconds: @Sendable () -> Int64 = { Int64(time(nil)) }

    /// Nanoseconds of a clock that never goes back.
    static func monotonicNanoseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
