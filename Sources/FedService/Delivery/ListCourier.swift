internal import FedCore
internal import FedCrypto
package import FedDecision
package import Logging
internal import ServiceLifecycle

/// Brings lists to where they go: posts them to webhooks, writes them to folders.
///
/// What is stored before a send says that it begins, what is stored after says how it ended. A send
/// whose end was not stored, as after a crash, is done again under the same `Idempotency-Key`; a
/// receiver that takes a key once has each list once.
package struct ListCourier: Service {
    private let store: ReviewStore
    private let destinations: [String: ListDestination]
    private let signer: WebhookSigner?
    private let sender: WebSender
    private let retry: DeliveryOutbox.Retry
    private let metrics: ServiceMetrics
    private let now: @Sendable () -> Int64
    private let interval: Duration
    private let logger: Logger

    /// Carries lists for some destinations.
    package init(
        store: ReviewStore, destinations: [ListDestination], signer: WebhookSigner?,
        sender: WebSender, retry: DeliveryOutbox.Retry = DeliveryOutbox.Retry(),
        metrics: ServiceMetrics, now: @escaping @Sendable () -> Int64, interval: Duration,
        logger: Logger
    ) {
        self.store = store
        self.destinations = Dictionary(
            destinations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.signer = signer
        self.sender = sender
        self.retry = retry
        self.metrics = metrics
        self.now = now
        self.interval = interval
        self.logger = logger
    }

    /// Carries until a graceful shutdown.
    package func run() async throws {
        await Repetition.untilShutdown(every: interval) {
            do {
                try await carry()
            } catch {
                logger.error("the outbox cannot be used", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// How a send ended.
    private enum Outcome: Sendable {
        case delivered
        case failed(reason: String, isFinal: Bool)
    }

    /// Sends what is due, once each.
    ///
    /// - Throws: ``ServiceError`` when the store cannot be used.
    package func carry() async throws {
        let open = try await store.openDeliveries().filter {
            destinations[$0.record.destination] != nil
        }
        guard !open.isEmpty else { return }
        var (outbox, _) = DeliveryOutbox.recovering(
            open.map(\.record), at: now(), retry: retry)
        let lists = Dictionary(uniqueKeysWithValues: open.map { ($0.record.key, $0.list) })
        var begun: [ReviewStore.Delivery] = []
        for key in outbox.due(at: now()) {
            guard let list = lists[key] else { continue }
            let delivery = ReviewStore.Delivery(
                record: try outbox.begin(key, at: now()), list: list)
            try await store.save(delivery)
            begun.append(delivery)
        }
        let outcomes = await withTaskGroup(of: (String, Outcome).self) { group in
            for delivery in begun {
                group.addTask { (delivery.record.key, await send(delivery)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for delivery in begun {
            guard let outcome = outcomes[delivery.record.key] else { continue }
            try await store.save(
                ReviewStore.Delivery(
                    record: try end(delivery, outcome, &outbox), list: delivery.list))
        }
    }

    private func end(
        _ delivery: ReviewStore.Delivery, _ outcome: Outcome, _ outbox: inout DeliveryOutbox
    ) throws -> DeliveryOutbox.Record {
        let key = delivery.record.key
        switch outcome {
        case .delivered:
            metrics.count(.deliveries)
            logger.info("a list was delivered", metadata: ["list": "\(delivery.list)"])
            return try outbox.succeed(key, at: now())
        case .failed(let reason, let isFinal):
            metrics.count(.deliveryFailures)
            logger.warning(
                "a list could not be delivered",
                metadata: [
                    "list": "\(delivery.list)", "attempt": "\(delivery.record.attempts)",
                    "reason": "\(reason)",
                ])
            return try outbox.fail(key, at: now(), isFinal: isFinal, reason: reason)
        }
    }

    private func send(_ delivery: ReviewStore.Delivery) async -> Outcome {
        let list: (json: [UInt8], csv: [UInt8])
        do {
            guard let found = try await store.list(delivery.list),
                SHA256.hash(found.json) == delivery.record.document
            else { return .failed(reason: "the list is not there any more", isFinal: true) }
            list = found
        } catch {
            return .failed(reason: "the store cannot be read", isFinal: false)
        }
        switch destinations[delivery.record.destination] {
        case nil: return .failed(reason: "no such destination", isFinal: false)
        case .folder(let path):
            do throws(ServiceError) {
                try SmallFile.write(list.csv, to: "\(path)/\(delivery.list).csv")
                try SmallFile.write(list.json, to: "\(path)/\(delivery.list).json")
                return .delivered
            } catch {
                return .failed(reason: "\(error)", isFinal: false)
            }
        case .webhook(let address): return await post(list.json, delivery, to: address)
        }
    }

    private func post(
        _ body: [UInt8], _ delivery: ReviewStore.Delivery, to address: WebAddress
    ) async -> Outcome {
        var headers = [
            (name: "content-type", value: "application/json"),
            (name: "idempotency-key", value: delivery.record.key),
            (name: "fed-list", value: delivery.list),
            (name: "fed-attempt", value: String(delivery.record.attempts)),
        ]
        if let signer {
            headers.append((WebhookSigner.headerName, signer.signature(of: body, at: now())))
        }
        do throws(WebSender.Failure) {
            let reply = try await sender.send("POST", to: address, headers: headers, body: body)
            switch reply.status {
            case 200..<300: return .delivered
            // Gone: the receiver says that it will never take it.
            case 410: return .failed(reason: "answered with 410", isFinal: true)
            default: return .failed(reason: "answered with \(reply.status)", isFinal: false)
            }
        } catch {
            return .failed(reason: "\(error)", isFinal: false)
        }
    }
}
