internal import Glibc

/// A TCP socket that listens: bound before anything else starts, so that a taken port is the first
/// thing that an operator hears of.
struct ListeningSocket: Sendable {
    let descriptor: CInt
    /// With the port that the system chose, where 0 was asked for.
    let address: HostAddress

    init(_ address: HostAddress) throws(TransportError) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard status == 0, let found = list else {
            throw .cannotListen(address, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        let file = socket(found.pointee.ai_family, CInt(SOCK_STREAM.rawValue), 0)
        guard file >= 0 else { throw Self.failure(address) }
        var on: CInt = 1
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        guard bind(file, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0,
            listen(file, 256) == 0
        else {
            let error = Self.failure(address)
            close(file)
            throw error
        }
        descriptor = file
        self.address = HostAddress(host: address.host, port: Self.port(of: file) ?? address.port)
    }

    private static func failure(_ address: HostAddress) -> TransportError {
        let code = errno
        return code == EADDRINUSE
            ? .addressInUse(address)
            : .cannotListen(address, reason: SystemFailure.text(code))
    }

    private static func port(of file: CInt) -> Int? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes -> Int? in
            guard let base = bytes.baseAddress,
                getsockname(file, base.assumingMemoryBound(to: sockaddr.self), &size) == 0
            else { return nil }
            // The port stands at the same place in both address families, in network order.
            return Int(bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian)
        }
    }
}
