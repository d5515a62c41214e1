internal import FedCore
internal import Glibc
internal import Synchronization

/// Files beside the database, one a run, that hold the large entries of journals.
///
/// Masked vectors are most of what a coordinator writes, and are never searched. In the database
/// each of their bytes would be written twice, page by page, first to its log. Here it is written
/// once, and its database row says where it is and what its checksum is. An entry is in the file
/// before its row is committed; what was appended without a row is written over later.
final class JournalSpool: Sendable {
    /// Where an entry lies in its run's file.
    struct Place: Equatable, Sendable {
        let offset: Int
        let count: Int
        /// Shows an entry that a power cut has damaged: statements are bound by hashes of their own.
        let checksum: [UInt8]
    }

    /// Entries of at least this many bytes go to the file.
    static let entryBytesMin = 1 << 12

    private let folder: String
    private let file: Mutex<OpenFile?> = Mutex(nil)

    private struct OpenFile {
        let run: RunID
        let descriptor: CInt
        /// Where the next entry goes.
        var end: Int
    }

    /// Files go into a folder named after the database.
    init(besides databasePath: String) { folder = databasePath + "-journals" }

    deinit { file.withLock { if let file = $0 { _ = close(file.descriptor) } } }

    /// Where the entries of a run lie.
    func path(of run: RunID) -> String { "\(folder)/\(run)" }

    /// Writes an entry behind those of its run.
    ///
    /// - Parameter end: says where the last entry with a row ends; asked when the file is opened.
    func write(
        _ entry: [UInt8], run: RunID, end: () throws(StoreError) -> Int
    ) throws(StoreError) -> Place {
        let path = path(of: run)
        return try file.withLock { file throws(StoreError) in
            let current: OpenFile
            if let open = file, open.run == run {
                current = open
            } else {
                if let other = file { _ = close(other.descriptor) }
                file = nil
                current = OpenFile(run: run, descriptor: try create(path), end: try end())
                file = current
            }
            try Self.write(entry, to: current.descriptor, at: current.end, path: path)
            file?.end += entry.count
            return Place(offset: current.end, count: entry.count, checksum: CRC32C.of(entry))
        }
    }

    private func create(_ path: String) throws(StoreError) -> CInt {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw SystemFailure.storeError(errno, path: folder)
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure.storeError(errno, path: path) }
        return descriptor
    }

    private static func write(
        _ bytes: [UInt8], to descriptor: CInt, at offset: Int, path: String
    ) throws(StoreError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                    off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemFailure.storeError(errno, path: path) }
            done += count
        }
    }

    /// Has the disk confirm what was written of a run.
    func confirm(_ run: RunID) throws(StoreError) {
        let code = file.withLock { file -> CInt in
            guard let file, file.run == run, fdatasync(file.descriptor) != 0 else { return 0 }
            return errno
        }
        guard code == 0 || code == EINVAL else {
            throw SystemFailure.storeError(code, path: path(of: run))
        }
    }

    /// Reads entries of a run; `nil` for one that is not there as it was written.
    func read(_ places: [Place], run: RunID) -> [[UInt8]?] {
        let descriptor = open(path(of: run), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return places.map { _ in nil } }
        defer { _ = close(descriptor) }
        return places.map { place in
            let bytes = [UInt8](unsafeUninitializedCapacity: place.count) { buffer, count in
                while count < place.count {
                    let got = pread(
                        descriptor, buffer.baseAddress.map { $0 + count }, place.count - count,
                        off_t(place.offset + count))
                    if got < 0, errno == EINTR { continue }
                    guard got > 0 else { return }
                    count += got
                }
            }
            return bytes.count == place.count && CRC32C.of(bytes) == place.checksum ? bytes : nil
        }
    }

    /// Removes the entries of a run.
    func remove(_ run: RunID) {
        file.withLock { file in
            guard let current = file, current.run == run else { return }
            _ = close(current.descriptor)
            file = nil
        }
        _ = unlink(path(of: run))
    }
}
