import FedCore
import FedRuntime
import FedService
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import Testing

/// A service on a port of its own, for tests of what happens on the wire.
enum LiveService {
    /// Runs a bench's service while `body` talks to its port, then stops it.
    static func run(
        _ bench: Bench, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let service = try ScoringService(
            bench.configuration, reference: bench.reference, store: bench.store,
            logger: bench.logger, onListening: { found.yield($0) })
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [service], logger: bench.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            do {
                try await body(port)
            } catch {
                Issue.record(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}

/// A plain connection: writes a text, reads until the other side closes.
enum PlainConnection {
    static func exchange(port: Int, _ text: String) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: talk(port, Array(text.utf8))) }
        }
    }

    private static func talk(_ port: Int, _ bytes: [UInt8]) -> String {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(file, $0, size) == 0 }
        }
        guard isConnected else { return "" }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(file, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return "" }
            rest = rest.dropFirst(count)
        }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = recv(file, &chunk, chunk.count, 0)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += chunk[..<count]
        }
    }
}

/// Certificates for tests: an authority, a server's and a caller's.
struct TestCertificates {
    let authority: [UInt8]
    let server: (chain: [UInt8], key: [UInt8])
    let caller: (chain: [UInt8], key: [UInt8])

    init(in folder: ScratchFolder, name: String) throws {
        let authority = try CertificateAuthority.create(
            in: try StateDirectory(folder.file(name)))
        let (serverKey, callerKey) = (TLSKey.generate(), TLSKey.generate())
        let server = try authority.issueServer(hosts: ["127.0.0.1", "localhost"], key: serverKey)
        let caller = try authority.issueOperator(key: callerKey)
        self.authority = Array(authority.certificatePEM.utf8)
        self.server = (Array(server.certificatePEM.utf8), Array(serverKey.secretPEM.utf8))
        self.caller = (Array(caller.certificatePEM.utf8), Array(callerKey.secretPEM.utf8))
    }
}
