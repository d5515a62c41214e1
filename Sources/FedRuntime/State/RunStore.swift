public import FedCore
public import FedWire
internal import Foundation
internal import GRDB

/// A run as it is remembered.
public struct RunRecord: Equatable, Sendable {
    /// The run.
    public var run: RunID
    /// Where it stands.
    public var state: RunState
    /// The algorithm's name.
    public var algorithm: String
    /// The manifest's canonical bytes; empty before there is one.
    public var manifest: [UInt8]
    /// Why there is no model; empty otherwise.
    public var reason: String
    /// The model's digest, hexadecimal; empty until there is one.
    public var modelSHA256: String
    /// Masked sums asked for.
    public var slots = 0
    /// Rounds done: trees, or steps of the optimiser.
    public var rounds = 0
    /// When the run began, milliseconds since 1970.
    public var startedUnixMilliseconds: Int64
    /// When it ended; `nil` while it is under way.
    public var finishedUnixMilliseconds: Int64?

    /// A run that begins.
    public init(
        run: RunID, algorithm: String, manifest: [UInt8], startedUnixMilliseconds: Int64,
        state: RunState = .waiting
    ) {
        self.run = run
        self.state = state
        self.algorithm = algorithm
        self.manifest = manifest
        self.reason = ""
        self.modelSHA256 = ""
        self.startedUnixMilliseconds = startedUnixMilliseconds
        self.finishedUnixMilliseconds = nil
    }
}

/// How many runs of an algorithm are in a state.
public struct RunCount: Equatable, Sendable {
    /// The algorithm's name; empty for runs that came to no consent.
    public let algorithm: String
    /// The state.
    public let state: RunState
    /// Runs.
    public let runs: Int
    /// Rounds of all of them.
    public let rounds: Int
}

/// Runs and the models that came of them.
public struct RunStore: Sendable {
    let file: SQLiteFile

    /// Records a run, or its new state.
    public func save(_ record: RunRecord) throws(StoreError) {
        try file.write { database in try Self.save(record, to: database) }
    }

    static func save(_ record: RunRecord, to database: GRDB.Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO run
                (id, state, algorithm, manifest, reason, model, slots, rounds, started, finished)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                record.run.bytes.data, record.state.rawValue, record.algorithm,
                record.manifest.data, record.reason, record.modelSHA256, record.slots,
                record.rounds, record.startedUnixMilliseconds, record.finishedUnixMilliseconds,
            ])
    }

    /// One run.
    public func run(_ run: RunID) throws(StoreError) -> RunRecord? {
        try file.read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM run WHERE id = ?", arguments: [run.bytes.data]
            ).map(Self.record)
        }
    }

    /// The newest runs first, at most `limit` (0: all).
    public func runs(limit: Int = 0) throws(StoreError) -> [RunRecord] {
        try file.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM run ORDER BY started DESC, id LIMIT ?",
                arguments: [limit == 0 ? -1 : limit]
            ).map(Self.record)
        }
    }

    /// Runs that were under way when the process ended.
    public func unfinishedRuns() throws(StoreError) -> [RunRecord] {
        try runs().filter { !$0.state.isFinal }
    }

    /// How many runs of each algorithm are in each state, in the order of the names.
    public func counts() throws(StoreError) -> [RunCount] {
        try file.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT algorithm, state, COUNT(*) AS runs, SUM(rounds) AS rounds FROM run
                    GROUP BY algorithm, state ORDER BY algorithm, state
                    """
            ).map { row in
                RunCount(
                    algorithm: row.text("algorithm"), state: try row.value("state"),
                    runs: Int(row.integer("runs")), rounds: Int(row.integer("rounds")))
            }
        }
    }

    /// SHA-256 of what the runs of an algorithm came to, hexadecimal, the oldest first.
    public func modelDigests(algorithm: String) throws(StoreError) -> [String] {
        try file.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT model FROM run WHERE algorithm = ? AND model <> ''
                    ORDER BY started, id DESC
                    """,
                arguments: [algorithm])
        }
    }

    /// Stores a model under the digest of its bytes.
    public func saveModel(
        _ bytes: [UInt8], sha256: String, run: RunID, at unixMilliseconds: Int64
    ) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql:
                    "INSERT OR IGNORE INTO model (sha256, run, bytes, created) VALUES (?, ?, ?, ?)",
                arguments: [sha256, run.bytes.data, bytes.data, unixMilliseconds])
        }
    }

    /// The bytes of a model.
    public func model(sha256: String) throws(StoreError) -> [UInt8]? {
        try file.read { database in
            try [UInt8].fetch(database, "SELECT bytes FROM model WHERE sha256 = ?", [sha256])
        }
    }

    private static func record(_ row: Row) throws -> RunRecord {
        var record = RunRecord(
            run: try row.run("id"), algorithm: row.text("algorithm"),
            manifest: row.bytes("manifest"), startedUnixMilliseconds: row.integer("started"),
            state: try row.value("state"))
        record.reason = row.text("reason")
        record.modelSHA256 = row.text("model")
        record.slots = Int(row.integer("slots"))
        record.rounds = Int(row.integer("rounds"))
        record.finishedUnixMilliseconds = row["finished"]
        return record
    }

    static func createTables(_ database: GRDB.Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE run (
                    id BLOB PRIMARY KEY, state TEXT NOT NULL, algorithm TEXT NOT NULL,
                    manifest BLOB NOT NULL, reason TEXT NOT NULL, model TEXT NOT NULL,
                    slots INTEGER NOT NULL, rounds INTEGER NOT NULL, started INTEGER NOT NULL, finished INTEGER) WITHOUT ROWID;
                CREATE INDEX run_started ON run (started);
                CREATE TABLE model (
                    sha256 TEXT PRIMARY KEY, run BLOB NOT NULL, bytes BLOB NOT NULL,
                    created INTEGER NOT NULL);
                """)
    }
}
