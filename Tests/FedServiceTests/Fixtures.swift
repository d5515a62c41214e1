import FedCore
import FedDecision
import FedService
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOEmbedded
import Testing

/// SplitMix64: the seed of a failing property replays it.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}

/// A bank with a small standard, rows, models and a policy.
struct SmallBank {
    let standard: FeatureStandard
    let rows: Dataset

    init(rows count: Int = 1200, seed: UInt64 = 1) throws {
        standard = try FeatureStandard(
            name: "small", version: 1, description: "A table for tests.",
            features: [
                Feature(
                    name: "amount", type: .continuous, unit: "CNY", range: 0...10_000,
                    transform: .signedLog, sensitivity: .internal,
                    description: "Amount of the payment.", descriptionChinese: "交易金额"),
                Feature(
                    name: "count", type: .integer, unit: "1", range: 0...40,
                    missing: .keep(imputed: 3), transform: .identity, sensitivity: .internal,
                    description: "Payments of the day."),
                Feature(
                    name: "night", type: .binary, unit: "1", range: 0...1, transform: .identity,
                    sensitivity: .public, description: "Whether it is night."),
            ])
        var random = SeededRandom(seed: seed)
        var columns = [[Double]](repeating: [], count: 3)
        var labels: [UInt8] = []
        for _ in 0..<count {
            let row = [
                random.unit() * random.unit() * 9000,
                random.unit() < 0.2 ? Double.nan : (random.unit() * 40).rounded(),
                random.unit() < 0.3 ? 1.0 : 0,
            ]
            var odds = 0.1 * (row[0] > 3000 ? 3 : 0.4) * (row[2] == 1 ? 2 : 0.6)
            odds *= row[1].isNaN ? 1.5 : (row[1] > 25 ? 2 : 0.7)
            labels.append(random.unit() < odds ? 1 : 0)
            for index in 0..<3 { columns[index].append(row[index]) }
        }
        rows = Dataset(columns: columns, labels: labels)
    }

    func row(_ index: Int) -> [Double] { rows.columns.map { $0[index] } }

    func model(version: Int = 1, trees: Int = 8) throws -> BankModel {
        func trained(_ seed: Double) throws -> TrainedModel {
            let configuration = try GradientBoostingConfiguration([
                .treesMax: Double(trees), .depthMax: 3, .contributorsMin: 1, .childRowsMin: 1,
                .gridCells: 512, .seed: seed, .leafRegularisation: 1,
            ])
            return try AlgorithmConfiguration.boosting(configuration)
                .train(standard: standard, fit: [rows], threads: 1)
        }
        return try BankModel(
            version: version, local: try trained(1), federated: try trained(2), residual: nil,
            choice: CombinationChoice(
                rule: CombinationRule(
                    kind: .stacked(intercept: 0.1, localWeight: 0.4, federatedWeight: 0.7)),
                reason: .incumbent, calibration: Calibration(intercept: -0.2, slope: 1.1)),
            reviewShare: 0.005)
    }

    static let policyText = """
        {"format": "fed-decision-policy/1", "name": "cards", "version": 1,
         "thresholds": {"step_up": 0.2, "hold": 0.4, "block": null},
         "rules": [{"id": "large-night", "description": "A large payment at night.",
           "description_zh": "夜间大额", "floor": "block",
           "when": {"all": [{"feature": "amount", "relation": ">", "value": 9000},
             {"feature": "night", "relation": "==", "value": 1}]}}]}
        """

    func policy(_ text: String = SmallBank.policyText) throws -> DecisionPolicy {
        try DecisionPolicy(json: Array(text.utf8), standard: standard)
    }

    func engine(version: Int = 1, trees: Int = 8) throws -> ScoringEngine {
        try ScoringEngine(
            model: try model(version: version, trees: trees), policy: try policy(),
            standard: standard)
    }

    /// A transaction as a request's body.
    func json(_ row: [Double], id: String? = nil, entity: String? = nil, amount: Int64? = nil)
        -> CanonicalJSON
    {
        var members: [String: CanonicalJSON] = [
            "features": .object(
                Dictionary(
                    uniqueKeysWithValues: zip(standard.features, row).map {
                        ($0.name, $1.isNaN ? .null : .number($1))
                    }))
        ]
        members["id"] = id.map { .string($0) }
        members["entity"] = entity.map { .string($0) }
        members["amount"] = amount.map { .integer($0) }
        return .object(members)
    }
}

/// A clock that tests set.
final class TestClock: Sendable {
    private let seconds: LockedValue<Int64>

    init(_ start: Int64) { seconds = LockedValue(start) }

    var now: Int64 {
        get { seconds.value }
        set { seconds.value = newValue }
    }
}

/// A value behind a lock.
final class LockedValue<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: Value

    init(_ value: Value) { stored = value }

    var value: Value {
        get { lock.withLock { stored } }
        set { lock.withLock { stored = newValue } }
    }
}

/// A folder that goes with the value.
final class ScratchFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "fed-service-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)), options: .atomic)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A service over a scratch store.
struct Bench {
    let bank: SmallBank
    let folder: ScratchFolder
    let clock = TestClock(1_800_000_000)
    let reference: EngineReference
    let service: ScoringService
    let store: ReviewStore
    let configuration: ServiceConfiguration
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    init(_ change: (inout ServiceConfiguration) -> Void = { _ in }) throws {
        try self.init(folder: try ScratchFolder(), change)
    }

    /// A service over a store that may exist, as after a restart.
    init(folder: ScratchFolder, _ change: (inout ServiceConfiguration) -> Void = { _ in }) throws {
        bank = try SmallBank()
        self.folder = folder
        reference = EngineReference(try bank.engine())
        var configuration = ServiceConfiguration()
        configuration.port = 0
        let clock = clock
        configuration.now = { clock.now }
        change(&configuration)
        self.configuration = configuration
        store = try ReviewStore(path: folder.file("review.sqlite"))
        service = try ScoringService(
            configuration, reference: reference, store: store, logger: logger)
    }

    func test(_ body: @Sendable (Caller) async throws -> Void) async throws {
        try await body(Caller(responder: service.application.responder, logger: logger))
    }
}

/// Asks the service's responder in this process, in JSON.
struct Caller: Sendable {
    let responder: ServiceResponder
    let logger: Logger
    var authority = "localhost"
    var headers: HTTPFields = [:]

    struct Reply: Sendable {
        let status: Int
        let headers: HTTPFields
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }

        func json() throws -> CanonicalJSON {
            try StrictJSON.parse(bytes, bytesMax: 1 << 26)
        }

        func member(_ names: String...) throws -> CanonicalJSON {
            var value = try json()
            for name in names {
                switch value {
                case .object(let members): value = try #require(members[name], "no \(name)")
                case .array(let values): value = values[try #require(Int(name))]
                default: Issue.record("\(name) of a plain value")
                }
            }
            return value
        }

        /// `code field` of a fault.
        func fault() throws -> String {
            guard case .string(let code) = try member("error", "code"),
                case .string(let field) = try member("error", "field")
            else { return "no fault" }
            return "\(status) \(code) \(field)"
        }
    }

    func get(_ path: String) async throws -> Reply { try await ask(path, .get, nil, nil) }

    func post(
        _ path: String, _ json: CanonicalJSON, once: String? = nil
    ) async throws -> Reply {
        try await post(path, json.bytes, once: once)
    }

    func post(
        _ path: String, _ bytes: [UInt8], type: String = "application/json", once: String? = nil
    ) async throws -> Reply {
        var caller = self
        if let once, let name = HTTPField.Name("Idempotency-Key") { caller.headers[name] = once }
        return try await caller.ask(path, .post, bytes, type)
    }

    func ask(
        _ path: String, _ method: HTTPRequest.Method, _ bytes: [UInt8]?, _ type: String?
    ) async throws -> Reply {
        var headers = headers
        if let type { headers[.contentType] = type }
        let request = Request(
            head: HTTPRequest(
                method: method, scheme: "http", authority: authority, path: path,
                headerFields: headers),
            body: RequestBody(buffer: ByteBuffer(bytes: bytes ?? [])))
        let context = BasicRequestContext(
            source: ApplicationRequestContextSource(
                channel: EmbeddedChannel(), logger: logger))
        let response = await responder.respond(to: request, context: context)
        let written = WrittenBody()
        try await response.body.write(written)
        return Reply(
            status: response.status.code, headers: response.headers,
            bytes: Array(written.buffer.value.readableBytesView))
    }
}

/// Keeps what an answer's body writes.
struct WrittenBody: ResponseBodyWriter {
    let buffer = LockedValue(ByteBuffer())

    func write(_ part: ByteBuffer) async throws {
        var whole = buffer.value
        whole.writeImmutableBuffer(part)
        buffer.value = whole
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
