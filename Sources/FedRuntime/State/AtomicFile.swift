internal import Foundation
internal import Glibc

/// Files that are there whole or not at all, whatever happens while they are written.
public enum AtomicFile {
    /// Writes a temporary file, syncs it, renames it over `path` and syncs the folder.
    ///
    /// What is there and is no regular file, such as a device, is not replaced.
    ///
    /// - Parameter mode: permission bits of a new file.
    /// - Throws: ``StoreError``; the old content of `path` is then untouched. Where the folder is
    ///   not there, ``StoreError/missing(path:)`` names the folder.
    public static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32 = 0o600
    ) throws(StoreError) {
        let found = try? FileManager.default.attributesOfItem(atPath: path)
        guard found == nil || found?[.type] as? FileAttributeType == .typeRegular else {
            throw .inaccessible(path: path, reason: "is no regular file, and is not replaced")
        }
        let temporary = path + ".partial"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard file >= 0 else {
            let code = errno
            throw SystemFailure.storeError(code, path: code == ENOENT ? folder(of: path) : path)
        }
        do {
            try fill(file, with: bytes, path: path)
        } catch {
            close(file)
            unlink(temporary)
            throw error
        }
        guard close(file) == 0, rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw SystemFailure.storeError(code, path: path)
        }
        try syncFolder(of: path)
    }

    /// Writes all bytes into an open file and syncs it.
    package static func fill(
        _ file: CInt, with bytes: [UInt8], path: String
    ) throws(StoreError) {
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                Glibc.write(file, buffer.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw SystemFailure.storeError(errno, path: path)
            }
            offset += written
        }
        guard fsync(file) == 0 || errno == EINVAL else {
            throw SystemFailure.storeError(errno, path: path)
        }
    }

    /// Reads a whole file of at most `bytesMax` bytes.
    public static func read(
        _ path: String, bytesMax: Int = 1 << 30
    ) throws(StoreError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw SystemFailure.storeError(errno, path: path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemFailure.storeError(errno, path: path)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= bytesMax else {
                throw .inaccessible(path: path, reason: "larger than \(bytesMax) bytes")
            }
        }
    }

    private static func folder(of path: String) -> String {
        let cut = path.lastIndex(of: "/")
        return cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    private static func syncFolder(of path: String) throws(StoreError) {
        let folder = folder(of: path)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure.storeError(errno, path: folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemFailure.storeError(errno, path: folder) }
    }
}
