internal import Glibc

/// The folder where a service keeps what it must remember: mode 0700, one process at a time.
///
/// The lock is held as long as the value, or a copy of it, lives; the system drops it when the
/// process ends, however it ends.
public struct StateDirectory: Sendable {
    /// The folder.
    public let path: String
    private let lock: LockFile?

    /// Creates the folder if need be, sets its permissions and takes the lock.
    ///
    /// - Throws: ``StoreError/locked(path:holder:)`` when another process has it.
    public init(_ path: String) throws(StoreError) {
        self.path = path
        try Self.makeFolder(path)
        guard chmod(path, 0o700) == 0 else {
            throw SystemFailure.storeError(errno, path: path)
        }
        lock = try LockFile(folder: path)
    }

    /// Opens an existing folder to read files from, while another process may hold the lock.
    ///
    /// - Throws: ``StoreError/missing(path:)``.
    public init(reading path: String) throws(StoreError) {
        guard access(path, F_OK) == 0 else { throw .missing(path: path) }
        self.path = path
        lock = nil
    }

    /// The path of a file in the folder.
    public func path(of name: String) -> String { path + "/" + name }

    /// Whether a file of this name is there.
    public func contains(_ name: String) -> Bool { access(path(of: name), F_OK) == 0 }

    /// Writes a file atomically, mode 0600.
    public func write(_ bytes: [UInt8], to name: String) throws(StoreError) {
        try AtomicFile.write(bytes, to: path(of: name))
    }

    /// Reads a file.
    public func read(_ name: String) throws(StoreError) -> [UInt8] {
        try AtomicFile.read(path(of: name))
    }

    /// Reads a file as UTF-8.
    public func readText(_ name: String) throws(StoreError) -> String {
        guard let text = String(validating: try read(name), as: UTF8.self) else {
            throw .corrupt(path: path(of: name))
        }
        return text
    }

    private static func makeFolder(_ path: String) throws(StoreError) {
        var end = path.startIndex
        while end < path.endIndex {
            end = path[path.index(after: end)...].firstIndex(of: "/") ?? path.endIndex
            let part = String(path[..<end])
            guard mkdir(part, 0o700) == 0 || errno == EEXIST || errno == EISDIR else {
                throw SystemFailure.storeError(errno, path: part)
            }
        }
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemFailure.storeError(errno, path: path) }
        close(folder)
    }
}

/// An exclusive `flock` on the file `lock`, which holds the owner's process number.
private final class LockFile: Sendable {
    private let descriptor: CInt

    init(folder: String) throws(StoreError) {
        let path = folder + "/lock"
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemFailure.storeError(errno, path: path) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            var text = [UInt8](repeating: 0, count: 20)
            let count = max(0, Glibc.read(file, &text, text.count))
            close(file)
            guard code == EWOULDBLOCK else { throw SystemFailure.storeError(code, path: path) }
            let number = String(decoding: text[..<count], as: UTF8.self)
            throw .locked(path: folder, holder: number.isEmpty ? "" : " (\(number))")
        }
        // The number is a courtesy to the reader of the error; failing to write it is harmless.
        let number = Array("process \(getpid())".utf8)
        if ftruncate(file, 0) == 0 { _ = Glibc.write(file, number, number.count) }
        descriptor = file
    }

    deinit { close(descriptor) }
}
