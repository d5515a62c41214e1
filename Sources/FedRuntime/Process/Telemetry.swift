internal import Foundation
internal import Glibc
public import Logging

/// Where log lines go, and how they look.
public enum Telemetry {
    /// Sends the logs of this process to the standard error.
    ///
    /// Call it once, first thing.
    ///
    /// A line is `time level label: message key=value …`, with the keys in order.
    public static func start(level: Logger.Level = .info) {
        LoggingSystem.bootstrap { label in LineLogHandler(label: label, level: level) }
    }
}

/// Writes log lines to the standard error.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String

    package init(label: String, level: Logger.Level) {
        self.label = label
        self.logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let line = format(event, at: Timestamp.nowUnixMilliseconds())
        try? AtomicFile.fill(STDERR_FILENO, with: Array(line.utf8), path: "standard error")
    }

    package func format(_ event: LogEvent, at unixMilliseconds: Int64) -> String {
        var line = Timestamp.text(unixSeconds: unixMilliseconds / 1000)
        line += " \(event.level) \(label): \(event.message)"
        let facts = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.quoted("\(value)"))"
        }
        return line + "\n"
    }

    /// A value with blanks, quotes or control characters is quoted, so that a line stays a line.
    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0.value != 0x22 && $0.value != 0x7F && $0 != "="
            }
        return isPlain ? text : text.debugDescription
    }
}
