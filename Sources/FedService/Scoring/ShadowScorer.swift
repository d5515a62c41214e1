package import FedCore
internal import FedDecision
package import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Scores what the service has recorded by a challenger too, a model that does not answer yet.
///
/// It works from the store, behind the answers and on its own time: no answer waits for it.
package final class ShadowScorer: Service {
    /// The challenger of now.
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

    private let source: any ModelSource
    private let standard: FeatureStandard
    private let store: ReviewStore
    private let now: @Sendable () -> Int64
    private let interval: Duration
    private let logger: Logger
    private let challenger = Mutex<Challenger?>(nil)
    private let compared = Mutex<(at: Int64, figures: [ShadowComparison])?>(nil)

    /// Follows a source of challengers.
    package init(
        source: any ModelSource, standard: FeatureStandard, store: ReviewStore,
        now: @escaping @Sendable () -> Int64 = WallClock.seconds,
        interval: Duration = .seconds(1), logger: Logger
    ) {
        self.source = source
        self.standard = standard
        self.store = store
        self.now = now
        self.interval = interval
        self.logger = logger
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
                    "the challenger could not score", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// Scores all that was recorded and has no score of the challenger's yet.
    ///
    /// - Returns: the challenger's digest, hexadecimal; `nil` while there is none.
    @discardableResult
    package func catchUp() async throws -> String? {
        await QuietThread.run { self.look() }
        guard let current = challenger.withLock({ $0 }), let scorer = current.scorer else {
            return nil
        }
        let until = now()
        var scored = Self.batchRows
        while scored == Self.batchRows {
            scored = try await store.scoreShadow(
                of: current.sha256, standard: standard, since: current.position,
                limit: Self.batchRows
            ) { scorer.parts(of: $0).probability }
        }
        // What was scored a moment ago may still be on its way into the store.
        let position = until - Self.overlapSeconds
        challenger.withLock { held in
            if held?.sha256 == current.sha256 { held?.position = position }
        }
        return current.sha256
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

    /// Takes up another challenger where there is one.
    private func look() {
        let mark = source.mark()
        guard challenger.withLock({ $0?.mark }) != mark else { return }
        guard let mark else { return challenger.withLock { $0 = nil } }
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
                "the challenger's model is of no use", metadata: ["reason": "\(error)"])
        }
        challenger.withLock { [next] in $0 = next }
    }
}
