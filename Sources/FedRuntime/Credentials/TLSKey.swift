internal import Crypto
public import FedCore
internal import Foundation
internal import SwiftASN1
package import X509

/// A P-256 key for TLS.
///
/// It is made where it is used and never travels.
public struct TLSKey: Sendable {
    private let key: P256.Signing.PrivateKey

    /// Makes a new key.
    public static func generate() -> TLSKey { TLSKey(key: P256.Signing.PrivateKey()) }

    private init(key: P256.Signing.PrivateKey) { self.key = key }

    /// Reads the PEM form.
    ///
    /// - Throws: ``CredentialError/unreadable(path:expected:)`` naming `path`.
    public init(pem: String, path: String) throws(CredentialError) {
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) else {
            throw .unreadable(path: path, expected: "a P-256 private key (PEM)")
        }
        self.key = key
    }

    /// The secret, PKCS #8 PEM: for a file of mode 0600 and nowhere else.
    package var secretPEM: String { key.pemRepresentation }

    /// The key as the certificate library takes it.
    package var certificateKey: Certificate.PrivateKey { Certificate.PrivateKey(key) }

    /// A certificate request (PKCS #10, DER), signed by this key.
    ///
    /// The subject is for people; an authority here issues what it has approved, not what is asked.
    public func certificateRequest(for bank: NodeID) throws(CredentialError) -> [UInt8] {
        do {
            let request = try CertificateSigningRequest(
                version: .v1,
                subject: DistinguishedName { CommonName(bank.name) },
                privateKey: certificateKey,
                attributes: CertificateSigningRequest.Attributes(),
                signatureAlgorithm: .ecdsaWithSHA256)
            var serializer = DER.Serializer()
            try serializer.serialize(request)
            return serializer.serializedBytes
        } catch {
            throw .issuingFailed(reason: "\(error)")
        }
    }
}

extension TLSKey: CustomStringConvertible {
    /// The text form, for people.
    public var description: String { "TLSKey(…)" }
}
