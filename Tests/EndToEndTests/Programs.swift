import Foundation
import Synchronization
import Testing

/// Where the executables under test stand: beside the test bundle, else in the package's build
/// folder.
enum Programs {
    static let names = ["fed", "fed-node", "fed-coordinator"]

    /// The root of the package.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static let folder: URL? = {
        let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let candidates = [
            bundle.deletingLastPathComponent(),
            root.appendingPathComponent(".build/release"),
            root.appendingPathComponent(".build/debug"),
        ]
        return candidates.first { folder in
            names.allSatisfy {
                FileManager.default.isExecutableFile(
                    atPath: folder.appendingPathComponent($0).path)
            }
        }
    }()

    static func url(_ name: String) throws -> URL {
        guard let folder else {
            throw Missing(
                description: "\(names.joined(separator: ", ")) are not built; build the package "
                    + "before its end-to-end tests run")
        }
        return folder.appendingPathComponent(name)
    }

    struct Missing: Error, CustomStringConvertible { let description: String }
}

/// What a finished command said, and its exit code.
struct Outcome: CustomStringConvertible {
    let code: Int32
    let out: String
    let err: String

    var description: String { "exit code \(code)\nout: \(out)\nerr: \(err)" }

    /// The JSON object that it printed.
    func json() throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(out.utf8)) as? [String: Any],
            "no JSON object: \(self)")
    }
}

/// An executable that runs; both its outputs go to files.
final class Running: Sendable {
    let name: String
    private let process: Mutex<Process>
    private let outPath: String
    private let errPath: String

    /// Starts one of our executables; through bash where the environment must be changed first.
    ///
    /// - Parameter before: bash commands to run in the process before it becomes the executable.
    init(
        _ name: String, _ arguments: [String], in folder: TemporaryFolder, before: String? = nil
    ) throws {
        self.name = name
        let process = Process()
        let url = try Programs.url(name)
        if let before {
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = ["-c", before + "; exec \"$0\" \"$@\"", url.path] + arguments
        } else {
            process.executableURL = url
            process.arguments = arguments
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        let stem = folder.unique("output")
        outPath = stem + ".out"
        errPath = stem + ".err"
        let out = try Self.file(outPath)
        let err = try Self.file(errPath)
        // Foundation keeps what a process writes to open for good, and corrupts memory when the
        // sockets by which it watches processes come to lie beyond the 1,024 that select knows.
        defer {
            try? out.close()
            try? err.close()
        }
        process.standardOutput = out
        process.standardError = err
        process.standardInput = FileHandle.nullDevice
        try process.run()
        self.process = Mutex(process)
    }

    deinit { kill() }

    private static func file(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    var isRunning: Bool { process.withLock { $0.isRunning } }

    /// The standard output so far.
    var out: String { (try? String(contentsOfFile: outPath, encoding: .utf8)) ?? "" }

    /// The standard error so far: where services log.
    var log: String { (try? String(contentsOfFile: errPath, encoding: .utf8)) ?? "" }

    /// Asks it to end.
    func terminate() { process.withLock { if $0.isRunning { $0.terminate() } } }

    /// Ends it as a power cut would.
    func kill() { signal(SIGKILL) }

    /// Sends it a signal.
    func signal(_ number: Int32) {
        process.withLock {
            if $0.isRunning { _ = Foundation.kill($0.processIdentifier, number) }
        }
    }

    /// Waits for its end; what does not end in time is killed and recorded as an issue.
    func outcome(within limit: Duration = .seconds(60)) async throws -> Outcome {
        let deadline = ContinuousClock.now + limit
        while isRunning {
            guard ContinuousClock.now < deadline else {
                kill()
                throw Late(description: "\(name) did not end in \(limit); it said:\n\(log)")
            }
            try await Task.sleep(for: .milliseconds(4))
        }
        let code = process.withLock { $0.terminationStatus }
        return Outcome(code: code, out: out, err: log)
    }

    /// Waits until its log holds a text as often as asked.
    func logs(
        _ text: String, times: Int = 1, within limit: Duration = .seconds(40)
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while log.components(separatedBy: text).count <= times {
            guard isRunning, ContinuousClock.now < deadline else {
                throw Late(description: "\(name) did not log \"\(text)\"; it said:\n\(log)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    struct Late: Error, CustomStringConvertible { let description: String }
}

/// Runs a command to its end.
func run(
    _ name: String, _ arguments: [String], in folder: TemporaryFolder, before: String? = nil
) async throws -> Outcome {
    try await Running(name, arguments, in: folder, before: before).outcome()
}
