internal import Foundation
internal import SwiftASN1
internal import X509

/// A key with its certificate and the authority that both ends trust: what TLS needs.
public struct Credentials: Sendable {
    /// The key.
    public let key: TLSKey
    /// The certificate, PEM.
    public let certificatePEM: String
    /// The consortium's root, PEM.
    public let authorityPEM: String

    private let certificate: Certificate
    private let authority: Certificate

    /// File names in a state folder.
    private enum Name {
        static let key = "tls.key"
        static let certificate = "tls.pem"
        static let authority = "ca.pem"
    }

    /// Puts the three parts together.
    ///
    /// - Parameter place: where they come from, for the error text.
    public init(
        key: TLSKey, certificatePEM: String, authorityPEM: String, place: String = "the reply"
    ) throws(CredentialError) {
        guard let certificate = try? Certificate(pemEncoded: certificatePEM),
            let authority = try? Certificate(pemEncoded: authorityPEM)
        else { throw .unreadable(path: place, expected: "a certificate (PEM)") }
        self.key = key
        self.certificatePEM = certificatePEM
        self.authorityPEM = authorityPEM
        self.certificate = certificate
        self.authority = authority
    }

    /// Reads `PREFIXtls.key`, `PREFIXtls.pem` and `ca.pem` of a state folder.
    public init(in folder: StateDirectory, prefix: String = "") throws {
        let keyName = prefix + Name.key
        try self.init(
            key: try TLSKey(pem: try folder.readText(keyName), path: folder.path(of: keyName)),
            certificatePEM: try folder.readText(prefix + Name.certificate),
            authorityPEM: try folder.readText(Name.authority),
            place: folder.path(of: prefix + Name.certificate))
    }

    /// Whether a state folder holds a certificate under this prefix.
    public static func exist(in folder: StateDirectory, prefix: String = "") -> Bool {
        folder.contains(prefix + Name.certificate) && folder.contains(prefix + Name.key)
    }

    /// Writes the three files, the certificate last: its presence means that all are there.
    public func write(to folder: StateDirectory, prefix: String = "") throws {
        try folder.write(Array(key.secretPEM.utf8), to: prefix + Name.key)
        try folder.write(Array(authorityPEM.utf8), to: Name.authority)
        try folder.write(Array(certificatePEM.utf8), to: prefix + Name.certificate)
    }

    /// Who the certificate names; `nil` for a server certificate.
    public var identity: PeerIdentity? { PeerIdentity(certificate: certificate) }

    /// The serial number, hexadecimal.
    public var serial: String { certificate.serialHexadecimal }

    /// When the certificate expires, seconds since 1970.
    public var expiresUnixSeconds: Int64 {
        Int64(certificate.notValidAfter.timeIntervalSince1970)
    }

    /// Checks the files before they are used, because TLS hides its reasons.
    ///
    /// - Parameter expected: who the certificate must name; `nil` does not check.
    /// - Throws: ``CredentialError``: expired, foreign authority, key mismatch, wrong identity.
    public func check(expected: PeerIdentity? = nil) async throws(CredentialError) {
        let subject = identity?.description ?? "the coordinator"
        guard key.certificateKey.publicKey == certificate.publicKey else {
            throw .keyMismatch(subject: subject)
        }
        let now = Date()
        guard now <= certificate.notValidAfter else {
            throw .expired(subject: subject, notAfter: expiresUnixSeconds)
        }
        guard now >= certificate.notValidBefore else {
            throw .notYetValid(
                subject: subject,
                notBefore: Int64(certificate.notValidBefore.timeIntervalSince1970))
        }
        var verifier = Verifier(rootCertificates: CertificateStore([authority])) {
            RFC5280Policy()
        }
        switch await verifier.validate(leaf: certificate, intermediates: CertificateStore()) {
        case .validCertificate: break
        case .couldNotValidate: throw .foreignAuthority(subject: subject)
        }
        if let expected, identity != expected {
            throw .wrongIdentity(
                got: identity?.description ?? "nobody", expected: expected.description)
        }
    }
}
