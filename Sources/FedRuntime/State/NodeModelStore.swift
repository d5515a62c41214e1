internal import Foundation
internal import GRDB

/// A candidate as a node has examined it.
public struct CandidateRecord: Equatable, Sendable {
    /// The candidate's version.
    public var version: UInt64
    /// The candidate's canonical bytes.
    public var candidate: [UInt8]
    /// The federated model's file.
    public var model: [UInt8]
    /// What the bank would score with: the bank's model's document.
    public var bankModel: [UInt8]
    /// The figures of the examination, to be masked and summed.
    public var lanes: [Int64]
    /// The signed vote.
    public var vote: [UInt8]
    /// The bundle that was admitted; empty until one is.
    public var bundle: [UInt8]
    /// When it was examined, milliseconds since 1970.
    public var examinedUnixMilliseconds: Int64

    /// Wraps the members.
    public init(
        version: UInt64, candidate: [UInt8], model: [UInt8], bankModel: [UInt8], lanes: [Int64],
        vote: [UInt8], bundle: [UInt8] = [], examinedUnixMilliseconds: Int64
    ) {
        self.version = version
        self.candidate = candidate
        self.model = model
        self.bankModel = bankModel
        self.lanes = lanes
        self.vote = vote
        self.bundle = bundle
        self.examinedUnixMilliseconds = examinedUnixMilliseconds
    }
}

/// A candidate that this node has voted on and that is not published, as far as is known here.
public struct UnpublishedCandidate: Equatable, Sendable {
    /// The candidate's version.
    public let version: UInt64
    /// The candidate's canonical bytes.
    public let candidate: [UInt8]
    /// The signed vote.
    public let vote: [UInt8]
}

/// A line of a node's log of models: it says for ever what was activated, refused and rolled back.
public struct ModelLogLine: Equatable, Sendable {
    /// When, milliseconds since 1970.
    public var unixMilliseconds: Int64
    /// The candidate's version; 0 where a bundle could not be read.
    public var version: UInt64
    /// What happened, a word.
    public var event: String
    /// Why; may be empty.
    public var reason: String

    /// Wraps the members.
    public init(unixMilliseconds: Int64, version: UInt64, event: String, reason: String) {
        self.unixMilliseconds = unixMilliseconds
        self.version = version
        self.event = event
        self.reason = reason
    }
}

/// A node's models: candidates, the registry of what scores, and the log.
public struct NodeModelStore: Sendable {
    let file: SQLiteFile

    /// What a change of the registry writes.
    public struct Change<Value: Sendable>: Sendable {
        /// The registry's new document; `nil` leaves it as it is.
        public var registry: [UInt8]?
        /// A bundle that was admitted, with its version.
        public var bundle: (version: UInt64, bytes: [UInt8])?
        /// What the log says.
        public var log: [ModelLogLine]
        /// What the caller gets.
        public var value: Value

        /// Wraps the members.
        public init(
            registry: [UInt8]? = nil, bundle: (version: UInt64, bytes: [UInt8])? = nil,
            log: [ModelLogLine], value: Value
        ) {
            self.registry = registry
            self.bundle = bundle
            self.log = log
            self.value = value
        }
    }

    private static let registryKey = "model-registry"

    /// Stores an examined candidate; one of this version stays as it is.
    public func save(_ record: CandidateRecord, log: ModelLogLine) throws(StoreError) {
        let version = Int64(clamping: record.version)
        try file.write { database in
            try database.execute(
                sql: """
                    INSERT OR IGNORE INTO candidate
                    (version, candidate, model, bank_model, lanes, vote, bundle, examined)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    version, record.candidate.data, record.model.data, record.bankModel.data,
                    record.lanes.map { String($0) }.joined(separator: " "), record.vote.data,
                    record.bundle.data, record.examinedUnixMilliseconds,
                ])
            try Self.append([log], to: database)
        }
    }

    /// The candidate of a version.
    public func candidate(_ version: UInt64) throws(StoreError) -> CandidateRecord? {
        try candidates(sql: "SELECT * FROM candidate WHERE version = ?", [Int64(clamping: version)])
            .first
    }

    /// All candidates, the newest first.
    public func candidates() throws(StoreError) -> [CandidateRecord] {
        try candidates(sql: "SELECT * FROM candidate ORDER BY version DESC", [])
    }

    /// Candidates above a version that no bundle has come for, the newest first; without their
    /// models, so that they can be asked for often.
    public func unpublished(after version: UInt64) throws(StoreError) -> [UnpublishedCandidate] {
        try file.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT version, candidate, vote FROM candidate
                    WHERE version > ? AND LENGTH(bundle) = 0 ORDER BY version DESC
                    """, arguments: [Int64(clamping: version)]
            ).map {
                UnpublishedCandidate(
                    version: UInt64(clamping: $0.integer("version")),
                    candidate: $0.bytes("candidate"), vote: $0.bytes("vote"))
            }
        }
    }

    private func candidates(
        sql: String, _ arguments: [Int64]
    ) throws(StoreError) -> [CandidateRecord] {
        try file.read { database in
            try Row.fetchAll(database, sql: sql, arguments: StatementArguments(arguments)).map {
                CandidateRecord(
                    version: UInt64(clamping: $0.integer("version")),
                    candidate: $0.bytes("candidate"), model: $0.bytes("model"),
                    bankModel: $0.bytes("bank_model"),
                    lanes: $0.text("lanes").split(separator: " ").compactMap { Int64($0) },
                    vote: $0.bytes("vote"), bundle: $0.bytes("bundle"),
                    examinedUnixMilliseconds: $0.integer("examined"))
            }
        }
    }

    /// The registry's document; `nil` before the first model.
    public func registry() throws(StoreError) -> [UInt8]? {
        try file.read { try Self.registry($0) }
    }

    /// Changes the registry in one transaction with the log.
    public func change<Value: Sendable>(
        _ body: @Sendable (_ registry: [UInt8]?) throws -> Change<Value>
    ) throws(StoreError) -> Value {
        try file.write { database in
            let change = try body(try Self.registry(database))
            if let registry = change.registry {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO fact (key, value) VALUES (?, ?)",
                    arguments: [Self.registryKey, registry.data])
            }
            if let bundle = change.bundle {
                try database.execute(
                    sql: "UPDATE candidate SET bundle = ? WHERE version = ?",
                    arguments: [bundle.bytes.data, Int64(clamping: bundle.version)])
            }
            try Self.append(change.log, to: database)
            return change.value
        }
    }

    /// The log, oldest first.
    public func log() throws(StoreError) -> [ModelLogLine] {
        try file.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM model_log ORDER BY id").map {
                ModelLogLine(
                    unixMilliseconds: $0.integer("at"),
                    version: UInt64(clamping: $0.integer("version")), event: $0.text("event"),
                    reason: $0.text("reason"))
            }
        }
    }

    private static func registry(_ database: GRDB.Database) throws -> [UInt8]? {
        try [UInt8].fetch(database, "SELECT value FROM fact WHERE key = ?", [registryKey])
    }

    private static func append(_ lines: [ModelLogLine], to database: GRDB.Database) throws {
        for line in lines {
            try database.execute(
                sql: "INSERT INTO model_log (at, version, event, reason) VALUES (?, ?, ?, ?)",
                arguments: [
                    line.unixMilliseconds, Int64(clamping: line.version), line.event, line.reason,
                ])
        }
    }

    static func createTables(_ database: GRDB.Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE candidate (
                    version INTEGER PRIMARY KEY, candidate BLOB NOT NULL, model BLOB NOT NULL,
                    bank_model BLOB NOT NULL, lanes TEXT NOT NULL, vote BLOB NOT NULL,
                    bundle BLOB NOT NULL, examined INTEGER NOT NULL);
                CREATE TABLE model_log (
                    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, version INTEGER NOT NULL,
                    event TEXT NOT NULL, reason TEXT NOT NULL);
                """)
    }
}
