package import FedCore
package import FedCrypto
package import FedRuntime
internal import Foundation

/// What a coordinator's state folder holds beside its database: addresses, certificates, the
/// identity key.
package struct CoordinatorState: Sendable {
    /// Addresses, as `init` wrote them into `coordinator.json`.
    package struct Addresses: Equatable, Sendable, Codable {
        /// Where banks and operators connect.
        package var listen: String
        /// Where invited banks enrol.
        package var enrolment: String
        /// The host names and addresses by which banks reach the coordinator.
        package var hosts: [String]
    }

    private enum File {
        static let addresses = "coordinator.json"
        static let identity = "identity.key"
        static let serverPrefix = "server-"
        static let operatorPrefix = "operator-"
    }

    package let folder: StateDirectory
    package let addresses: Addresses

    /// Makes authority, server and operator certificates and the identity key in a new folder.
    ///
    /// - Throws: ``CoordinatorFailure/alreadyInitialised(path:)`` when there is one already.
    package static func create(in folder: StateDirectory, addresses: Addresses) throws {
        guard !folder.contains(File.addresses) else {
            throw CoordinatorFailure.alreadyInitialised(path: folder.path)
        }
        let authority = try CertificateAuthority.create(in: folder)
        let serverKey = TLSKey.generate()
        let server = try authority.issueServer(hosts: addresses.hosts, key: serverKey)
        try Credentials(
            key: serverKey, certificatePEM: server.certificatePEM,
            authorityPEM: server.authorityPEM
        ).write(to: folder, prefix: File.serverPrefix)
        let operatorKey = TLSKey.generate()
        let console = try authority.issueOperator(key: operatorKey)
        try Credentials(
            key: operatorKey, certificatePEM: console.certificatePEM,
            authorityPEM: console.authorityPEM
        ).write(to: folder, prefix: File.operatorPrefix)
        try folder.write(Entropy.bytes(32), to: File.identity)
        // Written last: its presence says that all the rest is there.
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try folder.write(Array(try encoder.encode(addresses)), to: File.addresses)
    }

    /// Opens a folder that ``create(in:addresses:)`` made.
    package init(in folder: StateDirectory) throws {
        guard folder.contains(File.addresses) else {
            throw CoordinatorFailure.notInitialised(path: folder.path)
        }
        self.folder = folder
        do {
            addresses = try JSONDecoder().decode(
                Addresses.self, from: Data(try folder.read(File.addresses)))
        } catch is DecodingError {
            throw StoreError.corrupt(path: folder.path(of: File.addresses))
        }
    }

    package var listenAddress: HostAddress {
        get throws { try HostAddress(addresses.listen) }
    }

    package var enrolmentAddress: HostAddress {
        get throws { try HostAddress(addresses.enrolment) }
    }

    /// Where banks are told to connect: the first advertised host.
    package func advertised(_ address: HostAddress) -> HostAddress {
        HostAddress(host: addresses.hosts.first ?? address.host, port: address.port)
    }

    package func authority() throws -> CertificateAuthority { try CertificateAuthority(in: folder) }

    package func serverCredentials() throws -> Credentials {
        try Credentials(in: folder, prefix: File.serverPrefix)
    }

    package func operatorCredentials() throws -> Credentials {
        try Credentials(in: folder, prefix: File.operatorPrefix)
    }

    /// The key that signs what the coordinator says in runs.
    package func identity() throws -> SigningKey {
        var seed = try folder.read(File.identity)
        do {
            return try SigningKey(seed: SecretBytes(wiping: &seed))
        } catch {
            throw StoreError.corrupt(path: folder.path(of: File.identity))
        }
    }
}

/// Why a coordinator's command cannot be carried out.
package enum CoordinatorFailure: Error, Equatable, Sendable {
    case alreadyInitialised(path: String)
    case notInitialised(path: String)
    case noRun(path: String)
    case pruned(run: RunID)
}

extension CoordinatorFailure: ExplainedError {
    package var description: String {
        switch self {
        case .alreadyInitialised(let path): "\(path) already holds a coordinator"
        case .notInitialised(let path): "\(path) holds no coordinator"
        case .noRun(let path): "\(path) has no record of such a run"
        case .pruned(let run): "the masked vectors of run \(run) are no longer kept"
        }
    }

    package var hint: String {
        switch self {
        case .alreadyInitialised: "choose another folder, or remove this one if nobody needs it"
        case .notInitialised(let path): "make one: fed-coordinator init --state \(path)"
        case .noRun(let path): "fed-coordinator run status --state \(path) lists the runs"
        case .pruned:
            "only the newest runs can be replayed; fed-coordinator serve --keep-runs says how many"
        }
    }
}
