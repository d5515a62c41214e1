internal import FedConsole
internal import Foundation

/// Finds ports of the loopback interface that nobody listens on.
enum FreePorts {
    /// Two neighbouring ports, the lower one returned.
    static func pair() throws -> Int {
        for _ in 0..<64 {
            let port = Int.random(in: 20_000..<60_000)
            if isFree(port), isFree(port + 1) { return port }
        }
        throw CommandFailure("no free pair of ports on 127.0.0.1", exitKind: .temporary)
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
