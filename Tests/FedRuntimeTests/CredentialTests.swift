import FedCore
import FedRuntime
import Foundation
import Testing

@Suite struct CredentialTests {
    @Test("A bank's certificate names the bank and passes its check")
    func bankCertificate() async throws {
        let authority = try TestAuthority()
        let credentials = try authority.bank(bankA)
        #expect(credentials.identity == .bank(bankA))
        try await credentials.check(expected: .bank(bankA))
    }

    @Test("The operator's certificate names the operator, the server's names nobody")
    func otherCertificates() async throws {
        let authority = try TestAuthority()
        let credentials = try authority.operatorCredentials()
        try await credentials.check(expected: .operatorConsole)
        #expect(authority.serverCredentials.identity == nil)
        try await authority.serverCredentials.check()
    }

    @Test("A certificate of another bank is refused before it is used")
    func wrongBank() async throws {
        let credentials = try TestAuthority().bank(bankB)
        await #expect(
            throws: CredentialError.wrongIdentity(got: "bank bank_b", expected: "bank bank_a")
        ) {
            try await credentials.check(expected: .bank(bankA))
        }
    }

    @Test("An expired certificate is refused before it is used")
    func expired() async throws {
        let credentials = try TestAuthority().bank(bankA, validity: .seconds(-60))
        await #expect(
            throws: CredentialError.expired(
                subject: "bank bank_a", notAfter: credentials.expiresUnixSeconds)
        ) { try await credentials.check() }
    }

    @Test("A certificate of another authority is refused before it is used")
    func foreignAuthority() async throws {
        let ours = try TestAuthority()
        let key = TLSKey.generate()
        let foreign = try TestAuthority().authority.sign(
            requestDER: key.certificateRequest(for: bankA), bank: bankA)
        let credentials = try Credentials(
            key: key, certificatePEM: foreign.certificatePEM,
            authorityPEM: ours.authority.certificatePEM)
        await #expect(throws: CredentialError.foreignAuthority(subject: "bank bank_a")) {
            try await credentials.check()
        }
    }

    @Test("A key that is not the certificate's is refused before it is used")
    func keyMismatch() async throws {
        let authority = try TestAuthority()
        let bundle = try authority.authority.sign(
            requestDER: TLSKey.generate().certificateRequest(for: bankA), bank: bankA)
        let credentials = try Credentials(
            key: TLSKey.generate(), certificatePEM: bundle.certificatePEM,
            authorityPEM: bundle.authorityPEM)
        await #expect(throws: CredentialError.keyMismatch(subject: "bank bank_a")) {
            try await credentials.check()
        }
    }

    @Test("The authority decides the name: what a request asks for is ignored")
    func requestIsIgnored() async throws {
        let authority = try TestAuthority()
        let key = TLSKey.generate()
        let bundle = try authority.authority.sign(
            requestDER: key.certificateRequest(for: bankB), bank: bankA)
        let credentials = try Credentials(
            key: key, certificatePEM: bundle.certificatePEM, authorityPEM: bundle.authorityPEM)
        #expect(credentials.identity == .bank(bankA))
    }

    @Test("A request with any damaged byte is refused")
    func damagedRequest() throws {
        let authority = try TestAuthority()
        let request = try TLSKey.generate().certificateRequest(for: bankA)
        var refusals = 0
        for index in request.indices {
            var damaged = request
            damaged[index] ^= 0x80
            do {
                let bundle = try authority.authority.sign(requestDER: damaged, bank: bankA)
                Issue.record("byte \(index) was changed and \(bundle.serial) issued")
            } catch is CredentialError {
                refusals += 1
            }
        }
        #expect(refusals == request.count)
    }

    @Test("A request whose signature is another's is refused")
    func foreignSignature() throws {
        let authority = try TestAuthority()
        var request = try TLSKey.generate().certificateRequest(for: bankA)
        request[request.count - 1] ^= 0x55
        #expect(throws: CredentialError.requestSignatureInvalid) {
            try authority.authority.sign(requestDER: request, bank: bankA)
        }
    }

    @Test("Serial numbers are random and do not repeat")
    func serials() throws {
        let authority = try TestAuthority()
        let serials = try (0..<20).map { _ in try authority.bank(bankA).serial }
        #expect(Set(serials).count == 20)
        #expect(serials.allSatisfy { $0.count >= 30 })
    }

    @Test("An authority that is opened again issues what the first one's clients trust")
    func reopened() async throws {
        let folder = try TemporaryFolder()
        let state = try folder.state()
        let first = try CertificateAuthority.create(in: state)
        let second = try CertificateAuthority(in: state)
        let key = TLSKey.generate()
        let bundle = try second.issueOperator(key: key)
        let credentials = try Credentials(
            key: key, certificatePEM: bundle.certificatePEM, authorityPEM: first.certificatePEM)
        try await credentials.check(expected: .operatorConsole)
    }

    @Test("Key files are for their owner alone, and no description shows a key")
    func secrecy() throws {
        let folder = try TemporaryFolder()
        let state = try folder.state()
        _ = try CertificateAuthority.create(in: state)
        let attributes = try FileManager.default.attributesOfItem(atPath: state.path(of: "ca.key"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let folderAttributes = try FileManager.default.attributesOfItem(atPath: state.path)
        #expect(folderAttributes[.posixPermissions] as? Int == 0o700)
        #expect("\(TLSKey.generate())" == "TLSKey(…)")
    }

    @Test("Credentials that are written can be read again")
    func roundTrip() async throws {
        let folder = try TemporaryFolder()
        let state = try folder.state()
        #expect(!Credentials.exist(in: state))
        let credentials = try TestAuthority().bank(bankA)
        try credentials.write(to: state)
        #expect(Credentials.exist(in: state))
        let read = try Credentials(in: state)
        #expect(read.serial == credentials.serial)
        try await read.check(expected: .bank(bankA))
    }

    @Test(
        "Only the two URI forms are identities",
        arguments: ["", "fed:bank:", "fed:bank:a b", "fed:operatorx", "FED:operator", "http://x"])
    func identities(uri: String) {
        #expect(PeerIdentity(uri: uri) == nil)
        #expect(PeerIdentity(uri: "fed:bank:bank_a") == .bank(bankA))
        #expect(PeerIdentity(uri: "fed:operator") == .operatorConsole)
    }
}
