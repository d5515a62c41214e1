import FedCore
import FedCrypto
import FedDecision
import FedService
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import ServiceLifecycle
import Testing

/// Lists on their way to webhooks and folders, with receivers that fail and senders that die.
@Suite("Lists are delivered once")
struct DeliveryTests {
    private static let secret = Array(String(repeating: "k", count: 40).utf8)

    /// A bank with a list to send.
    private func bench(
        _ folder: ScratchFolder, _ destinations: [ListDestination]
    ) async throws -> Bench {
        let bench = try Bench(folder: folder) { $0.destinations = destinations }
        try await bench.test { caller in
            for row in 0..<8 {
                let reply = try await caller.post(
                    "/v1/score?record=true",
                    bench.bank.json(
                        bench.bank.row(row), id: "T\(row)", entity: "C\(row)", amount: 900))
                #expect(reply.status == 200)
            }
            let list = try await caller.post("/v1/lists", Array("{\"capacity\":3}".utf8))
            #expect(list.status == 201)
        }
        return bench
    }

    private func courier(_ bench: Bench, _ destinations: [ListDestination]) throws -> ListCourier {
        ListCourier(
            store: bench.store, destinations: destinations,
            signer: try WebhookSigner(file: Self.secret), sender: try WebSender(timeoutSeconds: 5),
            metrics: bench.service.metrics, now: { [clock = bench.clock] in clock.now },
            interval: .seconds(1), logger: bench.logger)
    }

    @Test func aWebhookGetsTheListSignedAndTriesAgainAfterFailures() async throws {
        let folder = try ScratchFolder()
        let receiver = Receiver(statuses: [500, 302, 200])
        try await receiver.run { port in
            let address = try #require(WebAddress("http://127.0.0.1:\(port)/hook"))
            let destinations = [ListDestination.webhook(address)]
            let bench = try await bench(folder, destinations)
            let courier = try courier(bench, destinations)
            try await courier.carry()
            try await courier.carry()
            #expect(receiver.taken.value.count == 1, "not before the wait is over")
            for step in [10, 20, 3600] as [Int64] {
                bench.clock.now += step
                try await courier.carry()
            }
            let taken = receiver.taken.value
            #expect(taken.map(\.status) == [500, 302, 200])
            #expect(Set(taken.map(\.key)).count == 1)
            let list = try #require(try await bench.store.list(nil))
            let signer = try WebhookSigner(file: Self.secret)
            for request in taken {
                #expect(request.body == list.json)
                let time = try #require(
                    Int64(request.signature.dropFirst(2).prefix { $0 != "," }))
                #expect(request.signature == signer.signature(of: request.body, at: time))
            }
            let state = try await bench.store.deliveries().map(\.record)
            #expect(state.map(\.attempts) == [3])
            #expect(state.map(\.state) == [.delivered(at: bench.clock.now - 3600)])
            #expect(bench.service.metrics.value(.deliveries) == 1)
            #expect(bench.service.metrics.value(.deliveryFailures) == 2)
        }
    }

    /// A sender that dies between the send and its record sends again, under the same key; one that
    /// is done never does.
    @Test func aSendThatWasCutOffIsDoneAgainUnderTheSameKey() async throws {
        let folder = try ScratchFolder()
        let receiver = Receiver(statuses: [])
        try await receiver.run { port in
            let address = try #require(WebAddress("http://127.0.0.1:\(port)/hook"))
            let destinations = [ListDestination.webhook(address)]
            let bench = try await bench(folder, destinations)
            // As a courier stores it before it sends, and then dies.
            var waiting = try #require(try await bench.store.openDeliveries().first)
            waiting.record.attempts = 1
            waiting.record.state = .sending(since: bench.clock.now)
            try await bench.store.save(waiting)

            let restarted = try Bench(folder: folder) { $0.destinations = destinations }
            let courier = try courier(restarted, destinations)
            for _ in 0..<3 { try await courier.carry() }
            let taken = receiver.taken.value
            #expect(taken.map(\.key) == [waiting.record.key])
            #expect(taken.map(\.attempt) == ["2"])
            #expect(try await restarted.store.openDeliveries().isEmpty)
        }
    }

    @Test func aFolderGetsEachListAsJSONAndCSV() async throws {
        let folder = try ScratchFolder()
        let outbox = folder.file("outbox")
        let destinations = [ListDestination.folder(outbox)]
        let bench = try await bench(folder, destinations)
        let courier = try courier(bench, destinations)
        try await courier.carry()
        #expect(bench.service.metrics.value(.deliveryFailures) == 1, "there is no folder yet")
        try FileManager.default.createDirectory(
            atPath: outbox, withIntermediateDirectories: false)
        bench.clock.now += 10
        try await courier.carry()
        let list = try #require(try await bench.store.list(nil))
        let files = try FileManager.default.contentsOfDirectory(atPath: outbox).sorted()
        #expect(files == ["L000001.csv", "L000001.json"])
        #expect(FileManager.default.contents(atPath: outbox + "/L000001.json") == Data(list.json))
        #expect(FileManager.default.contents(atPath: outbox + "/L000001.csv") == Data(list.csv))
        try await bench.test { caller in
            let shown = try await caller.get("/v1/deliveries")
            #expect(try shown.member("deliveries", "0", "state") == .string("delivered"))
            #expect(try shown.member("deliveries", "0", "list") == .string("L000001"))
        }
    }

    @Test func aReceiverThatIsNotThereIsTriedEverMoreSeldom() async throws {
        let folder = try ScratchFolder()
        // Nobody listens on the port of a service that has ended.
        let address = try #require(WebAddress("http://127.0.0.1:9/hook"))
        let destinations = [ListDestination.webhook(address)]
        let bench = try await bench(folder, destinations)
        let courier = try courier(bench, destinations)
        var times: [Int64] = []
        let start = bench.clock.now
        while times.count < 6 {
            let before = try await bench.store.openDeliveries().first?.record.attempts
            try await courier.carry()
            let after = try await bench.store.openDeliveries().first?.record.attempts
            if before != after { times.append(bench.clock.now - start) }
            bench.clock.now += 1
        }
        let waits = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(zip(waits.dropFirst(), waits).allSatisfy { $0 > $1 }, "\(waits)")
    }

    @Test func aShortSecretIsRefused() {
        #expect(throws: ServiceError.self) { try WebhookSigner(file: Array("short".utf8)) }
    }
}

/// An HTTP server that answers with given statuses, then with 200.
private final class Receiver: Sendable {
    struct Taken: Sendable {
        let status: Int
        let key: String
        let signature: String
        let attempt: String
        let body: [UInt8]
    }

    let taken = LockedValue<[Taken]>([])
    private let statuses: [Int]

    init(statuses: [Int]) { self.statuses = statuses }

    func run(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let router = Router()
        router.post("/hook") { [self] request, _ -> Response in
            let bytes = try await request.body.collect(upTo: 1 << 20)
            let count = taken.value.count
            let status = count < statuses.count ? statuses[count] : 200
            func field(_ name: String) -> String {
                HTTPField.Name(name).flatMap { request.headers[$0] } ?? ""
            }
            taken.value.append(
                Taken(
                    status: status, key: field("Idempotency-Key"),
                    signature: field(WebhookSigner.headerName), attempt: field("Fed-Attempt"),
                    body: Array(bytes.readableBytesView)))
            return Response(status: HTTPResponse.Status(code: status))
        }
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { found.yield($0.localAddress?.port ?? 0) }, logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [application], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            do {
                try await body(port)
            } catch {
                Issue.record(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
