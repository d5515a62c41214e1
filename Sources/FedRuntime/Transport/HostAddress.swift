/// A host and a port.
public struct HostAddress: Hashable, Sendable, CustomStringConvertible {
    /// A DNS name or an IP address, without brackets.
    public let host: String
    /// 0 to 65535; 0 lets the system choose when listening.
    public let port: Int

    /// Puts an address together.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port` or `[v6]:port`.
    ///
    /// - Throws: ``TransportError/malformedAddress(_:)``.
    public init(_ text: String) throws(TransportError) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (0...65_535).contains(port)
        else { throw .malformedAddress(text) }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw .malformedAddress(text)
        }
        guard !host.isEmpty else { throw .malformedAddress(text) }
        self.init(host: String(host), port: port)
    }

    /// The text form, for people.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
