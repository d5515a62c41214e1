public import FedCore
package import X509

/// Who holds a certificate: the one place where certificates become names.
public enum PeerIdentity: Hashable, Sendable, CustomStringConvertible {
    /// A member bank, `fed:bank:NAME`.
    case bank(NodeID)
    /// The coordinator's operator, `fed:operator`.
    case operatorConsole
    /// The coordinator, known by its host name rather than by a URI.
    case coordinator

    /// The URI in the certificate's subject alternative name; `nil` for the coordinator.
    public var uri: String? {
        switch self {
        case .bank(let bank): "fed:bank:\(bank.name)"
        case .operatorConsole: "fed:operator"
        case .coordinator: nil
        }
    }

    /// Reads a URI of the forms above.
    public init?(uri: String) {
        if uri == "fed:operator" {
            self = .operatorConsole
            return
        }
        let prefix = "fed:bank:"
        guard uri.hasPrefix(prefix), let bank = NodeID(String(uri.dropFirst(prefix.count))) else {
            return nil
        }
        self = .bank(bank)
    }

    /// Reads the identity from a certificate that TLS has verified.
    ///
    /// - Returns: `nil` unless the certificate carries exactly one URI, and that of a known form.
    package init?(certificate: Certificate) {
        guard let names = try? certificate.extensions.subjectAlternativeNames else { return nil }
        var uris: [String] = []
        for case .uniformResourceIdentifier(let uri) in names { uris.append(uri) }
        guard uris.count == 1 else { return nil }
        self.init(uri: uris[0])
    }

    /// The text form, for people.
    public var description: String {
        switch self {
        case .bank(let bank): "bank \(bank.name)"
        case .operatorConsole: "the operator"
        case .coordinator: "the coordinator"
        }
    }
}

extension Certificate {
    /// The serial number, lower-case hexadecimal.
    package var serialHexadecimal: String { Array(serialNumber.bytes).hexadecimal }
}
