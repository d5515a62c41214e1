public import FedCore
internal import FedCrypto
internal import Foundation

/// What the operator hands to a bank, outside of this system: where to enrol, whom to trust, and a
/// token that works once.
public struct Invitation: Equatable, Sendable {
    /// The format's name and version.
    public static let format = "fed-invitation/1"

    /// Where the bank's node will connect, `host:port`.
    public let coordinator: HostAddress
    /// Where it enrols, `host:port`.
    public let enrolment: HostAddress
    /// The consortium's root certificate, PEM: the bank trusts nothing else.
    public let authorityPEM: String
    /// For whom the invitation is.
    public let bank: NodeID
    /// 32 random bytes, base64url.
    ///
    /// Whoever has it can become the bank: it is a secret.
    public let token: String
    /// Until when it can be used, seconds since 1970.
    public let expiresUnixSeconds: Int64

    /// Makes an invitation with a fresh token.
    public init(
        coordinator: HostAddress, enrolment: HostAddress, authorityPEM: String, bank: NodeID,
        expiresUnixSeconds: Int64
    ) {
        self.coordinator = coordinator
        self.enrolment = enrolment
        self.authorityPEM = authorityPEM
        self.bank = bank
        self.token = Self.base64URL(Entropy.bytes(32))
        self.expiresUnixSeconds = expiresUnixSeconds
    }

    /// What the coordinator keeps of a token.
    public static func tokenDigest(_ token: String) -> [UInt8] {
        SHA256.hash(Array(token.utf8))
    }

    /// Reads an invitation file.
    ///
    /// - Throws: ``CredentialError/malformedInvitation(reason:)``.
    public init(json: [UInt8]) throws(CredentialError) {
        guard let file = try? JSONDecoder().decode(File.self, from: Data(json)) else {
            throw .malformedInvitation(reason: "not an invitation file")
        }
        guard file.format == Self.format else {
            throw .malformedInvitation(reason: "its format is not \(Self.format)")
        }
        guard let bank = NodeID(file.bank) else {
            throw .malformedInvitation(reason: "the bank's name is malformed")
        }
        guard let coordinator = try? HostAddress(file.coordinator),
            let enrolment = try? HostAddress(file.enrolment)
        else { throw .malformedInvitation(reason: "an address is malformed") }
        self.coordinator = coordinator
        self.enrolment = enrolment
        self.authorityPEM = file.authority
        self.bank = bank
        self.token = file.token
        self.expiresUnixSeconds = file.expires
    }

    /// The invitation file.
    public var json: [UInt8] {
        CanonicalJSON.object([
            "format": .string(Self.format),
            "coordinator": .string(coordinator.description),
            "enrolment": .string(enrolment.description),
            "authority": .string(authorityPEM),
            "bank": .string(bank.name),
            "token": .string(token),
            "expires": .integer(expiresUnixSeconds),
        ]).bytes
    }

    private struct File: Decodable {
        var format: String
        var coordinator: String
        var enrolment: String
        var authority: String
        var bank: String
        var token: String
        var expires: Int64
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        String(
            Data(bytes).base64EncodedString().compactMap { character -> Character? in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}

extension Invitation: CustomStringConvertible {
    /// The text form, for people.
    public var description: String { "Invitation(bank: \(bank), token: …)" }
}
