package import FedCore
internal import FedDecision
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Scores what the service has recorded by challengers too, models that do not answer yet.
///
/// It works from the store, behind the answers and on its own time: no answer waits for it.
package final class ShadowScorer: Service {
    /// The challenger that a source has now.
    private struct Challenger: Sendable {
        let mark: ModelMark
        /// `nil` for a model that is of no use here.
        let scorer: BankScorer?
        let sha256: String
        /// Recorded transactions before this second have been scored.
        var position: Int64
    }

    /// Seconds back for which a new challenger scores what was recorded before it came.
    static let backlogSeconds: Int64 = 86_400
    private static let overlapSeconds: Int64 = 60
    private static let batchRows = 1_000
    /// Seconds for which a comparison is given again.
    private static let comparisonSeconds: Int64 = 60

    private let sources: [any ModelSource]
    private let standard: FeatureStandard
    private let store: ReviewStore
    private let now: @Sendable () -> Int64
    private let interval: Duration
    private let logger: Logger
    /// In the order of the sources.
    private let challengers: Mutex<[Challenger?]>
    private let compared = Mutex<(at: Int64, figures: [ShadowComparison])?>(nil)

    /// Follows sources of challengers, each of which has one at a time.
    package init(
        sources: [any ModelSource], standard: FeatureStandard, store: ReviewStore,
        now: @escaping @Sendable () -> Int64 = WallClock.seconds,
        interval: Duration = .seconds(1), logger: Logger
    ) {
        self.sources = sources
        self.standard = standard
        self.store = store
        self.now = now
        self.interval = interval
        self.logger = logger
        challengers = Mutex(Array(repeating: nil, count: sources.count))
    }

    /// Scores until a graceful shutdown.
    package func run() async throws {
        await Repetition.untilShutdown(every: interval) {
            do {
                try await self.catchUp()
            } catch is CancellationError {
                return
            } catch {
                self.logger.error(
                    "a challenger could not score", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Scores all that was recorded and has no score of a challenger's yet.
    ///
    /// - Returns: the challengers' digests, hexadecimal, each once.
    @discardableResult
    package func catchUp() async throws -> [String] {
        await QuietThread.run { for place in self.sources.indices { self.look(place) } }
        var digests: [String] = []
        for (place, challenger) in challengers.withLock({ $0 }).enumerated() {
            guard let challenger, let scorer = challenger.scorer else { continue }
            if !digests.contains(challenger.sha256) { digests.append(challenger.sha256) }
            let until = now()
            var scored = Self.batchRows
            while scored == Self.batchRows {
                scored = try await store.scoreShadow(
                    of: challenger.sha256, standard: standard, since: challenger.position,
                    limit: Self.batchRows
                ) { scorer.parts(of: $0).probability }
            }
            // What was scored a moment ago may still be on its way into the store.
            let position = until - Self.overlapSeconds
            challengers.withLock { held in
                if held[place]?.sha256 == challenger.sha256 { held[place]?.position = position }
            }
        }
        return digests
    }

    /// How challengers compare with what answered, at most a minute old; empty when that cannot be
    /// read.
    func comparisons() async -> [ShadowComparison] {
        let time = now()
        if let held = compared.withLock({ $0 }), time - held.at < Self.comparisonSeconds {
            return held.figures
        }
        let figures = (try? await store.shadowComparisons()) ?? []
        compared.withLock { $0 = (time, figures) }
        return figures
    }

    /// Takes up another challenger of a source where there is one.
    private func look(_ place: Int) {
        let source = sources[place]
        let mark = source.mark()
        guard challengers.withLock({ $0[place]?.mark }) != mark else { return }
        guard let mark else { return challengers.withLock { $0[place] = nil } }
        var next = Challenger(
            mark: mark, scorer: nil, sha256: "", position: now() - Self.backlogSeconds)
        do {
            let model = try source.load()
            next = Challenger(
                mark: mark, scorer: try BankScorer(model, standard: standard),
                sha256: model.digest.hexadecimal, position: next.position)
            logger.info(
                "a challenger scores in shadow",
                metadata: ["model.sha256": "\(next.sha256)", "version": "\(model.version)"])
        } catch {
            logger.error(
                "a challenger's model is of no use",
                metadata: ["source": "\(source.name)", "reason": "\(error)"])
        }
        challengers.withLock { [next] in $0[place] = next }
    }
}
