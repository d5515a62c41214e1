internal import FedConsole
package import FedCore
internal import FedCrypto
package import FedFiles
package import FedRuntime
package import FedService

/// A bank's raw transactions, counted when a run sums an indicator.
package struct NodeIndicators: Sendable {
    let raw: String
    let mapping: [String: String]
    let derivation: Derivation
    let secrets: IndicatorSecrets
    /// Whether sums of a greater revision may replace those of a period.
    let permitsCorrections: Bool
    /// Verdicts on transactions; `nil` where the node does not know them.
    let reviews: ReviewStore?
    /// When the transactions' clock stood at 0, seconds since 1970.
    let origin: Int64

    /// Wraps the parts.
    package init(
        raw: String, mapping: [String: String], derivation: Derivation, secrets: IndicatorSecrets,
        permitsCorrections: Bool, reviews: ReviewStore? = nil, origin: Int64 = 0
    ) {
        self.raw = raw
        self.mapping = mapping
        self.derivation = derivation
        self.secrets = secrets
        self.permitsCorrections = permitsCorrections
        self.reviews = reviews
        self.origin = origin
    }

    /// What reviewers have found so far, by the rows' numbers.
    ///
    /// Transactions that were scored under other names than their rows' numbers are passed over.
    package func findings() async throws -> [Int64: RowFinding] {
        guard let reviews else { return [:] }
        var findings: [Int64: RowFinding] = [:]
        for (name, found) in try await reviews.findings() {
            guard let number = Int64(name) else { continue }
            findings[number] = RowFinding(isFraud: found.isFraud, time: found.decidedAt - origin)
        }
        return findings
    }

    /// Reads all transactions, as they are now.
    package func counts(
        findings: [Int64: RowFinding] = [:]
    ) throws(FeatureBuilderError) -> IndicatorCounts {
        try RawTransactions.counts(
            of: raw, mapping: mapping, derivation: derivation, secrets: secrets,
            findings: findings)
    }

    /// The learner that answers a plan, once it is on disk that its periods are summed.
    func learner(
        of plan: IndicatorPlan, in manifest: Manifest, standard: FeatureStandard,
        store: NodeStore, findings: [Int64: RowFinding]
    ) throws(LearningError) -> any LocalLearner {
        let counts: IndicatorCounts
        do {
            counts = try self.counts(findings: findings)
        } catch {
            throw .unusableData(reason: error.description)
        }
        do {
            let figures = try counts.ledger(for: plan).digest(of: plan)
            var summed = try store.summedPeriods()
            try summed.admit(
                plan, banks: manifest.roster.banks, figures: figures,
                permitsCorrections: permitsCorrections)
            try store.setSummedPeriods(summed)
        } catch let error as IndicatorError {
            throw .unusableData(reason: error.description)
        } catch {
            throw .unusableData(reason: "what was summed cannot be remembered: \(error)")
        }
        return try manifest.algorithm.localLearner(
            standard: standard, data: LocalData(counts: counts))
    }
}

/// A published table as a node keeps it.
package struct NodeTable: Sendable {
    /// The run that made it.
    package let run: RunID
    /// What was summed.
    package let plan: IndicatorPlan
    /// Banks in the run.
    package let banks: Int
    /// SHA-256 of the file, hexadecimal.
    package let sha256: String
    /// The file.
    package let bytes: [UInt8]

    /// The file's name where tables are written: no two tables of a node share one.
    package var fileName: String {
        let name = plan.indicator.name
        return "\(name)-\(plan.firstPeriod)-r\(plan.revision)-\(sha256.prefix(8)).json"
    }
}

extension NodeStore {
    private static var summedKey: String { "indicators/summed" }

    /// Which periods this bank let be summed.
    func summedPeriods() throws(StoreError) -> SummedPeriods {
        guard let bytes = try fact(Self.summedKey) else { return SummedPeriods() }
        do {
            return try SummedPeriods(bytes: bytes)
        } catch {
            throw .corrupt(path: "the summed periods in node.sqlite")
        }
    }

    /// Remembers them; on disk when this returns.
    func setSummedPeriods(_ summed: SummedPeriods) throws(StoreError) {
        try setFact(summed.bytes, for: Self.summedKey)
    }

    /// SHA-256 of the tables that this bank has received, hexadecimal, the oldest first.
    func tableDigests() throws(StoreError) -> [String] {
        try runs.modelDigests(algorithm: AlgorithmConfiguration.indicatorsName)
    }

    /// The tables that this bank has received, the newest first.
    package func tables() throws -> [NodeTable] {
        var tables: [NodeTable] = []
        for record in try runs.runs()
        where record.algorithm == AlgorithmConfiguration.indicatorsName {
            guard !record.modelSHA256.isEmpty,
                let bytes = try runs.model(sha256: record.modelSHA256)
            else { continue }
            let manifest = try Manifest(bytes: record.manifest)
            guard case .indicators(let plan) = manifest.algorithm else { continue }
            tables.append(
                NodeTable(
                    run: record.run, plan: plan, banks: manifest.roster.banks.count,
                    sha256: record.modelSHA256, bytes: bytes))
        }
        return tables
    }
}

extension NodeState {
    private static var keyFile: String { "indicator.key" }

    /// The key that the banks share and the coordinator does not have; `nil` where none is
    /// installed.
    func indicatorKey() throws -> SecretBytes? {
        guard folder.contains(Self.keyFile) else { return nil }
        var bytes = try folder.read(Self.keyFile)
        guard bytes.count == IndicatorSecrets.keyByteCount else {
            throw StoreError.corrupt(path: folder.path(of: Self.keyFile))
        }
        return SecretBytes(wiping: &bytes)
    }

    /// What finds the cells of sketches; without a key none of them is found.
    func indicatorSecrets() throws -> IndicatorSecrets {
        try IndicatorSecrets(key: try indicatorKey())
    }

    /// Installs the key.
    ///
    /// - Throws: ``NodeFailure/anotherIndicatorKey(path:)`` when another one is there.
    func setIndicatorKey(_ key: SecretBytes) throws {
        if let held = try indicatorKey() {
            guard held.withUnsafeBytes({ Array($0) }) == key.withUnsafeBytes({ Array($0) }) else {
                throw NodeFailure.anotherIndicatorKey(path: folder.path(of: Self.keyFile))
            }
            return
        }
        try folder.write(key.withUnsafeBytes { Array($0) }, to: Self.keyFile)
    }
}
