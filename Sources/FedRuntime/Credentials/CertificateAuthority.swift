internal import Crypto
public import FedCore
internal import Foundation
internal import SwiftASN1
internal import X509

/// The consortium's own certificate authority: one P-256 root in the coordinator's state folder.
public struct CertificateAuthority: Sendable {
    /// How long the certificates that are issued by default are valid.
    public enum Validity {
        /// The root: ten years.
        public static let root: Duration = .seconds(10 * 365 * 86_400)
        /// Everything below it: one year.
        public static let leaf: Duration = .seconds(365 * 86_400)
    }

    private let certificate: Certificate
    private let key: TLSKey

    /// The root certificate, PEM.
    public let certificatePEM: String

    /// Makes a root and writes it to `ca.pem` and `ca.key` of the state folder.
    public static func create(
        in folder: StateDirectory
    ) throws -> CertificateAuthority {
        let key = TLSKey.generate()
        let name = try DistinguishedName { CommonName("fed authority") }
        let certificate = try issue(
            Template(
                subject: name, publicKey: key.certificateKey.publicKey, validity: Validity.root,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                    SubjectKeyIdentifier(hash: key.certificateKey.publicKey)
                }),
            issuer: name, issuerKey: key)
        try folder.write(Array(key.secretPEM.utf8), to: "ca.key")
        try folder.write(Array(certificate.serializeAsPEM().pemString.utf8), to: "ca.pem")
        return try CertificateAuthority(certificate: certificate, key: key)
    }

    /// Opens the root of a state folder.
    public init(in folder: StateDirectory) throws {
        let pem = try folder.readText("ca.pem")
        guard let certificate = try? Certificate(pemEncoded: pem) else {
            throw CredentialError.unreadable(
                path: folder.path(of: "ca.pem"), expected: "a certificate (PEM)")
        }
        let key = try TLSKey(
            pem: try folder.readText("ca.key"), path: folder.path(of: "ca.key"))
        guard key.certificateKey.publicKey == certificate.publicKey else {
            throw CredentialError.keyMismatch(subject: "the authority")
        }
        try self.init(certificate: certificate, key: key)
    }

    private init(certificate: Certificate, key: TLSKey) throws {
        self.certificate = certificate
        self.key = key
        self.certificatePEM = try certificate.serializeAsPEM().pemString
    }

    /// Issues the coordinator's server certificate.
    ///
    /// - Parameter hosts: the DNS names and IP addresses under which banks reach it.
    public func issueServer(
        hosts: [String], key: TLSKey, validity: Duration = Validity.leaf
    ) throws -> CertificateBundle {
        let names = hosts.map { host in
            IPAddressBytes.parse(host).map {
                GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...]))
            } ?? GeneralName.dnsName(host)
        }
        return try issueLeaf(
            commonName: "fed-coordinator", names: names, usage: .serverAuth,
            publicKey: key.certificateKey.publicKey, validity: validity)
    }

    /// Issues the operator's client certificate.
    public func issueOperator(
        key: TLSKey, validity: Duration = Validity.leaf
    ) throws -> CertificateBundle {
        try issueClient(
            .operatorConsole, commonName: "operator", publicKey: key.certificateKey.publicKey,
            validity: validity)
    }

    /// Certifies the key of a request for a bank.
    ///
    /// The request proves that its sender holds the key; everything else in it is ignored.
    ///
    /// - Throws: ``CredentialError`` for a malformed or wrongly signed request.
    public func sign(
        requestDER: [UInt8], bank: NodeID, validity: Duration = Validity.leaf
    ) throws -> CertificateBundle {
        let request = try Self.verify(requestDER: requestDER)
        return try issueClient(
            .bank(bank), commonName: bank.name, publicKey: request.publicKey, validity: validity)
    }

    /// The public key of a valid request, as DER bytes: what two requests have in common.
    public static func publicKey(ofRequestDER der: [UInt8]) throws(CredentialError) -> [UInt8] {
        Array(try verify(requestDER: der).publicKey.subjectPublicKeyInfoBytes)
    }

    private static func verify(
        requestDER: [UInt8]
    ) throws(CredentialError) -> CertificateSigningRequest {
        guard let request = try? CertificateSigningRequest(derEncoded: requestDER) else {
            throw .malformedRequest
        }
        guard P256.Signing.PublicKey(request.publicKey) != nil else {
            throw .unsupportedKey(expected: "P-256")
        }
        guard request.publicKey.isValidSignature(request.signature, for: request) else {
            throw .requestSignatureInvalid
        }
        return request
    }

    private func issueClient(
        _ identity: PeerIdentity, commonName: String, publicKey: Certificate.PublicKey,
        validity: Duration
    ) throws -> CertificateBundle {
        try issueLeaf(
            commonName: commonName,
            names: identity.uri.map { [.uniformResourceIdentifier($0)] } ?? [],
            usage: .clientAuth, publicKey: publicKey, validity: validity)
    }

    private func issueLeaf(
        commonName: String, names: [GeneralName], usage: ExtendedKeyUsage.Usage,
        publicKey: Certificate.PublicKey, validity: Duration
    ) throws -> CertificateBundle {
        let authorityKeyIdentifier = try certificate.extensions.subjectKeyIdentifier
        let leaf = try Self.issue(
            Template(
                subject: DistinguishedName { CommonName(commonName) }, publicKey: publicKey,
                validity: validity,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([usage])
                    SubjectAlternativeNames(names)
                    AuthorityKeyIdentifier(
                        keyIdentifier: authorityKeyIdentifier?.keyIdentifier)
                }),
            issuer: certificate.subject, issuerKey: key)
        return CertificateBundle(
            certificatePEM: try leaf.serializeAsPEM().pemString, authorityPEM: certificatePEM,
            serial: leaf.serialHexadecimal,
            expiresUnixSeconds: Int64(leaf.notValidAfter.timeIntervalSince1970))
    }

    private struct Template {
        var subject: DistinguishedName
        var publicKey: Certificate.PublicKey
        var validity: Duration
        var extensions: Certificate.Extensions
    }

    /// Valid from an hour ago, so that a bank's clock may be a little behind.
    private static func issue(
        _ template: Template, issuer: DistinguishedName, issuerKey: TLSKey
    ) throws -> Certificate {
        let now = Date()
        let end = now.addingTimeInterval(Double(template.validity.components.seconds))
        return try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: template.publicKey,
            notValidBefore: min(now, end).addingTimeInterval(-3600),
            notValidAfter: end,
            issuer: issuer,
            subject: template.subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: template.extensions,
            issuerPrivateKey: issuerKey.certificateKey)
    }
}

/// A certificate that has been issued.
public struct CertificateBundle: Equatable, Sendable {
    /// The certificate, PEM.
    public let certificatePEM: String
    /// The root that issued it, PEM.
    public let authorityPEM: String
    /// The serial number, hexadecimal.
    public let serial: String
    /// When it expires, seconds since 1970.
    public let expiresUnixSeconds: Int64

    /// Puts the parts of an issued certificate together.
    public init(
        certificatePEM: String, authorityPEM: String, serial: String, expiresUnixSeconds: Int64
    ) {
        self.certificatePEM = certificatePEM
        self.authorityPEM = authorityPEM
        self.serial = serial
        self.expiresUnixSeconds = expiresUnixSeconds
    }
}
