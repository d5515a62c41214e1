public import FedCore
public import FedWire
internal import Foundation
internal import GRDB

/// All that the coordinator remembers, in `coordinator.sqlite` of its state folder.
public struct CoordinatorStore: Sendable {
    private let file: SQLiteFile
    /// Runs and models.
    public let runs: RunStore
    /// Facts that must survive a crash.
    public let journal: JournalStore
    /// Members and invitations.
    public let members: MemberStore
    /// Votes on models.
    public let proposals: ProposalStore

    /// Opens or creates the store.
    public init(in folder: StateDirectory) throws(StoreError) {
        try self.init(path: folder.path(of: "coordinator.sqlite"))
    }

    /// Opens or creates the store at a path.
    package init(path: String) throws(StoreError) {
        file = try SQLiteFile(
            path: path,
            migrations: [
                Self.createSchema, { try JournalStore.addPlaces($0) }, ProposalStore.createTables,
            ])
        runs = RunStore(file: file)
        journal = JournalStore(file: file, spool: JournalSpool(besides: path))
        members = MemberStore(file: file)
        proposals = ProposalStore(file: file)
    }

    /// Records a run that begins, with the documents that it needs to go on after a restart.
    public func begin(
        _ record: RunRecord, standard: [UInt8], charter: [UInt8]
    ) throws(StoreError) {
        try file.write { database in
            try RunStore.save(record, to: database)
            try database.execute(
                sql: "INSERT INTO run_document (run, standard, charter) VALUES (?, ?, ?)",
                arguments: [record.run.bytes.data, standard.data, charter.data])
        }
    }

    /// The feature standard and the charter of a run.
    public func documents(
        of run: RunID
    ) throws(StoreError) -> (standard: [UInt8], charter: [UInt8])? {
        try file.read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM run_document WHERE run = ?",
                arguments: [run.bytes.data]
            ).map { ($0.bytes("standard"), $0.bytes("charter")) }
        }
    }

    /// Adds a line to a run's log.
    public func log(
        _ line: String, run: RunID, level: String, at unixMilliseconds: Int64
    ) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: "INSERT INTO run_log (run, at, level, line) VALUES (?, ?, ?, ?)",
                arguments: [run.bytes.data, unixMilliseconds, level, line])
        }
    }

    /// A run's log, oldest first.
    public func log(of run: RunID) throws(StoreError) -> [RunLogLine] {
        try file.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM run_log WHERE run = ? ORDER BY id",
                arguments: [run.bytes.data]
            ).map { row in
                RunLogLine(
                    unixMilliseconds: row.integer("at"), level: row.text("level"),
                    line: row.text("line"))
            }
        }
    }

    /// Adds to the traffic of a bank in a run.
    public func addTraffic(
        run: RunID, bank: NodeID, bytesReceived: UInt64, bytesSent: UInt64
    ) throws(StoreError) {
        try file.write { database in
            try database.execute(
                sql: """
                    INSERT INTO traffic (run, bank, received, sent) VALUES (?, ?, ?, ?)
                    ON CONFLICT (run, bank) DO UPDATE SET
                    received = received + excluded.received, sent = sent + excluded.sent
                    """,
                arguments: [
                    run.bytes.data, bank.name, Int64(clamping: bytesReceived),
                    Int64(clamping: bytesSent),
                ])
        }
    }

    /// The traffic of a run, by bank; none is marked as connected.
    public func traffic(of run: RunID) throws(StoreError) -> [BankTraffic] {
        try file.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM traffic WHERE run = ? ORDER BY bank",
                arguments: [run.bytes.data]
            ).map { row in
                BankTraffic(
                    bank: try row.bank("bank"),
                    bytesReceived: UInt64(clamping: row.integer("received")),
                    bytesSent: UInt64(clamping: row.integer("sent")), isConnected: false)
            }
        }
    }

    private static let createSchema: @Sendable (GRDB.Database) throws -> Void = { database in
        try RunStore.createTables(database)
        try JournalStore.createTables(database)
        try MemberStore.createTables(database)
        try database.execute(
            sql: """
                CREATE TABLE run_document (
                    run BLOB PRIMARY KEY, standard BLOB NOT NULL, charter BLOB NOT NULL
                ) WITHOUT ROWID;
                CREATE TABLE run_log (
                    id INTEGER PRIMARY KEY, run BLOB NOT NULL, at INTEGER NOT NULL,
                    level TEXT NOT NULL, line TEXT NOT NULL);
                CREATE INDEX run_log_run ON run_log (run);
                CREATE TABLE traffic (
                    run BLOB NOT NULL, bank TEXT NOT NULL, received INTEGER NOT NULL,
                    sent INTEGER NOT NULL, PRIMARY KEY (run, bank)) WITHOUT ROWID;
                """)
    }
}

/// A line of a run's log.
public struct RunLogLine: Equatable, Sendable {
    /// When, milliseconds since 1970.
    public let unixMilliseconds: Int64
    /// `info`, `warning` or `error`.
    public let level: String
    /// The text.
    public let line: String
}
