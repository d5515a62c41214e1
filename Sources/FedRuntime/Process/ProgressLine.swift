internal import Glibc
internal import Synchronization

/// Progress on the standard error: one line that is redrawn on a terminal, and lines on their own,
/// one for each change, anywhere else.
public final class ProgressLine: Sendable {
    private let isTerminal: Bool
    private let last = Mutex("")

    /// Looks whether the standard error is a terminal.
    public init() { isTerminal = isatty(STDERR_FILENO) == 1 }

    /// Shows a new state of affairs.
    public func update(_ text: String) {
        last.withLock { last in
            guard text != last else { return }
            last = text
            Self.write(isTerminal ? "\r\u{1B}[2K" + text : text + "\n")
        }
    }

    /// Leaves the last state standing and goes to the next line.
    public func finish() {
        last.withLock { last in
            if isTerminal && !last.isEmpty { Self.write("\n") }
            last = ""
        }
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        // Progress is a courtesy: a closed standard error is no reason to stop.
        try? AtomicFile.fill(STDERR_FILENO, with: bytes, path: "standard error")
    }
}
