public import FedCore

/// What a bank sends to enrol.
public struct EnrolmentRequest: Equatable, Sendable {
    /// Who it says it is.
    public var bank: NodeID
    /// The invitation's token.
    public var token: String
    /// PKCS #10, DER, by the bank's TLS key.
    public var certificateRequestDER: [UInt8]
    /// The bank's Ed25519 identity key.
    public var identityKey: [UInt8]
    /// The identity key's signature of ``statement``.
    public var identityProof: [UInt8]

    /// Puts a request together.
    public init(
        bank: NodeID, token: String, certificateRequestDER: [UInt8], identityKey: [UInt8],
        identityProof: [UInt8]
    ) {
        self.bank = bank
        self.token = token
        self.certificateRequestDER = certificateRequestDER
        self.identityKey = identityKey
        self.identityProof = identityProof
    }

    /// What the identity key signs: that it belongs to this bank, invitation and TLS key.
    public var statement: [UInt8] {
        Self.statement(
            bank: bank, token: token, certificateRequestDER: certificateRequestDER,
            identityKey: identityKey)
    }

    /// The bytes to sign; see ``statement``.
    public static func statement(
        bank: NodeID, token: String, certificateRequestDER: [UInt8], identityKey: [UInt8]
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.write("fed-enrolment/1")
        writer.write(bank.name)
        writer.write(Invitation.tokenDigest(token))
        writer.write(certificateRequestDER)
        writer.write(identityKey)
        return writer.bytes
    }
}

/// What a bank gets when it is enrolled.
public struct EnrolmentReply: Equatable, Sendable {
    /// The bank's certificate, PEM.
    public var certificatePEM: String
    /// The consortium's root, PEM.
    public var authorityPEM: String
    /// The coordinator's identity key.
    public var coordinatorIdentityKey: [UInt8]

    /// Puts a reply together.
    public init(certificatePEM: String, authorityPEM: String, coordinatorIdentityKey: [UInt8]) {
        self.certificatePEM = certificatePEM
        self.authorityPEM = authorityPEM
        self.coordinatorIdentityKey = coordinatorIdentityKey
    }
}

/// What the coordinator does with requests to enrol.
public protocol EnrolmentDelegate: Sendable {
    /// Decides a request.
    ///
    /// - Throws: the reason of a refusal, which the bank learns.
    func enrol(_ request: EnrolmentRequest) async throws(EnrolmentError) -> EnrolmentReply
}
