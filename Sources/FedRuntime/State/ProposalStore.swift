public import FedCore
internal import Foundation
internal import GRDB

/// Where a vote on a model stands at the coordinator.
public enum ProposalState: String, CaseIterable, Sendable {
    /// Banks are asked.
    case voting
    /// All have voted; their figures are being summed.
    case examining
    /// There is a bundle.
    case published
    /// Too few banks voted for it.
    case rejected
    /// A later proposal took its place.
    case superseded

    /// Whether nothing more can happen.
    public var isFinal: Bool {
        switch self {
        case .voting, .examining: false
        case .published, .rejected, .superseded: true
        }
    }
}

/// A vote on a model as the coordinator remembers it.
public struct ProposalRecord: Equatable, Sendable {
    /// The candidate's version.
    public var version: UInt64
    /// The run that trained the model.
    public var run: RunID
    /// The candidate's canonical bytes.
    public var candidate: [UInt8]
    /// The model's digest, hexadecimal.
    public var modelSHA256: String
    /// Where it stands.
    public var state: ProposalState
    /// Why it was rejected; empty otherwise.
    public var reason = ""
    /// The run that summed the banks' figures; `nil` before there is one.
    public var examination: RunID?
    /// The bundle; empty before there is one.
    public var bundle: [UInt8] = []

    /// A proposal that begins.
    public init(version: UInt64, run: RunID, candidate: [UInt8], modelSHA256: String) {
        self.version = version
        self.run = run
        self.candidate = candidate
        self.modelSHA256 = modelSHA256
        state = .voting
    }
}

/// What a node made of a published model.
public struct ActivationRecord: Equatable, Sendable {
    /// The bank.
    public var bank: NodeID
    /// The node's word for what the model is to it.
    public var standing: String
    /// Why; may be empty.
    public var reason: String

    /// Wraps the members.
    public init(bank: NodeID, standing: String, reason: String) {
        self.bank = bank
        self.standing = standing
        self.reason = reason
    }
}

/// The coordinator's memory of votes on models.
public struct ProposalStore: Sendable {
    let file: SQLiteFile

    /// Records that a run has ended with a model, and the head of its chain.
    public func setHead(_ head: [UInt8], of run: RunID) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO run_head (run, head) VALUES (?, ?)",
                arguments: [run.bytes.data, head.data])
        }
    }

    /// The head of the chain of a run that ended with a model.
    public func head(of run: RunID) throws(StoreError) -> [UInt8]? {
        try file.read {
            try [UInt8].fetch($0, "SELECT head FROM run_head WHERE run = ?", [run.bytes.data])
        }
    }

    /// Records a proposal, or its new state.
    public func save(_ record: ProposalRecord) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO proposal
                    (version, run, candidate, model, state, reason, examination, bundle)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    Int64(clamping: record.version), record.run.bytes.data, record.candidate.data,
                    record.modelSHA256, record.state.rawValue, record.reason,
                    record.examination?.bytes.data, record.bundle.data,
                ])
        }
    }

    /// The newest proposal.
    public func newest() throws(StoreError) -> ProposalRecord? {
        try first(sql: "SELECT * FROM proposal ORDER BY version DESC LIMIT 1")
    }

    /// The newest proposal that was published.
    public func published() throws(StoreError) -> ProposalRecord? {
        try first(
            sql: "SELECT * FROM proposal WHERE state = 'published' ORDER BY version DESC LIMIT 1")
    }

    private func first(sql: String) throws(StoreError) -> ProposalRecord? {
        try file.read { database in
            guard let row = try Row.fetchOne(database, sql: sql) else { return nil }
            var record = ProposalRecord(
                version: UInt64(clamping: row.integer("version")), run: try row.run("run"),
                candidate: row.bytes("candidate"), modelSHA256: row.text("model"))
            record.state = try row.value("state")
            record.reason = row.text("reason")
            record.examination = row["examination"] == nil ? nil : try row.run("examination")
            record.bundle = row.bytes("bundle")
            return record
        }
    }

    /// Records a bank's vote.
    ///
    /// - Returns: whether it is the bank's first on this candidate; a later one is not taken.
    public func addVote(
        _ vote: [UInt8], of bank: NodeID, on version: UInt64
    ) throws(StoreError) -> Bool {
        try file.write { database in
            try database.execute(
                sql: "INSERT OR IGNORE INTO vote (version, bank, vote) VALUES (?, ?, ?)",
                arguments: [Int64(clamping: version), bank.name, vote.data])
            return database.changesCount > 0
        }
    }

    /// The votes on a candidate, in the order of names.
    public func votes(on version: UInt64) throws(StoreError) -> [[UInt8]] {
        try file.read { database in
            try Data.fetchAll(
                database, sql: "SELECT vote FROM vote WHERE version = ? ORDER BY bank",
                arguments: [Int64(clamping: version)]
            ).map { Array($0) }
        }
    }

    /// Records what a node made of a bundle.
    public func save(_ record: ActivationRecord, of version: UInt64) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO activation (version, bank, standing, reason)
                    VALUES (?, ?, ?, ?)
                    """,
                arguments: [
                    Int64(clamping: version), record.bank.name, record.standing, record.reason,
                ])
        }
    }

    /// What the nodes made of a bundle, in the order of names.
    public func activations(of version: UInt64) throws(StoreError) -> [ActivationRecord] {
        try file.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM activation WHERE version = ? ORDER BY bank",
                arguments: [Int64(clamping: version)]
            ).map {
                ActivationRecord(
                    bank: try $0.bank("bank"), standing: $0.text("standing"),
                    reason: $0.text("reason"))
            }
        }
    }

    static func createTables(_ database: GRDB.Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE run_head (run BLOB PRIMARY KEY, head BLOB NOT NULL) WITHOUT ROWID;
                CREATE TABLE proposal (
                    version INTEGER PRIMARY KEY, run BLOB NOT NULL, candidate BLOB NOT NULL,
                    model TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
                    examination BLOB, bundle BLOB NOT NULL);
                CREATE TABLE vote (
                    version INTEGER NOT NULL, bank TEXT NOT NULL, vote BLOB NOT NULL,
                    PRIMARY KEY (version, bank)) WITHOUT ROWID;
                CREATE TABLE activation (
                    version INTEGER NOT NULL, bank TEXT NOT NULL, standing TEXT NOT NULL,
                    reason TEXT NOT NULL, PRIMARY KEY (version, bank)) WITHOUT ROWID;
                """)
    }
}
