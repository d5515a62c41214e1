import FedCore
import FedDecision
import FedService
import Logging
import Testing

@Suite("Models and policies change under load")
struct HotSwapTests {
    /// Every answer must hold the score of the very model that it names.
    @Test func noRequestFailsAndNoneMixesTwoModels() async throws {
        let bench = try Bench { $0.limits.requestsInFlightMax = 1000 }
        let bank = bench.bank
        let engines = try (1...3).map { try bank.engine(version: $0, trees: 4 * $0) }
        let row = bank.row(3)
        var scores: [String: CanonicalJSON] = [:]
        for engine in engines {
            let parts = try BankScorer(engine.model, standard: bank.standard).parts(of: row)
            scores[engine.modelSHA256] = .number(parts.combined)
        }
        #expect(scores.count == 3)
        let expected = scores
        bench.reference.swap(engines[0])
        let reference = bench.reference
        try await bench.test { caller in
            try await withThrowingTaskGroup(of: Set<String>.self) { group in
                for worker in 0..<4 {
                    group.addTask {
                        var seen: Set<String> = []
                        for turn in 0..<60 {
                            if worker == 0 { reference.swap(engines[turn % 3]) }
                            let reply = try await caller.post("/v1/score", bank.json(row))
                            #expect(reply.status == 200)
                            guard case .string(let model) = try reply.member("model", "sha256")
                            else { continue }
                            seen.insert(model)
                            #expect(try reply.member("score") == expected[model])
                        }
                        return seen
                    }
                }
                var seen: Set<String> = []
                for try await part in group { seen.formUnion(part) }
                #expect(seen.count == 3)
            }
        }
        #expect(reference.swapCount == 61)
    }

    private func watcher(
        _ bank: SmallBank, _ folder: ScratchFolder
    ) throws -> (EngineWatcher, EngineReference, ServiceMetrics) {
        try folder.write(try bank.model().bytes, to: "model.json")
        try folder.write(Array(SmallBank.policyText.utf8), to: "policy.json")
        let files = EngineFiles(
            model: folder.file("model.json"), policy: folder.file("policy.json"),
            standard: bank.standard)
        let (reference, metrics) = (EngineReference(try files.load()), ServiceMetrics())
        return (
            EngineWatcher(
                files: files, reference: reference, interval: .seconds(1), metrics: metrics,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })),
            reference, metrics
        )
    }

    @Test func changedFilesAreTakenWithoutARestart() throws {
        let (bank, folder) = (try SmallBank(), try ScratchFolder())
        let (watcher, reference, metrics) = try watcher(bank, folder)
        var seen = watcher.look()
        #expect(watcher.check(since: seen) == seen)
        #expect(reference.swapCount == 0)

        let stricter = SmallBank.policyText.replacing("\"step_up\": 0.2", with: "\"step_up\": 0.1")
        try folder.write(Array(stricter.utf8), to: "policy.json")
        let before = reference.current
        seen = watcher.check(since: seen)
        #expect(reference.current.policy.thresholds.stepUp == 0.1)
        #expect(reference.current.modelSHA256 == before.modelSHA256)

        let next = try bank.model(version: 2, trees: 5)
        try folder.write(next.bytes, to: "model.json")
        seen = watcher.check(since: seen)
        #expect(reference.current.model == next)
        #expect(reference.current.policy.thresholds.stepUp == 0.1)
        #expect(reference.swapCount == 2)
        #expect(metrics.value(.reloadFailures) == 0)
    }

    @Test func filesOfNoUseLeaveTheEngineAsItIs() throws {
        let (bank, folder) = (try SmallBank(), try ScratchFolder())
        let (watcher, reference, metrics) = try watcher(bank, folder)
        var seen = watcher.look()
        let before = reference.current.policySHA256
        for (number, text) in ["{", "{}", SmallBank.policyText.replacing("amount", with: "sum")]
            .enumerated()
        {
            try folder.write(Array(text.utf8), to: "policy.json")
            seen = watcher.check(since: seen)
            #expect(reference.current.policySHA256 == before)
            #expect(metrics.value(.reloadFailures) == number + 1)
        }
        try folder.write(Array("nothing".utf8), to: "model.json")
        _ = watcher.check(since: seen)
        #expect(metrics.value(.reloadFailures) == 4)
        #expect(reference.swapCount == 0)
    }

    @Test func aTrainedModelAloneScoresAsFederated() throws {
        let bank = try SmallBank()
        let trained = try bank.model().federated
        let alone = try EngineFiles.model(trained.document.bytes)
        #expect(alone.federated == trained)
        #expect(alone.local == nil)
        let row = bank.row(0)
        let parts = try BankScorer(alone, standard: bank.standard).parts(of: row)
        #expect(parts.combined == parts.federated)
        let whole = try bank.model()
        #expect(try EngineFiles.model(whole.bytes) == whole)
    }
}
