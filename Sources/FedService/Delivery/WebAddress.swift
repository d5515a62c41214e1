/// Where a document is posted: an `http` or `https` URL without user and fragment.
package struct WebAddress: Equatable, Sendable, CustomStringConvertible {
    /// Whether connections are protected.
    package let isSecure: Bool
    /// The host, as a certificate names it.
    package let host: String
    /// The port.
    package let port: Int
    /// Path and query, from the slash on.
    package let path: String

    /// Reads a URL.
    ///
    /// - Returns: `nil` for anything else, and for names that cannot be a host's.
    package init?(_ text: String) {
        let rest: Substring
        if text.hasPrefix("https://") {
            (isSecure, rest) = (true, text.dropFirst(8))
        } else if text.hasPrefix("http://") {
            (isSecure, rest) = (false, text.dropFirst(7))
        } else {
            return nil
        }
        guard rest.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }),
            !rest.contains("#"), text.utf8.count <= 2048
        else { return nil }
        let slash = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<slash]
        guard !authority.contains("@") else { return nil }
        var host = authority
        var port = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0
            else { return nil }
            (host, port) = (authority[..<colon], Int(number))
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty,
            host.utf8.allSatisfy({ $0 != 0x5B && $0 != 0x5D && $0 != 0x25 }),
            !host.contains(":") || authority.hasPrefix("[")
        else { return nil }
        self.host = String(host)
        self.port = port
        path = rest[slash...].hasPrefix("/") ? String(rest[slash...]) : "/" + rest[slash...]
    }

    /// The host and port as a request names them.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The URL.
    package var description: String { "\(isSecure ? "https" : "http")://\(authority)\(path)" }

    /// Whether the host is an address and not a name.
    var isNumeric: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.contains(":") || (parts.count == 4 && parts.allSatisfy { UInt8($0) != nil })
    }
}
