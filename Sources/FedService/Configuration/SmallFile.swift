internal import Glibc

/// Reads files, and tells when one has changed.
enum SmallFile {
    /// What tells one content of a file from the next without reading it.
    struct Mark: Equatable, Sendable {
        let inode: UInt64
        let size: Int64
        let changedSeconds: Int
        let changedNanoseconds: Int
    }

    /// The mark of a file; `nil` where there is none.
    static func mark(_ path: String) -> Mark? {
        var found = stat()
        guard stat(path, &found) == 0 else { return nil }
        return Mark(
            inode: UInt64(found.st_ino), size: Int64(found.st_size),
            changedSeconds: found.st_mtim.tv_sec, changedNanoseconds: found.st_mtim.tv_nsec)
    }

    /// Reads a whole file.
    static func read(_ path: String, bytesMax: Int = 1 << 28) throws(ServiceError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .unreadable(path: path, reason: lastFailure()) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw .unreadable(path: path, reason: lastFailure())
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= bytesMax else {
                throw .unreadable(path: path, reason: "larger than \(bytesMax) bytes")
            }
        }
    }

    /// Writes a file whole or not at all: beside it first, on disk, then in its place.
    static func write(_ bytes: [UInt8], to path: String) throws(ServiceError) {
        let partial = path + ".partial"
        let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .unwritable(path: path, reason: lastFailure()) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                let reason = lastFailure()
                close(file)
                throw .unwritable(path: path, reason: reason)
            }
            rest = rest.dropFirst(count)
        }
        let isOnDisk = fsync(file) == 0
        close(file)
        guard isOnDisk, rename(partial, path) == 0 else {
            throw .unwritable(path: path, reason: lastFailure())
        }
    }

    private static func lastFailure() -> String { String(cString: strerror(errno)) }
}
