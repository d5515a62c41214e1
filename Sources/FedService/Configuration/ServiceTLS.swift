internal import NIOSSL

/// The service's certificate and, for mutual TLS, the authorities whose callers it serves.
package struct ServiceTLS: Sendable {
    /// What a connection is set up with.
    let configuration: TLSConfiguration
    /// The files, for transports that read them on their own.
    let pem: (chain: [UInt8], key: [UInt8], callers: [UInt8]?)
    /// Whether callers must show a certificate.
    package let isMutual: Bool

    /// Wraps certificates.
    ///
    /// TLS 1.2 at least; a caller's certificate is checked against `callers`, its names are not.
    ///
    /// - Parameters:
    ///   - chain: PEM of the service's certificate and those above it.
    ///   - key: PEM of its private key.
    ///   - callers: PEM of the authorities of callers; `nil` asks for no certificate.
    /// - Throws: ``ServiceError/tls(part:reason:)``.
    package init(chain: [UInt8], key: [UInt8], callers: [UInt8]?) throws(ServiceError) {
        let certificates = try Self.certificates(chain, part: "certificate")
        let secret: NIOSSLPrivateKey
        do {
            secret = try NIOSSLPrivateKey(bytes: key, format: .pem)
        } catch {
            throw .tls(part: "key", reason: "expected an unencrypted private key in PEM")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(secret)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        isMutual = callers != nil
        pem = (chain, key, callers)
        if let callers {
            configuration.trustRoots = .certificates(
                try Self.certificates(callers, part: "authority of callers"))
            configuration.certificateVerification = .noHostnameVerification
        }
        self.configuration = configuration
        _ = try context()
    }

    /// A context for connections; made once, since it reads the certificates.
    func context() throws(ServiceError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .tls(part: "certificate", reason: "it does not go with the key")
        }
    }

    private static func certificates(
        _ pem: [UInt8], part: String
    ) throws(ServiceError) -> [NIOSSLCertificate] {
        do {
            let found = try NIOSSLCertificate.fromPEMBytes(pem)
            guard !found.isEmpty else { throw ServiceError.tls(part: part, reason: "") }
            return found
        } catch {
            throw .tls(part: part, reason: "expected certificates in PEM")
        }
    }
}
