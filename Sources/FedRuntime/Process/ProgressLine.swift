internal import Glibc
internal import Synchronization

/// Progress on the standard error: one line that is redrawn on a terminal, and lines on their own
/// anywhere else.
public final class ProgressLine: Sendable {
    /// How long a line keeps news off, where it is not a terminal.
    public static let pauseDefault = Duration.seconds(2)

    private struct State {
        var text = ""
        var written: ContinuousClock.Instant?
        /// The newest news that came too early.
        var withheld: String?
        var isWaiting = false
    }

    private let isTerminal: Bool
    private let pause: Duration
    private let state = Mutex(State())

    /// Looks whether the standard error is a terminal.
    public init(pause: Duration = pauseDefault) {
        isTerminal = isatty(STDERR_FILENO) == 1
        self.pause = pause
    }

    /// Shows a new state of affairs.
    ///
    /// - Parameter isNews: whether it is one of many on the way of something; a log gets one of them
    ///   in each pause, the newest.
    public func update(_ text: String, isNews: Bool = false) {
        state.withLock { state in
            guard text != state.text else { return }
            let due = state.written.map { $0 + pause } ?? .now
            guard isNews, !isTerminal, due > .now else { return show(text, &state) }
            state.withheld = text
            guard !state.isWaiting else { return }
            state.isWaiting = true
            Task { [weak self] in
                try? await Task.sleep(until: due)
                self?.showWithheld()
            }
        }
    }

    /// Leaves the last state standing and goes to the next line.
    public func finish() {
        state.withLock { state in
            if isTerminal && !state.text.isEmpty { Self.write("\n") }
            state.text = ""
            state.withheld = nil
        }
    }

    private func showWithheld() {
        state.withLock { state in
            state.isWaiting = false
            if let text = state.withheld { show(text, &state) }
        }
    }

    private func show(_ text: String, _ state: inout State) {
        state.text = text
        state.written = .now
        state.withheld = nil
        Self.write(isTerminal ? "\r\u{1B}[2K" + text : text + "\n")
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        // Progress is a courtesy: a closed standard error is no reason to stop.
        try? AtomicFile.fill(STDERR_FILENO, with: bytes, path: "standard error")
    }
}
