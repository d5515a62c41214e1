internal import Foundation

/// The wall clock and its text form; nothing else in the runtime reads it.
public enum Timestamp {
    /// Now, in milliseconds since 1970.
    public static func nowUnixMilliseconds() -> Int64 {
        Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))
    }

    /// Writes a time as `2026-05-01T12:00:00Z`.
    public static func text(unixSeconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(unixSeconds)).formatted(.iso8601)
    }
}
