internal import Glibc

/// The clocks that the service reads.
package enum WallClock {
    /// Seconds since 1970.
    package static let seconds: @Sendable () -> Int64 = { Int64(time(nil)) }

    /// A time that never goes back.
    static var steady: ContinuousClock.Instant { ContinuousClock.now }
}

extension Duration {
    /// Seconds.
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
