internal import FedConsole
internal import Foundation
internal import Synchronization

/// One of the demonstration's processes; its output goes to a log file.
final class ChildProcess: Sendable {
    let name: String
    let logPath: String
    private let executable: String
    private let arguments: [String]
    private let process: Mutex<Process>

    /// Starts an executable that stands beside this one.
    init(_ executable: String, _ arguments: [String], name: String, logPath: String) throws {
        self.name = name
        self.logPath = logPath
        self.executable = executable
        self.arguments = arguments
        let process = Process()
        process.executableURL = try Self.sibling(executable)
        process.arguments = arguments
        guard FileManager.default.createFile(atPath: logPath, contents: nil),
            let log = FileHandle(forWritingAtPath: logPath)
        else { throw CommandFailure("\(logPath) cannot be written", exitKind: .cannotCreate) }
        // The process has its own; Foundation would keep ours open for good.
        defer { try? log.close() }
        process.standardOutput = log
        process.standardError = log
        process.standardInput = FileHandle.nullDevice
        try process.run()
        self.process = Mutex(process)
    }

    var isRunning: Bool { process.withLock { $0.isRunning } }

    var exitCode: Int32? {
        process.withLock { $0.isRunning ? nil : $0.terminationStatus }
    }

    /// Asks it to end, waits, and insists after five seconds.
    func end() async {
        process.withLock { if $0.isRunning { $0.terminate() } }
        for _ in 0..<250 where isRunning { try? await Task.sleep(for: .milliseconds(20)) }
        process.withLock { if $0.isRunning { kill($0.processIdentifier, SIGKILL) } }
    }

    /// Kills it without warning.
    func killed() async throws {
        process.withLock { if $0.isRunning { kill($0.processIdentifier, SIGKILL) } }
        while isRunning { try await Task.sleep(for: .milliseconds(1)) }
    }

    /// Starts it again, with a log of its own.
    func startedAgain() throws -> ChildProcess {
        try ChildProcess(
            executable, arguments, name: name, logPath: logPath + "+")
    }

    /// Waits for its end.
    ///
    /// - Throws: ``CommandFailure`` with the last words of its log when it fails.
    func succeed() async throws {
        while isRunning { try await Task.sleep(for: .milliseconds(5)) }
        guard let code = exitCode, code != 0 else { return }
        throw failure("ended with exit code \(code)")
    }

    /// What went wrong with it, with the last words of its log.
    func failure(_ what: String) -> CommandFailure {
        CommandFailure("\(name) \(what): \(lastWords)", hint: "its log: \(logPath)")
    }

    /// Waits until its log holds a text.
    func logs(_ text: String, within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while !log.contains(text) {
            guard isRunning else { throw failure("ended") }
            guard ContinuousClock.now < deadline else {
                throw failure("did not say \"\(text)\" in \(limit.text)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// The last line of its log, read from the end of the file.
    var lastLine: String? {
        guard let file = FileHandle(forReadingAtPath: logPath),
            let end = try? file.seekToEnd(),
            (try? file.seek(toOffset: end > 4096 ? end - 4096 : 0)) != nil,
            let tail = try? file.readToEnd()
        else { return nil }
        return String(decoding: tail, as: UTF8.self).split(separator: "\n").last.map(String.init)
    }

    var log: String {
        (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? ""
    }

    private var lastWords: String {
        let lines = log.split(separator: "\n")
        return lines.last { $0.contains("error") }.map(String.init)
            ?? lines.last.map(String.init) ?? "it said nothing"
    }

    private static func sibling(_ name: String) throws -> URL {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let url = own.deletingLastPathComponent().appendingPathComponent(name)
        guard FileManager.default.isExecutableFile(atPath: url.path) else {
            throw CommandFailure(
                "\(name) does not stand beside \(own.path)", hint: "./dev build makes all three")
        }
        return url
    }
}
