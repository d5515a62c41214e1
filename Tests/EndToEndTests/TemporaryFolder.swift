import Foundation
import Synchronization

/// A folder that is gone with the value.
final class TemporaryFolder: Sendable {
    let path: String
    private let count = Mutex(0)

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/fed-e2e-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    subscript(_ name: String) -> String { path + "/" + name }

    /// A path that nobody else got.
    func unique(_ stem: String) -> String {
        path + "/" + stem
            + String(
                count.withLock {
                    $0 += 1; return $0
                })
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: self[name], encoding: .utf8)
    }

    /// Writes a file and returns its path.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self[name]))
        return self[name]
    }
}

/// Ports of the loopback interface that nobody listens on.
enum FreePorts {
    private static let given = Mutex<Set<Int>>([])

    struct NoneLeft: Error {}

    /// A port that is free and was not given to another test of this process.
    static func next() throws -> Int {
        for _ in 0..<256 {
            // Below the range from which systems take the ports of outgoing connections.
            let port = Int.random(in: 20_000..<32_000)
            if isFree(port), given.withLock({ $0.insert(port).inserted }) { return port }
        }
        throw NoneLeft()
    }

    private static func isFree(_ port: Int) -> Bool {
        (try? Listener(port: port)) != nil
    }
}

/// A socket that takes a port.
final class Listener: Sendable {
    private let descriptor: CInt

    struct Taken: Error {}

    init(port: Int) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, listen(descriptor, 1) == 0 else { throw Taken() }
    }

    deinit { close(descriptor) }
}
