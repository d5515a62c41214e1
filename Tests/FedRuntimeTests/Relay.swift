import FedRuntime
import Foundation
import Glibc
import Synchronization
import Testing

/// A TCP relay between a client and a server that can fall silent, or cut the line after a number
/// of bytes.
///
/// It takes one connection.
final class Relay: Sendable {
    let address: HostAddress
    private let listener: CInt
    private let target: HostAddress
    private let bytesMax: Int
    private let isStalled = Atomic(false)
    private let sockets = Mutex<[CInt]>([])

    init(to target: HostAddress, bytesMax: Int = .max) throws {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        try #require(listener >= 0)
        try Self.withLoopback(port: 0) { bind(listener, $0, $1) }
        try #require(listen(listener, 1) == 0)
        var bound = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(listener, $0, &size)
            }
        }
        try #require(status == 0)
        self.target = target
        self.bytesMax = bytesMax
        self.listener = listener
        address = HostAddress(host: "127.0.0.1", port: Int(UInt16(bigEndian: bound.sin_port)))
        Thread.detachNewThread { self.accept() }
    }

    /// Forwards nothing more, and says nothing.
    func stall() { isStalled.store(true, ordering: .sequentiallyConsistent) }

    /// Cuts the line.
    func close() {
        for descriptor in sockets.withLock({ $0 }) { shutdown(descriptor, CInt(SHUT_RDWR)) }
    }

    private func accept() {
        let client = Glibc.accept(listener, nil, nil)
        let server = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard client >= 0, server >= 0,
            (try? Self.withLoopback(port: target.port) { connect(server, $0, $1) }) != nil
        else { return }
        sockets.withLock { $0 = [client, server] }
        Thread.detachNewThread { self.forward(from: server, to: client, bytesMax: .max) }
        forward(from: client, to: server, bytesMax: bytesMax)
    }

    private func forward(from source: CInt, to sink: CInt, bytesMax: Int) {
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        var total = 0
        while true {
            let count = recv(source, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            if isStalled.load(ordering: .sequentiallyConsistent) { continue }
            total += count
            guard total <= bytesMax else { break }
            guard send(sink, chunk, count, CInt(MSG_NOSIGNAL)) == count else { break }
        }
        close()
    }

    private static func withLoopback(
        port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
    }
}
