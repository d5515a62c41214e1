internal import ArgumentParser
internal import FedConsole
internal import FedCore
internal import FedDecision
internal import FedFiles
internal import FedRuntime
internal import FedService
internal import Logging

/// Reads a file for the service.
private func bytes(of path: String) throws(ServiceError) -> [UInt8] {
    do {
        return try AtomicFile.read(path)
    } catch {
        throw .unreadable(path: path, reason: "\(error)")
    }
}

/// TLS, and who may ask.
struct ScoreAccessOptions: ParsableArguments {
    @Option(help: "A file with the token that callers must show.")
    var token: String?
    @Option(help: "The service's certificate and those above it, PEM.")
    var tlsCertificate: String?
    @Option(help: "Its private key, PEM.")
    var tlsKey: String?
    @Option(help: "The authorities whose certificates callers must show, PEM: mutual TLS.")
    var clientAuthority: String?

    func validate() throws {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together")
        }
        guard clientAuthority == nil || tlsCertificate != nil else {
            throw ValidationError("--client-authority needs --tls-certificate and --tls-key")
        }
    }

    func apply(to configuration: inout ServiceConfiguration) throws(ServiceError) {
        if let token { configuration.token = try AccessToken(file: try bytes(of: token)) }
        if let tlsCertificate, let tlsKey {
            var callers: [UInt8]?
            if let clientAuthority { callers = try bytes(of: clientAuthority) }
            configuration.tls = try ServiceTLS(
                chain: try bytes(of: tlsCertificate), key: try bytes(of: tlsKey), callers: callers)
        }
    }
}

/// When lists are made and where they go.
struct ScoreListOptions: ParsableArguments {
    @Option(help: "Seconds from one list to the next; without it on demand only.")
    var listEvery: Int64?
    @Option(help: "Entries of a list on schedule.")
    var listCapacity = 50
    @Option(help: "Share of a list on schedule that is drawn at random, 0 to 0.5.")
    var explorationShare = 0.05
    @Option(help: "A folder that each list is written to, JSON and CSV; may be given again.")
    var listFolder: [String] = []
    @Option(help: "A URL that each list is posted to, JSON; may be given again.")
    var webhook: [String] = []
    @Option(help: "A file with the secret under which posts are signed, 32 bytes or more.")
    var webhookSecret: String?
    @Option(help: "The authorities of webhooks, PEM; without it the system's.")
    var webhookAuthority: String?

    func validate() throws {
        if let listEvery, !(1...(366 * 86_400)).contains(listEvery) {
            throw ValidationError("--list-every is \(listEvery), expected 1...31622400 seconds")
        }
        guard (1...ListOrder.capacityMax).contains(listCapacity) else {
            throw ValidationError(
                "--list-capacity is \(listCapacity), expected 1...\(ListOrder.capacityMax)")
        }
        guard (0...0.5).contains(explorationShare) else {
            throw ValidationError("--exploration-share is \(explorationShare), expected 0...0.5")
        }
        for url in webhook where WebAddress(url) == nil {
            throw ValidationError("--webhook \(url): expected an http or https URL")
        }
        guard webhook.isEmpty || webhookSecret != nil else {
            throw ValidationError("--webhook needs --webhook-secret")
        }
    }

    func apply(to configuration: inout ServiceConfiguration) throws(ServiceError) {
        if let listEvery {
            var order = ListOrder(capacity: listCapacity)
            order.explorationShare = explorationShare
            order.windowSeconds = max(listEvery, 86_400)
            configuration.schedule = ServiceConfiguration.Schedule(
                periodSeconds: listEvery, order: order)
        }
        configuration.destinations =
            listFolder.map { .folder($0) }
            + webhook.compactMap { WebAddress($0).map { .webhook($0) } }
        if let webhookSecret {
            configuration.webhookSigner = try WebhookSigner(file: try bytes(of: webhookSecret))
        }
        if let webhookAuthority {
            configuration.webhookAuthorities = try bytes(of: webhookAuthority)
        }
    }
}

/// Raw transactions and drift.
struct ScoreFeatureOptions: ParsableArguments {
    @Option(help: "A derivation: raw transactions are taken, and features derived of them.")
    var derivation: String?
    @Option(
        help:
            "A table of shared indicators, or a folder of them; may be given again. New ones are taken up, and with --node those that it receives."
    )
    var indicators: [String] = []
    @Option(help: "The banks' key of sensitive identifiers, a file; with --node the node's.")
    var indicatorKey: String?
    @Option(help: "Rows such as the model was made on, CSV: drift is measured against them.")
    var reference: String?

    func validate() throws {
        guard (indicators.isEmpty && indicatorKey == nil) || derivation != nil else {
            throw ValidationError("--indicators and --indicator-key need --derivation")
        }
    }

    func apply(
        to configuration: inout ServiceConfiguration, standard: FeatureStandard
    ) throws(ServiceError) {
        guard let reference else { return }
        do {
            configuration.drift = DriftMeter(
                try DatasetLoader.load(path: reference, standard: standard), standard: standard)
        } catch {
            throw .invalid(path: reference, reason: "\(error)")
        }
    }

    /// - Parameter node: the state folder of the bank's node, where one is named.
    func deriver(
        standard: FeatureStandard, node: String?, log: String, logger: Logger
    ) throws -> RawDeriver? {
        guard let path = derivation else { return nil }
        let document: Derivation
        do {
            document = try Derivation(json: try AtomicFile.read(path))
            try document.requireFeeding(standard)
        } catch {
            throw ServiceError.invalid(path: path, reason: "\(error)")
        }
        let node = try node.map { try NodeState(in: try StateDirectory(reading: $0)) }
        let secrets =
            if let indicatorKey {
                try IndicatorSecrets(key: try IndicatorKeyFile.read(indicatorKey))
            } else { try node?.indicatorSecrets() ?? .none }
        return try RawDeriver(
            document, path: log,
            tables: ScoreTables(
                paths: indicators, node: try node.map { try NodeStore(in: $0.folder) }),
            secrets: secrets, logger: logger)
    }
}
