package import FedCore
package import FedCrypto
package import FedRuntime
internal import Foundation

/// What a node's state folder holds beside its database: who it is, its keys, whom it trusts.
package struct NodeState: Sendable {
    private struct Facts: Codable {
        var bank: String
        var coordinator: String
        var coordinatorIdentityKey: String
    }

    private enum File {
        static let facts = "node.json"
        static let identity = "identity.key"
        static let pendingKey = "tls-pending.key"
    }

    package let folder: StateDirectory
    /// The bank.
    package let bank: NodeID
    /// Where the coordinator listens.
    package let coordinator: HostAddress
    /// The key that signs what the coordinator says.
    package let coordinatorKey: [UInt8]

    /// Opens the folder of an enrolled node.
    package init(in folder: StateDirectory) throws {
        guard folder.contains(File.facts) else { throw NodeFailure.notEnrolled(path: folder.path) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard
            let facts = try? decoder.decode(
                Facts.self, from: Data(try folder.read(File.facts))),
            let bank = NodeID(facts.bank),
            let key = [UInt8](hexadecimal: facts.coordinatorIdentityKey), key.count == 32
        else { throw StoreError.corrupt(path: folder.path(of: File.facts)) }
        self.folder = folder
        self.bank = bank
        coordinator = try HostAddress(facts.coordinator)
        coordinatorKey = key
    }

    /// Enrols with an invitation.
    ///
    /// Both keys are made here and never leave the folder; a repeated call after a lost reply uses
    /// the same keys.
    package static func enrol(
        with invitation: Invitation, in folder: StateDirectory
    ) async throws -> NodeState {
        if folder.contains(File.facts) {
            throw NodeFailure.alreadyEnrolled(path: folder.path)
        }
        if !folder.contains(File.identity) {
            try folder.write(try SystemEntropy.bytes(32), to: File.identity)
        }
        let identity = try identity(in: folder)
        let key: TLSKey
        if folder.contains(File.pendingKey) {
            key = try TLSKey(
                pem: try folder.readText(File.pendingKey),
                path: folder.path(of: File.pendingKey))
        } else {
            key = TLSKey.generate()
            try folder.write(Array(key.secretPEM.utf8), to: File.pendingKey)
        }
        let reply = try await EnrolmentClient.enrol(
            invitation, key: key, identityKey: identity.publicKey
        ) { identity.sign($0) }
        try reply.credentials.write(to: folder)
        let facts = Facts(
            bank: invitation.bank.name, coordinator: invitation.coordinator.description,
            coordinatorIdentityKey: reply.coordinatorIdentityKey.hexadecimal)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // Written last: its presence says that the node is enrolled.
        try folder.write(Array(try encoder.encode(facts)), to: File.facts)
        return try NodeState(in: folder)
    }

    package func credentials() throws -> Credentials { try Credentials(in: folder) }

    /// The key that signs what this bank says.
    package func identity() throws -> SigningKey { try Self.identity(in: folder) }

    private static func identity(in folder: StateDirectory) throws -> SigningKey {
        var seed = try folder.read(File.identity)
        do {
            return try SigningKey(seed: SecretBytes(wiping: &seed))
        } catch {
            throw StoreError.corrupt(path: folder.path(of: File.identity))
        }
    }
}

/// Why a node's command cannot be carried out.
package enum NodeFailure: Error, Equatable, Sendable {
    case notEnrolled(path: String)
    case alreadyEnrolled(path: String)
    case standard(path: String, reason: String)
    case anotherIndicatorKey(path: String)
}

extension NodeFailure: ExplainedError {
    package var description: String {
        switch self {
        case .notEnrolled(let path): "\(path) holds no enrolled node"
        case .alreadyEnrolled(let path): "\(path) holds an enrolled node already"
        case .standard(let path, let reason): "\(path): \(reason)"
        case .anotherIndicatorKey(let path): "\(path) holds another indicator key already"
        }
    }

    package var hint: String {
        switch self {
        case .notEnrolled(let path):
            "enrol first: fed-node enrol --state \(path) --invitation FILE"
        case .alreadyEnrolled: "use another state folder for another bank"
        case .standard:
            "take the file that the consortium agreed on, or draft one: fed standard draft"
        case .anotherIndicatorKey:
            "tables of the old key become useless with a new one; remove the file if that is meant"
        }
    }
}
