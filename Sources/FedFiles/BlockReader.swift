package import FedCore

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// Reads a file from its start in blocks of one buffer.
package enum BlockReader {
    /// Bytes of a block: large for the disk, small for the cache.
    package static let blockBytes = 1 << 18

    /// Why a file could not be read to its end.
    package enum Failure: Error, Equatable {
        case missing
        case unreadable(reason: String)
    }

    /// The last part of a path, as violations show it.
    package static func fileName(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// Gives block after block to `body` until the file ends or `body` says `false`.
    ///
    /// - Parameter body: a block, and the size of the file in bytes (0 where it is not known).
    package static func read(
        _ path: String, _ body: (UnsafeRawBufferPointer, Int) -> Bool
    ) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOENT ? .missing : .unreadable(reason: reason(errno))
        }
        defer { close(descriptor) }
        var status = stat()
        let size = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
        let block = UnsafeMutableRawBufferPointer.allocate(
            byteCount: blockBytes, alignment: 64)
        defer { block.deallocate() }
        while true {
            #if canImport(Darwin)
                let count = Darwin.read(descriptor, block.baseAddress, block.count)
            #elseif canImport(Musl)
                let count = Musl.read(descriptor, block.baseAddress, block.count)
            #else
                let count = Glibc.read(descriptor, block.baseAddress, block.count)
            #endif
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(reason: reason(errno)) }
            guard count > 0 else { return }
            guard body(UnsafeRawBufferPointer(rebasing: block[..<count]), size) else { return }
        }
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}

extension BlockReader.Failure {
    /// The failure as a violation of a file.
    package func violation(file: String) -> DataViolation {
        switch self {
        case .missing:
            DataViolation(file: file, kind: .missingFile, expected: "a file", got: "none")
        case .unreadable(let reason):
            DataViolation(
                file: file, kind: .unreadableFile, expected: "a readable file", got: reason)
        }
    }
}
