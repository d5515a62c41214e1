internal import FedCore
internal import FedFiles
internal import FedLoop
internal import FedSynthetic

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
            try TransactionFile.read(file.path, derivation: derivation) { row in
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
}
