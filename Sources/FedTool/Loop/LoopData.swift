internal import FedCore
internal import FedFiles
internal import FedLoop
internal import FedSynthetic
internal import Foundation

/// Makes streams for replays: of files of raw transactions, or of the synthetic consortium.
enum LoopData {
    /// Kinds of parties that indicators are kept of.
    struct Entities {
        /// Columns whose parties all banks meet.
        var shared: [String]
        /// Columns whose parties are the bank's own.
        var own: [String]

        var kinds: [LoopStreamBuilder.EntityKind] {
            shared.map { ($0, true) } + own.map { ($0, false) }
        }
    }

    /// Reads `bank_<NAME>_transactions.csv` of each bank and derives the features of the standard.
    ///
    /// - Parameters:
    ///   - files: names and paths of the banks' files.
    ///   - endDay: rows from this day on are not read.
    /// - Throws: `FeatureBuilderError`, `LoopError`, `LearningError`.
    static func stream(
        files: [(bank: String, path: String)], standard: FeatureStandard, derivation: Derivation,
        entities: Entities, endDay: Int
    ) throws -> LoopStream {
        try derivation.requireFeeding(standard)
        var builder = LoopStreamBuilder(
            features: try TreeSchema(standard).features, entities: entities.kinds)
        for file in files {
            builder.beginBank(file.bank)
            var pass = try LoopDerivation(
                bank: file.bank, derivation: derivation,
                entities: entities.shared + entities.own)
            var failure: LoopError?
            try RawTransactions.forEach(in: file.path, derivation: derivation) { row, _, _ in
                guard row.time < Int64(endDay) * 86_400 else { return false }
                do throws(LoopError) {
                    try pass.append(row, to: &builder)
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
            if let failure { throw failure }
            try pass.finish(to: &builder)
        }
        return try builder.finish()
    }

    /// The synthetic consortium: terminals and payees are shared, accounts are the banks' own.
    ///
    /// - Parameter standard: the standard of the consortium's features.
    /// - Throws: `SyntheticError`, `LoopError`, `LearningError`.
    static func synthetic(
        seed: UInt64, scale: Double, standard: FeatureStandard
    ) throws -> LoopStream {
        let consortium = try SyntheticConsortium(seed: seed, scale: scale)
        guard standard.features.map(\.name) == SyntheticFeatures.names else {
            throw LoopError.stream(bank: "", reason: "the standard is not the consortium's")
        }
        var builder = LoopStreamBuilder(
            features: try TreeSchema(standard).features,
            entities: [("terminal", true), ("payee", true), ("account", false)])
        for (number, bank) in consortium.banks.enumerated() {
            builder.beginBank(bank.name)
            let rows = consortium.transactions(of: number)
            for (row, features) in zip(rows, SyntheticFeatures.derive(from: rows)) {
                func key(_ number: Int) -> EntityKey {
                    number < 0 ? .missing : EntityKey(Int64(number))
                }
                builder.append(
                    time: Int64(row.time), features: features[...],
                    keys: [key(row.terminal), key(row.payee), key(row.account)],
                    amount: Double(row.amount) / 100, isFraud: row.isFraud)
            }
        }
        return try builder.finish()
    }

    /// The banks' files of raw transactions in a folder, by the banks' names; none where the
    /// folder cannot be read.
    static func files(in folder: String) -> [(bank: String, path: String)] {
        let suffix = "_transactions.csv"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().filter { $0.hasPrefix("bank_") && $0.hasSuffix(suffix) }
            .map { (String($0.dropFirst(5).dropLast(suffix.count)), "\(folder)/\($0)") }
    }

    /// Replays variants, several at once.
    ///
    /// - Returns: the results in the order of the variants.
    /// - Throws: `LoopError`.
    static func replay(
        _ variants: [LoopVariant], of stream: LoopStream, plan: LoopPlan, jobs: Int
    ) async throws -> [LoopReport.Entry] {
        try await withThrowingTaskGroup(of: (Int, LoopReport.Entry).self) { group in
            var entries = [LoopReport.Entry?](repeating: nil, count: variants.count)
            // The variants with most work come last in the list and go first.
            for (started, place) in variants.indices.reversed().enumerated() {
                if started >= jobs, let (done, entry) = try await group.next() {
                    entries[done] = entry
                }
                group.addTask {
                    let clock = ContinuousClock()
                    let start = clock.now
                    let outcome = try LoopReplay.run(stream, plan: plan, variant: variants[place])
                    let time = (clock.now - start).components
                    let seconds = Double(time.seconds) + Double(time.attoseconds) * 1e-18
                    return (place, LoopReport.Entry(outcome: outcome, seconds: seconds))
                }
            }
            for try await (done, entry) in group { entries[done] = entry }
            return entries.compactMap(\.self)
        }
    }
}

extension LoopPlan {
    /// Eight periods of five days on the Fraud Detection Handbook's days 125 to 164, as the
    /// benchmark's test rows; the loop runs from day 60.
    static var handbook: LoopPlan {
        var plan = LoopPlan(
            firstDay: 60, warmUpTrainings: [60, 80, 100], measuredFrom: 125, periodDays: 5,
            periodCount: 8)
        plan.normalShare = 0.34
        return plan
    }

    /// Eight periods of six days of the synthetic consortium's 150 days.
    static var synthetic: LoopPlan {
        var plan = LoopPlan(
            firstDay: 40, warmUpTrainings: [40, 60, 80], measuredFrom: 100, periodDays: 6,
            periodCount: 8)
        plan.normalShare = 0.34
        return plan
    }
}
